"""Tests of README and docs; a package, because they share `markdown`."""
