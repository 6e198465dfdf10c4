"""Paths: a photograph in, a colour photograph out
===============================================

Run: ``python examples/simple.py OLD.jpg NEW.png`` (without arguments it takes scikit-learn's sample photograph).
"""

import sys
from pathlib import Path

import sklearn.datasets

from colorize import Colorizer, find_model, read_photo, to_gray, write_photo

sample = Path(sklearn.datasets.__file__).parent / "images" / "flower.jpg"
source, target = sys.argv[1:3] if len(sys.argv) > 2 else (sample, "flower.colorized.png")

model = Colorizer.load(find_model("default"))
result = model.predict(to_gray(read_photo(source)), vividness=0.5)
write_photo(result.image, target)
print(f"{source} -> {target}, {sum(result.timings.values()):.2f} s")
