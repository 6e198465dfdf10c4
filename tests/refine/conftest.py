"""What the tests of the networks share: photographs small enough to learn from in a second."""

from __future__ import annotations

import numpy as np
import pytest

from colorize.color import lab_to_rgb
from colorize.types import RgbImage


@pytest.fixture(scope="session", autouse=True)
def one_torch_thread():
    """Keep torch to one thread: the tests share the machine."""
    torch = pytest.importorskip("torch")
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def scenes() -> list[RgbImage]:
    """Eight pictures of 40 x 48 whose colours follow from their lightness: dark is brown, light is blue."""
    rng = np.random.default_rng(0)
    pictures = []
    for _ in range(8):
        lightness = np.full((40, 48), rng.uniform(20, 35), np.float32)
        top = rng.integers(10, 30)
        lightness[:top] = rng.uniform(65, 80)
        lightness += rng.normal(0, 1, lightness.shape).astype(np.float32)
        ab = np.where(lightness[..., None] > 50, np.float32([-5, -30]), np.float32([25, 30]))
        pictures.append(RgbImage(lab_to_rgb(lightness, ab)))
    return pictures


@pytest.fixture(scope="session")
def quick_colorizer(photos):
    """A Colorizer of two families, without a committee of nets: its twins, of which a refiner needs five, are cheap."""
    from colorize.colorizer import Colorizer

    parameters = {"families": ("intensity", "position"), "classifier": "kernel"}
    return Colorizer(n_colors=8, n_superpixels=60, **parameters, random_state=0).fit(photos)


@pytest.fixture(scope="session")
def refiner(tiny_colorizer, photos):
    """A refiner of the tiny colorizer, hardly trained."""
    from colorize.refine.predictor import Refiner

    return Refiner(tiny_colorizer, epochs=1, crop=32, batch_size=5, hold_out=0.2, device="cpu").fit(photos)


@pytest.fixture(scope="session")
def rival(scenes):
    """A small rival, hardly trained."""
    from colorize.refine.predictor import Rival

    return Rival("unet", "classification", epochs=1, crop=32, batch_size=4, device="cpu").fit(scenes)


@pytest.fixture(scope="session")
def network_files(refiner, rival, tiny_model, tmp_path_factory):
    """Model files of every kind in one folder, by kind."""
    folder = tmp_path_factory.mktemp("networks")
    files = {kind: folder / f"{kind}.safetensors" for kind in ("classical", "refiner", "rival")}
    files["classical"].write_bytes(tiny_model.read_bytes())
    refiner.save(files["refiner"])
    rival.save(files["rival"])
    return files
