"""
7. The result, and why its lightness never changes
==================================================

The last step joins what was given and what was found: L* of the photograph, a* and b* of the solution. That sounds
like nothing, but it is a promise of this package: **the lightness of no pixel changes.** Whatever the model gets
wrong, it gets wrong in colour; the drawing of the photograph, every grain and every face, stays as it was.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_sample_image

from colorize import Colorizer, RgbImage, find_model, to_gray
from colorize.color import lab_to_linear_rgb, lab_to_rgb, map_to_gamut, rgb_to_lab, rgb_to_lightness

photo = RgbImage(load_sample_image("china.jpg"))
gray = to_gray(photo)
result = Colorizer.load(find_model("default")).predict(gray)

figure, panels = plt.subplots(1, 3, figsize=(12, 2.9), layout="constrained")
plain = lab_to_rgb(gray.lightness, np.zeros((*gray.shape, 2), np.float32))
for axes, pixels, title in zip(panels, (plain, result.rgb, photo.pixels), ("given", "result", "true"), strict=True):
    axes.imshow(pixels)
    axes.set_title(title)
    axes.axis("off")

# %%
# Measured
# --------
#
# L* of the written pixels, minus L* of the photograph, for all 273,280 of them:

difference = rgb_to_lightness(result.rgb) - gray.lightness
print(f"largest change of L*: {np.abs(difference).max():.3f}, mean {np.abs(difference).mean():.3f}")

# %%
# Not zero, because a pixel of 8 bits can only have 256 levels per channel: this is the rounding. What would be the
# same picture in 16 bits changes by less than a hundredth of that:

fine = lab_to_rgb(gray.lightness, result.ab, bit_depth=16)
print(f"in 16 bits: {np.abs(rgb_to_lightness(fine) - gray.lightness).max():.4f}")

# %%
# Why it has to be done with care
# -------------------------------
#
# A screen mixes red, green and blue light, each from none to full. Not every triple of L*, a* and b* can be mixed that
# way; those that can are the **gamut** of sRGB. A light, strong blue cannot: full blue light alone is dark, and
# whoever adds light to it adds white. What happens with a colour outside? Most programs *clip*: they cut each channel
# at its limits. That changes the lightness too.
#
# Here is a row of pixels of L* = 70 that become bluer and bluer.

chroma = np.linspace(0, 100, 256, dtype=np.float32)
lightness = np.full(256, 70, np.float32)
ab = np.stack([0.3 * chroma, -0.954 * chroma], axis=-1)

linear = np.clip(lab_to_linear_rgb(lightness, ab), 0, 1)
clipped = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
kept = lab_to_rgb(lightness, ab)

figure, (left, right) = plt.subplots(1, 2, figsize=(12, 3), layout="constrained")
left.imshow(np.repeat(np.stack([clipped, kept / 255]), 40, axis=0).reshape(80, 256, 3), extent=(0, 100, 0, 30))
left.set(xlabel="chroma asked for", yticks=(7.5, 22.5), yticklabels=("chroma gives way", "clipped"))
right.plot(chroma, rgb_to_lab(clipped)[:, 0], "--", color="tab:red", label="clipped")
right.plot(chroma, rgb_to_lightness(kept), color="tab:blue", label="chroma gives way")
right.set(xlabel="chroma asked for", ylabel="L* that comes out", ylim=(55, 75))
right.legend()
print(f"clipped, L* moves by up to {np.abs(rgb_to_lab(clipped)[:, 0] - 70).max():.1f}")
print(f"with chroma giving way, by {np.abs(rgb_to_lightness(kept) - 70).max():.2f}")

# %%
# The rule of this package: a colour outside the gamut **loses chroma at constant hue** until it fits. The colour
# becomes paler, never lighter or darker. :func:`colorize.color.map_to_gamut` finds the strongest colour that fits:

print("asked for ", ab[-1].round(1).tolist(), "at L* 70")
print("shown     ", map_to_gamut(70, ab[-1]).round(1).tolist())

# %%
# How much room there is depends on lightness: little near black and white, most in between, and differently for every
# hue. This is why very light and very dark things stay pale, however sure the model is.

figure, panels = plt.subplots(1, 4, figsize=(12, 3.1), layout="constrained", sharey=True)
grid = np.stack(np.meshgrid(np.arange(-110.0, 111), np.arange(-110.0, 111)), axis=-1).astype(np.float32)
for axes, level in zip(panels, (15, 40, 70, 95), strict=True):
    light = np.full(grid.shape[:2], level, np.float32)
    mixed = lab_to_linear_rgb(light, grid)
    inside = ((mixed >= 0) & (mixed <= 1)).all(axis=-1, keepdims=True)
    shown = np.concatenate([lab_to_rgb(light, grid) / 255, inside], axis=-1)
    axes.imshow(shown, extent=(-110, 110, 110, -110))
    axes.set(title=f"L* = {level}", xlabel="a*", ylim=(-110, 110))
panels[0].set_ylabel("b*")

# %%
# Why lightness, of all things?
# -----------------------------
#
# Because it is the one thing that is *known*. A grayscale photograph is a measurement of how light things were; the
# colours are an opinion. An opinion must not alter a measurement. It has practical sides too: a result can be turned
# back into the photograph it came from, two results of one photograph can be compared pixel by pixel, and a face never
# loses its likeness.
#
# Lossy files add their own loss when they are written: JPEG changes L* by 0.6 at most in the mean, PNG and TIFF by
# nothing beyond the rounding. The reference is :mod:`colorize.color`.
