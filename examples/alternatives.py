"""Alternatives: choose among several
==================================

Several whole, coherent pictures; the chosen one is where hints go on. Results go into the current folder.
"""

import numpy as np
from sklearn.datasets import load_sample_image

from colorize import Colorizer, RgbImage, find_model, to_gray, write_photo
from colorize.guidance.hints import Hints, Mark

model = Colorizer.load(find_model("default"))
session = model.open(to_gray(RgbImage(load_sample_image("china.jpg"))))

results = session.alternatives(5)
for number, result in enumerate(results):
    a, b = result.ab.mean(axis=(0, 1))
    print(f"{number}: mean a* {a:+.1f}, mean b* {b:+.1f}")
sheet = np.hstack([result.rgb[::2, ::2] for result in results], dtype=np.uint8)
write_photo(RgbImage(sheet), "china.sheet.png", overwrite=True)

coldest = int(np.argmin([result.ab[..., 1].mean() for result in results]))  # the sky was blue
wood = Hints(session.gray.shape, (Mark("stroke", [[210, 130], [320, 280]], (125, 85, 70), radius=5),))
write_photo(session.choose(coldest).with_hints(wood).image, "china.chosen.png", overwrite=True)
