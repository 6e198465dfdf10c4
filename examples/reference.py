"""References: it should look like this one
========================================

The right half of a photograph is colorized with its left half as the reference. Results go into the current folder.
"""

import numpy as np
from sklearn.datasets import load_sample_image

from colorize import Colorizer, RgbImage, find_model, to_gray, write_photo
from colorize.color import rgb_to_lab
from colorize.color.metrics import ciede2000

flower = load_sample_image("flower.jpg")
left, right = (RgbImage(np.ascontiguousarray(half)) for half in (flower[:, :320], flower[:, 320:]))
model = Colorizer.load(find_model("default"))
true = rgb_to_lab(right.pixels)

for strength in (0.0, 0.5, 1.0):
    result = model.open(to_gray(right), references=[left], reference_strength=strength).colorize()
    error = ciede2000(true, np.dstack([true[..., 0], result.ab])).mean()
    print(f"strength {strength}: CIEDE2000 {error:.1f}")
    write_photo(result.image, f"flower.{strength}.png", overwrite=True)
