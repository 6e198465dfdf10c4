"""Levin's propagation: from colours known somewhere, or believed everywhere, to a colour for every pixel."""

from colorize.optimization.propagate import Propagation, Propagator, propagate

__all__ = ["Propagation", "Propagator", "propagate"]
