"""What a model has learnt, as it is used, in NumPy alone; learning it is for `colorize.training`."""
