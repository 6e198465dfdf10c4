"""Why a place got its colour, and where the model is unsure."""

from colorize.explanation.explainer import Explainer, Explanation, HintEffect, Memories, explain

__all__ = ["Explainer", "Explanation", "HintEffect", "Memories", "explain"]
