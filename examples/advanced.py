"""Stages: one box of the architecture after another
=================================================

The same road as with paths, step by step. Each stage is usable alone; between them are plain values. Try another
vividness, another segmentation, or colours of your own in place of the classifier's.
"""

import numpy as np
from sklearn.datasets import load_sample_image

from colorize import Colorizer, RgbImage, find_model, propagate, to_gray, write_photo
from colorize.color import lab_to_rgb
from colorize.features import PhotoAnalysis
from colorize.features.superpixels import region_means, resize_labels, segment
from colorize.recognition.decision import dial, mean_field, share_evidence
from colorize.recognition.palette import mean_color

model = Colorizer.load(find_model("default")).model
gray = to_gray(RgbImage(load_sample_image("flower.jpg")))
lightness = gray.lightness  # L*, 0..100

superpixels = segment(lightness, n_segments=600, compactness=8)
features = model.extractor.transform(PhotoAnalysis(lightness, superpixels))
sizes = {name: columns.stop - columns.start for name, columns in features.families.items()}
print(f"{superpixels.n_superpixels} regions, columns per family: {sizes}")

probabilities = model.region_probabilities(features.values)
region_lightness = region_means(lightness, superpixels)
evidence = share_evidence(probabilities, superpixels, region_lightness)
belief = mean_field(evidence, model.palette.colors_, superpixels, region_lightness)
region_ab = dial(0.5, model.gain) * mean_color(belief, model.palette.colors_)

target_ab = region_ab[resize_labels(superpixels, gray.shape)]
spread = propagate(lightness, target_ab, np.full(gray.shape, 0.03, np.float32))
print(spread.report)

write_photo(RgbImage(lab_to_rgb(lightness, spread.ab)), "flower.stages.png")
