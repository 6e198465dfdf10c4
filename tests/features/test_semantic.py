"""Semantic family: the encoder's maps over regions, the same everywhere, and a damaged encoder noticed."""

import json
import shutil
import subprocess
import sys

import cv2
import numpy as np
import pytest

from colorize.exceptions import ModelFileError
from colorize.features.encoder import STEEPEST, expected_colors, full_range, read_encoder, see
from colorize.features.semantic import pooling, semantic
from colorize.features.superpixels import from_labels, segment
from colorize.models import find_model

FILES = find_model("default").parent


def test_beliefs_are_probabilities_of_the_encoders_colours(textured):
    sight = see(textured.gray)
    assert sight.beliefs.shape[0] == len(expected_colors())
    assert sight.features.shape[1:] == sight.beliefs.shape[1:]
    # 1e-5: float32 sums of 72 numbers
    np.testing.assert_allclose(sight.beliefs.sum(axis=0), 1, atol=1e-5)


def test_the_columns_vary_over_a_photograph_and_have_names(textured):
    values, names = semantic(textured)
    assert values.shape == (textured.superpixels.n_superpixels, len(names))
    assert len(set(names)) == len(names)
    assert (values.std(axis=0) > 0).mean() > 0.9


def test_a_mirrored_photograph_is_believed_to_have_about_the_same_colours(textured, mirrored):
    first = names_of(textured).index("expected a")
    here, there = (semantic(photo)[0][:, first : first + 2] for photo in (textured, mirrored))
    difference = 20 * np.linalg.norm(here - there, axis=1).mean()
    # ab units; the network was taught with mirrored crops, but nothing forces it to agree with itself
    assert difference < 4


def names_of(photo) -> tuple[str, ...]:
    return semantic(photo)[1]


def test_odd_pictures_are_described_too(odd):
    values, _ = semantic(odd)
    assert np.isfinite(values).all()


@pytest.mark.parametrize("shape", [(1, 1), (1, 5000), (3, 200), (700, 500)])
def test_every_size_can_be_seen(shape):
    sight = see(np.full(shape, 0.5, np.float32))
    assert np.isfinite(sight.beliefs).all()


def test_a_faded_photograph_is_seen_as_the_print_was(textured):
    faded = np.float32(0.3) + np.float32(0.5) * textured.gray
    # 1e-3 of a probability: float32 tones of a narrower range
    np.testing.assert_allclose(see(faded).beliefs, see(textured.gray).beliefs, atol=1e-3)


def test_tones_reach_from_black_to_white_but_for_a_few_pixels():
    gray = np.random.default_rng(0).uniform(0.2, 0.7, (80, 120)).astype(np.float32)
    stretched = full_range(gray)
    assert stretched.dtype == np.float32
    assert (stretched.min(), stretched.max()) == (0, 1)
    assert 0.005 <= (stretched == 0).mean() < 0.007
    assert (np.diff(stretched.ravel()[np.argsort(gray.ravel())]) >= 0).all()


@pytest.mark.parametrize("brightness", [0.0, 0.1, 0.5, 1.0])
def test_what_has_hardly_any_tones_keeps_its_brightness(brightness):
    gray = np.clip(brightness + np.linspace(-0.01, 0.01, 100, dtype=np.float32)[None], 0, 1)
    stretched = full_range(gray)
    assert np.ptp(stretched) <= STEEPEST * np.ptp(gray) + 1e-6
    assert abs(float(np.median(stretched)) - brightness) < 0.04


def test_pooling_is_the_mean_of_bilinear_samples():
    rng = np.random.default_rng(0)
    coarse = rng.normal(size=(5, 7)).astype(np.float32)
    labels = rng.integers(0, 6, (40, 63))
    labels[0, :6] = np.arange(6)
    regions = from_labels(labels)
    large = cv2.resize(coarse, (63, 40), interpolation=cv2.INTER_LINEAR)
    expected = [large[regions.labels == i].mean() for i in range(regions.n_superpixels)]
    pool = pooling(regions, coarse.shape)
    # 1e-4: OpenCV rounds its weights to 11 bits
    np.testing.assert_allclose(pool @ coarse.ravel(), expected, atol=1e-3)
    np.testing.assert_allclose(pool.sum(axis=1), 1, atol=1e-5)


@pytest.mark.slow
def test_the_same_bytes_on_any_number_of_threads():
    program = (
        "import sys, cv2, numpy as np; cv2.setNumThreads(int(sys.argv[1]))\n"
        "from colorize.features.encoder import see\n"
        "gray = np.random.default_rng(0).random((120, 160), dtype=np.float32)\n"
        "sys.stdout.buffer.write(see(gray).beliefs.tobytes())"
    )
    answers = [
        subprocess.run([sys.executable, "-c", program, str(n)], capture_output=True, check=True).stdout for n in (1, 2)
    ]
    assert len(answers[0]) > 0
    assert answers[0] == answers[1]


def test_one_flipped_bit_is_noticed(tmp_path):
    network = bytearray((FILES / "encoder.onnx").read_bytes())
    network[len(network) // 2] ^= 1
    (tmp_path / "encoder.onnx").write_bytes(network)
    shutil.copy(FILES / "encoder.json", tmp_path)
    with pytest.raises(ModelFileError, match=r"encoder\.onnx: the encoder of this installation is damaged"):
        read_encoder(tmp_path)


def test_other_colours_are_noticed(tmp_path):
    shutil.copy(FILES / "encoder.onnx", tmp_path)
    note = json.loads((FILES / "encoder.json").read_text(encoding="utf-8"))
    note["colors"][3][0] += 1
    (tmp_path / "encoder.json").write_text(json.dumps(note), encoding="utf-8")
    with pytest.raises(ModelFileError, match="damaged"):
        read_encoder(tmp_path)


def test_a_missing_encoder_is_named(tmp_path):
    with pytest.raises(ModelFileError, match=r"encoder\.onnx: the encoder of this installation cannot be read"):
        read_encoder(tmp_path)


def test_the_regions_of_another_cut_are_described_by_the_same_sight(textured, monkeypatch):
    from colorize.features import PhotoAnalysis, analysis

    sight = textured.sight

    def fail(gray):
        raise AssertionError("the encoder was asked again")

    monkeypatch.setattr(analysis, "see", fail)
    lightness = textured.gray * np.float32(100)
    parts = PhotoAnalysis(lightness, segment(lightness, n_segments=90), sight)
    assert len(semantic(parts)[0]) == parts.superpixels.n_superpixels
