"""
4. Probabilities: what could this region be?
============================================

Now every region has its row of features, and there is a list of colours. A **classifier** learns from the regions of
the training photographs, whose colours are known, and answers for a new region: how probable is each colour?

Here it is a **support vector machine** with a Gaussian kernel. It keeps a number of training regions, the *landmarks*;
how much a new region resembles each of them decides how strongly each colour is voted for. The votes are *calibrated*:
turned into probabilities that are right as often as they say, on photographs that the machine has not seen
(:ref:`Platt 1999 <platt1999>` is the classic of this idea). Six small neural nets and the
:doc:`encoder </encoder>` vote beside it.
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

probabilities = model.region_probabilities(described.features.values)
n_regions, n_colors = probabilities.shape
print(f"{n_regions} regions x {n_colors} colours, each row sums to {probabilities[0].sum():.3f}")

# %%
# Three places, and what the classifier thinks of each. The bars are in the very colours that they stand for.

places = {"sky": (40, 450), "roof": (112, 190), "trees": (370, 60)}
swatches = lab_to_rgb(np.full(len(model.palette.colors_), 60, np.float32), model.palette.colors_) / 255

figure, (top, *panels) = plt.subplots(1, 4, figsize=(12, 3), layout="constrained", width_ratios=(1.6, 1, 1, 1))
top.imshow(gray.lightness, cmap="gray", vmin=0, vmax=100)
top.axis("off")
for axes, (name, (row, col)) in zip(panels, places.items(), strict=True):
    top.plot(col, row, "o", ms=9, mfc="none", mec="orange", mew=2)
    top.annotate(name, (col, row), (6, 6), textcoords="offset points", color="orange")
    opinion = probabilities[labels[row, col]]
    likeliest = np.argsort(opinion)[::-1][:8]
    axes.barh(range(8), opinion[likeliest], color=swatches[likeliest], edgecolor="black", linewidth=0.4)
    axes.set(title=name, yticks=[], xlim=(0, 0.8), xlabel="probability")
    axes.invert_yaxis()

# %%
# Seldom is one colour sure. That is honest: nobody knows the colour of a roof from its lightness. How unsure the
# opinion is can be said in one number, its *entropy*; here in bits, 0 if one colour is certain, 5 if all 32 are alike.

entropy = -(probabilities * np.log2(np.maximum(probabilities, 1e-12))).sum(axis=1)
figure, (left, middle, right) = plt.subplots(1, 3, figsize=(12, 2.9), layout="constrained")
likeliest = model.palette.colors_[probabilities.argmax(axis=1)]
mean = probabilities @ model.palette.colors_
for axes, title, ab in ((left, "the likeliest colour", likeliest), (middle, "the mean of all colours", mean)):
    axes.imshow(lab_to_rgb(described.lightness, ab[labels].astype(np.float32)))
    axes.set_title(title)
shown = right.imshow(entropy[labels], cmap="cividis", vmin=0, vmax=5)
right.set_title("entropy, bits")
figure.colorbar(shown, ax=right, shrink=0.8)
for axes in (left, middle, right):
    axes.axis("off")

# %%
# Neither of the two pictures is good. The likeliest colours are patchy, because every region answered alone; the means
# are pale. The next stage finds something better in the same numbers. To see *why* a region got its probabilities, ask
# ``colorize explain`` (:doc:`/explain`). The reference is :mod:`colorize.training.classifier`.
