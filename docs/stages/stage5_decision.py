"""
5. The decision: one colour for each region, and how sure
=========================================================

Regions answered alone; now they confer. Two regions of like lightness that touch probably belong together, so first
they *share their evidence*. Then neighbours *agree*: each looks at what the others around it think, and shifts its
probabilities towards them, for a few rounds (a *mean field*, see :mod:`colorize.recognition.decision`).
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_sample_image

from colorize import Colorizer, RgbImage, find_model, to_gray
from colorize.color import lab_to_rgb

model = Colorizer.load(find_model("default")).model
gray = to_gray(RgbImage(load_sample_image("china.jpg")))
described = model.describe(gray)
labels = described.superpixels.labels
colors = model.palette.colors_


def show(axes, region_ab, title):
    """The photograph with one colour per region."""
    axes.imshow(lab_to_rgb(described.lightness, region_ab.astype(np.float32)[labels]))
    axes.set_title(title)
    axes.axis("off")


alone = model.region_probabilities(described.features.values)
decision = model.decide(described, alone)

figure, panels = plt.subplots(1, 3, figsize=(12, 2.9), layout="constrained")
for axes, stage, title in zip(
    panels, (decision.own, decision.shared, decision.agreed), ("alone", "shared", "agreed"), strict=True
):
    show(axes, colors[stage.argmax(axis=1)], f"likeliest colour, {title}")

# %%
# The dial
# --------
#
# From probabilities to a colour there is no single right way. The *mean* of all plausible colours has the smallest
# error and looks dull; the *likeliest* is lively and more often wrong. The option ``vividness`` keeps the mean and
# makes it stronger: that errs less than a likelier colour.

figure, panels = plt.subplots(1, 3, figsize=(12, 2.9), layout="constrained")
for axes, vividness in zip(panels, (0, 0.5, 1), strict=True):
    region_ab = decision.ab(vividness)
    show(axes, region_ab, f"vividness {vividness:g}, mean chroma {np.hypot(*region_ab.T).mean():.1f}")

# %%
# How sure?
# ---------
#
# **Confidence** is the probability that the true colour lies within 20 ab units of the chosen one. Blue is sure,
# orange is a guess. It ranks errors, but weakly: :doc:`/explain` measures how much it is worth.

confidence = decision.confidence(decision.ab())
figure, axes = plt.subplots(figsize=(7, 3.8), layout="constrained")
shown = axes.imshow(confidence[labels], cmap="PuOr", vmin=0.7, vmax=1)
axes.axis("off")
figure.colorbar(shown, label="confidence", shrink=0.85)
print(f"confidence from {confidence.min():.2f} to {confidence.max():.2f}, mean {confidence.mean():.2f}")
