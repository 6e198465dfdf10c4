"""Feature families: one module each, joined by `FeatureExtractor` into a matrix with named columns."""

from colorize.features.analysis import PhotoAnalysis
from colorize.features.extractor import FeatureExtractor
from colorize.features.registry import CLASSICAL, FAMILIES, in_order, register_family

__all__ = ["CLASSICAL", "FAMILIES", "FeatureExtractor", "PhotoAnalysis", "in_order", "register_family"]
