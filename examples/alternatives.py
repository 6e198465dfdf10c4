"""Alternatives: choose among several
==================================

Several whole, coherent pictures; the chosen one is where hints go on.

Results go into the current folder; the photograph comes with scikit-image (install it).
"""

import numpy as np
from skimage.data import astronaut

from colorize import Colorizer, RgbImage, find_model, to_gray, write_photo
from colorize.guidance.hints import Hints, Mark

model = Colorizer.load(find_model("default"))
session = model.open(to_gray(RgbImage(astronaut())))

results = session.alternatives(5)
for number, result in enumerate(results):
    a, b = result.ab.mean(axis=(0, 1))
    print(f"{number}: mean a* {a:+.1f}, mean b* {b:+.1f}")
sheet = np.hstack([result.rgb[::2, ::2] for result in results], dtype=np.uint8)
write_photo(RgbImage(sheet), "astronaut.sheet.png", overwrite=True)

warmest = int(np.argmax([result.ab[..., 1].mean() for result in results]))
suit = Hints(session.gray.shape, (Mark("stroke", [[340, 130], [430, 150]], (230, 90, 30), radius=5),))
write_photo(session.choose(warmest).with_hints(suit).image, "astronaut.chosen.png", overwrite=True)
