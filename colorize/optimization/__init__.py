"""Levin's propagation: from colours known somewhere, or believed everywhere, to a colour for every pixel."""

from colorize.optimization.propagate import Propagation, propagate

__all__ = ["Propagation", "propagate"]
