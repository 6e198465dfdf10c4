"""Why this colour?
================

The opinions behind a place, in text, as numbers, and on a page.

Run: ``python examples/explain.py OLD.jpg ROW COL`` (without arguments it asks about scikit-learn's sample photograph).
The page needs the extra ``report``.
"""

import sys
from pathlib import Path

import sklearn.datasets

from colorize import Colorizer, find_model, read_photo, to_gray
from colorize.evaluation.report import explanation_report
from colorize.explanation import Explainer
from colorize.explanation.account import sentences
from colorize.guidance.hints import Hints, Mark

sample = Path(sklearn.datasets.__file__).parent / "images" / "china.jpg"
source, row, col = sys.argv[1:4] if len(sys.argv) > 3 else (sample, 60, 420)

model = Colorizer.load(find_model("default"))
session = model.open(to_gray(read_photo(source)))
explainer = Explainer(session)
why = explainer.at(int(row), int(col))

print("\n".join(sentences(why)))
for step, log_odds in why.steps().items():  # they sum to the log-odds of winner against rival in the end
    print(f"{step:>12} {log_odds:+.2f}")

for place in explainer.places(3):  # large areas first, then where the model is least sure
    found = explainer.at(*place)
    print(f"{place}: ab {found.ab.round().tolist()}, {found.confidence:.0%} sure")

# what a hint elsewhere does to the same place
hint = Hints(session.gray.shape, (Mark("point", [[int(row), max(0, int(col) - 60)]], (90, 130, 190), radius=6),))
told = Explainer(session, hints=hint)
effect = told.at(int(row), int(col)).hints
if effect is not None:  # there was a hint
    print(f"without the hint ab {effect.before.round(1).tolist()}, with it {effect.after.round(1).tolist()}")

page = explanation_report(
    explainer, [why, *map(explainer.at, *zip(*explainer.places(3), strict=True))], name="old photo"
)
Path("why.html").write_text(page, encoding="utf-8")
print("wrote why.html")
