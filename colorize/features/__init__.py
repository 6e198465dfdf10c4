"""Feature families: one module each, joined by `FeatureExtractor` into a matrix with named columns."""

from colorize.features.analysis import PhotoAnalysis
from colorize.features.extractor import FAMILIES, FeatureExtractor

__all__ = ["FAMILIES", "FeatureExtractor", "PhotoAnalysis"]
