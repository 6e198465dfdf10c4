"""What a model has learnt, as it is used; learning it is for `colorize.classifier`, `nets` and `palette`."""
