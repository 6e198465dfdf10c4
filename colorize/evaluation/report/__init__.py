"""Reports as one HTML file each: plots as SVG, pictures inside the page, nothing from the network.

They open from a disk, print, follow the reader's light or dark dress, and can be used with the keyboard alone. What
they show can be had as JSON and CSV too; a report adds no numbers of its own.

Each takes what was found, and the names of model and photographs as a reader knows them. Without the extra ``report``
they raise `MissingDependencyError`.
"""

from colorize.evaluation.report.comparison import comparison_report
from colorize.evaluation.report.evaluation import evaluation_report
from colorize.evaluation.report.explanation import explanation_report
from colorize.evaluation.report.importance import importance_report
from colorize.evaluation.report.page import check_installed
from colorize.evaluation.report.studies import category_report, curve_report

__all__ = [
    "category_report",
    "check_installed",
    "comparison_report",
    "curve_report",
    "evaluation_report",
    "explanation_report",
    "importance_report",
]
