"""Hints: say what you know
========================

Where does the model want to know more? What does one point change, near and far? Results go into the current folder.
"""

from sklearn.datasets import load_sample_image

from colorize import Colorizer, RgbImage, find_model, to_gray, write_photo
from colorize.guidance.hints import Hints, Mark

model = Colorizer.load(find_model("default"))
session = model.open(to_gray(RgbImage(load_sample_image("flower.jpg"))))

for place in session.suggest(3):
    print(f"row {place.row}, column {place.col}: {place.colors.tolist()}")

hints = Hints(
    session.gray.shape,
    (
        Mark("stroke", [[150, 250], [200, 300]], (200, 60, 140), radius=6),
        Mark("region", [[20, 20], [20, 120], [90, 20]], (60, 80, 40), reach="similar"),
    ),
)
for name, result in (("before", session.colorize()), ("after", session.with_hints(hints))):
    write_photo(result.image, f"flower.{name}.png", overwrite=True)
    print(f"{name}: {result.notes or 'nothing to report'}")

with open("flower.hints.json", "w", encoding="utf-8") as file:
    file.write(hints.to_json())  # colorize photo flower.jpg --hints flower.hints.json
