"""Tests of batches; a package for the sake of `folders`."""
