"""What all tests share: small real photographs, a tiny trained model, the folder of test photographs."""

from __future__ import annotations

import os
import shutil
import signal
from importlib.util import find_spec
from pathlib import Path

for library in ("OMP", "OPENBLAS"):  # threads of small sums wait for each other: twice the CPU time for nothing
    os.environ.setdefault(f"{library}_NUM_THREADS", "1")

import numpy as np  # noqa: E402  - it reads them
import pytest  # noqa: E402
from hypothesis import settings  # noqa: E402

from colorize.types import RgbImage  # noqa: E402

DATA_FOLDER = Path(__file__).resolve().parents[1].parent / "shared" / "data"

settings.register_profile("colorize", deadline=None)  # wall time says nothing on a busy machine
settings.load_profile("colorize")

# What a shell started in the background ignores Ctrl-C, and so would the programs that tests start and interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser):
    parser.addoption(
        "--require-data",
        action="store_true",
        help="fail if ../shared/data is there, but no test that needs it was run to its end",
    )
    parser.addoption(
        "--require-browser",
        action="store_true",
        help="fail if Chromium, playwright and gradio are there, but no test that needs them was run to its end",
    )
    parser.addoption(
        "--require",
        action="append",
        default=[],
        metavar="MARKER",
        help="fail if no test with this marker was run to its end",
    )
    parser.addoption("--passed-to", metavar="FILE", help="write the names of the tests that pass to FILE")
    parser.addoption(
        "--passed-in",
        metavar="FILE",
        help="leave out the tests named in FILE, but for those marked `extras`: what runs, does so the same twice",
    )


class Passed:
    """Writes which tests passed; what was skipped for want of a library is not among them."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.outcomes: dict[str, bool] = {}

    def pytest_runtest_logreport(self, report):
        self.outcomes[report.nodeid] = report.passed and self.outcomes.get(report.nodeid, True)  # setup, call, teardown

    def pytest_sessionfinish(self):
        names = (name for name, passed in self.outcomes.items() if passed)
        self.path.write_text("".join(f"{name}\n" for name in names), encoding="utf-8")


def pytest_collection_modifyitems(config, items):
    path = config.getoption("--passed-in")
    if path is not None:
        passed = set(Path(path).read_text(encoding="utf-8").splitlines())
        again = [item for item in items if item.nodeid not in passed or item.get_closest_marker("extras")]
        config.hook.pytest_deselected(items=[item for item in items if item not in again])
        items[:] = again
    # Files that take long first: of several processes none is left with one of them in the end.
    marks = ("slow", "browser")
    long = {item.path for item in items if any(map(item.get_closest_marker, marks))}
    items.sort(key=lambda item: item.path not in long)


class Watch:
    """Fails the session if no test with a mark was run to its end; `because` says why one should have been."""

    def __init__(self, mark: str, because: str = "") -> None:
        self.mark = mark
        self.because = because
        self.run = 0
        self.skipped = 0

    def pytest_runtest_logreport(self, report):
        if self.mark in report.keywords:
            self.run += report.when == "call" and not report.skipped
            self.skipped += report.skipped

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session):
        if not self.run and session.exitstatus == 0:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter):
        if not self.run:
            line = f"{self.because}no {self.mark} test ran ({self.skipped} skipped)"
            terminalreporter.write_line(line, red=True)


def can_browse() -> bool:
    """Whether everything is there that the tests with the mark `browser` need."""
    return bool(shutil.which("chromium")) and all(map(find_spec, ("playwright", "gradio")))


def pytest_configure(config):
    watches = [Watch(mark) for mark in config.getoption("--require")]
    if config.getoption("--require-data") and DATA_FOLDER.is_dir():
        watches.append(Watch("data", "../shared/data is there, but "))
    if config.getoption("--require-browser") and can_browse():
        watches.append(Watch("browser", "Chromium, playwright and gradio are there, but "))
    # Each worker process is told the same options; the one that starts them hears of all tests.
    path = config.getoption("--passed-to")
    written = [Passed(Path(path))] if path is not None and not hasattr(config, "workerinput") else []
    for plugin in (*watches, *written):
        config.pluginmanager.register(plugin)


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """The photographs beside the checkout; tests that ask for it are marked `data`."""
    if not DATA_FOLDER.is_dir():
        pytest.skip("the test photographs ../shared/data are not there")
    return DATA_FOLDER


@pytest.fixture(scope="session")
def pictures() -> dict[str, np.ndarray]:
    """Colour photographs that come with scikit-image and scikit-learn, uint8 sRGB, by name."""
    import skimage.data
    from sklearn.datasets import load_sample_images

    samples = load_sample_images()
    names = [Path(name).stem for name in samples.filenames]
    found = dict(zip(names, samples.images, strict=True))
    return found | {name: getattr(skimage.data, name)() for name in ("astronaut", "chelsea", "coffee", "rocket")}


@pytest.fixture(scope="session")
def photos(pictures) -> list[RgbImage]:
    """Twelve small real colour photographs, 120 x 160: two crops of each picture, halved in size."""
    crops = []
    for name in sorted(pictures):
        pixels = pictures[name]
        for row, col in ((0, 0), (pixels.shape[0] - 240, pixels.shape[1] - 320)):
            crop = pixels[row : row + 240, col : col + 320].reshape(120, 2, 160, 2, 3)
            crops.append(RgbImage(crop.mean(axis=(1, 3)).round().astype(np.uint8)))
    return crops


@pytest.fixture(scope="session")
def tiny_colorizer(photos):
    """A Colorizer trained on the twelve small photographs: quick, and no good at its job."""
    from colorize.colorizer import Colorizer

    return Colorizer(n_colors=8, n_superpixels=60, random_state=0).fit(photos)


@pytest.fixture(scope="session")
def tiny_model(tiny_colorizer, tmp_path_factory) -> Path:
    """The file of `tiny_colorizer`."""
    path = tmp_path_factory.mktemp("model") / "tiny.safetensors"
    tiny_colorizer.save(path)
    return path


@pytest.fixture
def workplace(tmp_path, monkeypatch):
    """An empty current folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def nothing_registered(monkeypatch):
    """No feature families but those of the package; what a test registers goes with it."""
    from colorize.features import registry

    monkeypatch.setattr(registry, "_own", {})


@pytest.fixture
def run():
    """Run a command line and check its exit status."""
    from click.testing import CliRunner

    from colorize.cli import main

    def run(*arguments, status=0):
        result = CliRunner().invoke(main, [str(argument) for argument in arguments])
        assert result.exit_code == status, result.output
        assert isinstance(result.exception, (SystemExit, type(None))), result.exception
        return result

    return run
