"""Real old photographs through the default model: their size, and a lightness that nothing touches."""

import numpy as np
import pytest

from colorize import Colorizer, find_model, read_photo, to_gray, write_photo
from colorize.color import rgb_to_lightness
from colorize.io import find_photos

pytestmark = pytest.mark.data


@pytest.fixture(scope="module")
def model():
    return Colorizer.load(find_model("default"))


@pytest.fixture(scope="module")
def legacy(data_folder):
    """Paths from small files to large ones."""
    folder = data_folder / "legacy"
    return sorted((path for path in find_photos(folder) if path.parent == folder), key=lambda path: path.stat().st_size)


def check_lightness(path, model, folder):
    photo = read_photo(path)
    gray = to_gray(photo)
    result = model.predict(gray)
    assert result.image.shape == photo.shape
    allowed = 0.3 if photo.bit_depth == 8 else 0.01  # L*, the rounding of dark colours to code values
    assert np.abs(rgb_to_lightness(result.rgb) - gray.lightness).max() <= allowed
    for suffix, worst, mean in ((".png", 0.3, 0.3), (".tif", 0.3, 0.3), (".webp", 0.3, 0.3), (".jpg", np.inf, 0.6)):
        file = folder / f"out{suffix}"
        write_photo(result.image, file, overwrite=True)
        change = np.abs(rgb_to_lightness(read_photo(file).pixels) - gray.lightness)
        assert change.max() <= worst, f"{path.name} as {suffix}"
        assert change.mean() <= mean, f"{path.name} as {suffix}"


@pytest.mark.slow
def test_small_old_photographs_keep_size_and_lightness(legacy, model, tmp_path):
    for path in legacy[:6]:
        check_lightness(path, model, tmp_path)


@pytest.mark.slow
def test_the_other_old_photographs_keep_size_and_lightness(legacy, model, tmp_path):
    assert len(legacy) == 22
    for path in legacy[6:]:
        check_lightness(path, model, tmp_path)
