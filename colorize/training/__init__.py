"""Learning a model: rows of described regions, the simple rules to beat, and what is fitted to them."""
