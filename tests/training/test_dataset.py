"""Which photographs are kept, which are left out, and what the report says about them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from colorize.color import lab_to_rgb
from colorize.exceptions import DatasetError
from colorize.io import write_photo
from colorize.recipe.note import Recipe, add_note
from colorize.training import dataset
from colorize.training.dataset import DatasetReport, TrainingSet, load_folder
from colorize.types import PhotoMetadata, RgbImage


def save(pixels, path, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, **options)


@pytest.fixture
def folder(tmp_path, photos):
    """Five different photographs, one of them in a sub-folder."""
    for index, name in enumerate(["a.png", "b.png", "c.png", "d.jpg", "trip/e.png"]):
        save(photos[2 * index].pixels, tmp_path / name)
    return tmp_path


def reasons(training_set):
    return {item.name: item.reason for item in training_set.report.left_out}


def test_all_good_photographs_are_kept(folder, photos):
    found = load_folder(folder)
    assert found.names == ("a.png", "b.png", "c.png", "d.jpg", "trip/e.png")
    np.testing.assert_array_equal(found.photos[1].pixels, photos[2].pixels)
    assert found.report == DatasetReport(n_files=5, n_examined=5, n_used=5, left_out=())
    assert len(found) == 5


def test_every_reason_is_reported(folder, photos):
    good = photos[0].pixels
    gray = np.repeat(good.mean(axis=2, keepdims=True), 3, axis=2).astype(np.uint8)
    lightness = np.linspace(5, 95, 128, dtype=np.float32)[:, None].repeat(128, axis=1)
    sepia = np.stack([0.1 * lightness, 0.3 * lightness], axis=2)
    random = np.random.default_rng(0).integers(0, 256, (128, 128, 3), np.uint8)
    dark = random.copy()
    dark[:120] = 2
    transparent = np.dstack([random, np.zeros((128, 128), np.uint8)])
    save(gray, folder / "x_gray.png")
    save(lab_to_rgb(lightness, sepia), folder / "x_sepia.png")
    save(dark, folder / "x_dark.png")
    save(255 - dark, folder / "x_bright.png")
    save(good[:50], folder / "x_small.png")
    save(transparent, folder / "x_transparent.png")
    save(good, folder / "x_copy.jpg", quality=60)
    save(good[:, ::-1], folder / "x_mirror.png")
    (folder / "x_broken.jpg").write_bytes(b"no photograph at all")
    found = load_folder(folder)
    assert reasons(found) == {
        "x_gray.png": "gray",
        "x_sepia.png": "toned",
        "x_dark.png": "too dark",
        "x_bright.png": "too bright",
        "x_small.png": "too small",
        "x_transparent.png": "transparent",
        "x_copy.jpg": "duplicate",
        "x_mirror.png": "duplicate",
        "x_broken.jpg": "unreadable",
    }
    assert len(found) == 5
    assert sum(found.report.counts.values()) == 9
    text = str(found.report)
    assert "5 photographs used; 14 of 14 files examined" in text
    assert "same picture as a.png" in text
    assert "mirror image of a.png" in text
    for item in found.report.left_out:
        assert sum(item.name in line for line in text.splitlines()) == 1
        assert "\n" not in item.detail


@pytest.mark.parametrize("damage", [b"", b"version"])
def test_nothing_is_learnt_from_or_measured_with_colours_that_a_model_guessed(folder, photos, damage):
    note = add_note(None, Recipe("default", "ab" * 32, "1.0", 0, 0.5))
    note = note.replace(damage, b"nothing") if damage else note
    write_photo(RgbImage(photos[1].pixels, metadata=PhotoMetadata(xmp=note)), folder / "a.colorized.png")
    for select in (True, False):  # measured with them, a model would be told how well it guesses like another
        found = load_folder(folder, select=select)
        assert reasons(found) == {"a.colorized.png": "colorized"}
        assert len(found) == 5


def test_measuring_keeps_what_training_leaves_out(folder, photos):
    save(photos[0].pixels, folder / "copy.png")
    save(np.zeros((128, 128, 3), np.uint8), folder / "black.png")
    (folder / "broken.jpg").write_bytes(b"")
    found = load_folder(folder, select=False)
    assert len(found) == 7
    assert reasons(found) == {"broken.jpg": "unreadable"}


def test_a_rescaled_copy_is_a_duplicate_and_another_crop_is_not(tmp_path, pictures):
    china = pictures["china"]
    save(china, tmp_path / "a.png")
    Image.fromarray(china).resize((300, 200)).save(tmp_path / "b.jpg", quality=50)
    save(china[:, 200:], tmp_path / "c.png")
    assert reasons(load_folder(tmp_path)) == {"b.jpg": "duplicate"}


def test_large_photographs_are_averaged_down(tmp_path, photos):
    block = photos[0].pixels.repeat(4, axis=0).repeat(4, axis=1)  # 480 x 640
    save(block, tmp_path / "a.png")
    save(photos[2].pixels, tmp_path / "b.png")
    found = load_folder(tmp_path, max_side=160)
    assert [photo.shape for photo in found.photos] == [(120, 160), (120, 160)]
    np.testing.assert_array_equal(found.photos[0].pixels, photos[0].pixels)


def test_a_strip_that_gets_too_narrow_is_too_small(tmp_path, photos):
    save(photos[0].pixels.repeat(20, axis=1), tmp_path / "strip.png")  # 120 x 3200, 24 x 640 when scaled
    with pytest.raises(DatasetError, match="too small"):
        load_folder(tmp_path)


def test_sixteen_bits_become_eight(tmp_path, monkeypatch, photos):
    wide = RgbImage(photos[0].pixels.astype(np.uint16) * 257)
    save(photos[0].pixels, tmp_path / "a.png")
    monkeypatch.setattr(dataset, "read_photo", lambda path: wide)
    found = load_folder(tmp_path, select=False)
    np.testing.assert_array_equal(found.photos[0].pixels, photos[0].pixels, strict=True)


def test_little_transparency_is_accepted(tmp_path, photos):
    alpha = np.full((120, 160), 255, np.uint8)
    alpha[:5] = 0
    save(np.dstack([photos[0].pixels, alpha]), tmp_path / "a.png")
    found = load_folder(tmp_path, select=False)
    assert found.photos[0].alpha is None


def test_limit_is_a_seeded_sample_of_what_is_usable(folder):
    for name in "fghij":
        (folder / f"{name}.png").write_bytes(b"broken")
    seen = set()
    for seed in range(8):
        found = load_folder(folder, limit=3, random_state=seed)
        assert len(found) == 3
        assert list(found.names) == sorted(found.names)
        assert found.names == load_folder(folder, limit=3, random_state=seed).names
        assert found.report.n_examined == 3 + len(found.report.left_out)
        seen.update(found.names)
    assert seen == {"a.png", "b.png", "c.png", "d.jpg", "trip/e.png"}


def test_limit_above_the_number_of_files_takes_all(folder):
    assert load_folder(folder, limit=100).names == load_folder(folder).names


def test_progress_reaches_its_end(folder):
    calls = []
    load_folder(folder, progress=lambda *call: calls.append(call))
    assert [done for _, done, _ in calls] == [1, 2, 3, 4, 5]
    assert {(stage, total) for stage, _, total in calls} == {("reading photographs", 5)}


def test_missing_empty_and_poor_folders_are_refused(tmp_path, photos):
    with pytest.raises(DatasetError, match=r"nowhere: no such folder"):
        load_folder(tmp_path / "nowhere")
    with pytest.raises(DatasetError, match="holds no photographs"):
        load_folder(tmp_path)
    save(photos[0].pixels, tmp_path / "one.png")
    with pytest.raises(DatasetError, match=r"1 of 1 photographs usable.*at least 2 needed"):
        load_folder(tmp_path)
    save(photos[0].pixels, tmp_path / "two.png")
    with pytest.raises(DatasetError, match=r"1 of 2 photographs usable \(1 duplicate\)"):
        load_folder(tmp_path)
    with pytest.raises(DatasetError, match="is not a folder"):
        load_folder(tmp_path / "one.png")
    assert len(load_folder(tmp_path, select=False)) == 2


@pytest.mark.parametrize("wrong", [{"limit": 0}, {"limit": -1}, {"max_side": 0}, {"max_side": 63}])
def test_sizes_are_checked(folder, wrong):
    with pytest.raises(ValueError, match="must be at least"):
        load_folder(folder, **wrong)


def numbered_set(size):
    photos = tuple(RgbImage(np.full((1, 1, 3), index, np.uint8)) for index in range(size))
    return TrainingSet(photos, tuple(f"{index:03}" for index in range(size)), DatasetReport(size, size, size, ()))


@settings(max_examples=60)
@given(
    size=st.integers(2, 40),
    fraction=st.floats(0, 1, exclude_min=True, exclude_max=True),
    seed=st.integers(0, 100),
)
def test_split_loses_and_doubles_nothing(size, fraction, seed):
    whole = numbered_set(size)
    kept, held_out = whole.split(fraction, random_state=seed)
    assert sorted(kept.names + held_out.names) == list(whole.names)
    assert min(len(kept), len(held_out)) >= 1
    assert abs(len(held_out) - fraction * size) <= 1
    for part in (kept, held_out):
        assert [int(name) for name in part.names] == [photo.pixels[0, 0, 0] for photo in part.photos]
        assert list(part.names) == sorted(part.names)
    assert held_out.names == whole.split(fraction, random_state=seed)[1].names


def test_split_depends_on_the_seed():
    whole = numbered_set(20)
    assert len({whole.split(0.5, random_state=seed)[1].names for seed in range(5)}) == 5


@pytest.mark.parametrize("fraction", [0, 1, -0.5, 2, float("nan")])
def test_split_refuses_other_fractions(fraction):
    with pytest.raises(ValueError, match="fraction"):
        numbered_set(3).split(fraction)


def test_a_single_photograph_cannot_be_split():
    with pytest.raises(ValueError, match="cannot be split"):
        numbered_set(1).split(0.5)


@pytest.mark.data
def test_real_photographs_are_nearly_all_kept(data_folder):
    found = load_folder(data_folder / "bsds500" / "val", limit=30)
    assert len(found) == 30
    assert len(found.report.left_out) <= 1


@pytest.mark.slow
@pytest.mark.data
def test_old_prints_cannot_teach_colours(data_folder):
    found = load_folder(data_folder / "legacy", max_side=320, select=True)
    assert found.report.counts.get("gray", 0) >= 10
    assert found.report.counts.get("toned", 0) >= 2
