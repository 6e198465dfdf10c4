"""The app, in this process without its page, and in one of its own with real browsers that visit it."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import time
import urllib.request
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from colorize.app.core import Core
from colorize.app.service import Service
from colorize.app.uploads import Limits

CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    *("--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--no-first-run"),
]
PATIENCE = 60_000  # milliseconds; on a busy machine everything takes its time


class App:
    """The app, running."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.models = folder / "models"
        self.log = folder / "log.txt"
        environment = os.environ | {"TMPDIR": str(folder), "OMP_NUM_THREADS": "1"}
        command = [
            sys.executable,
            "-u",
            "-c",
            "from colorize.cli import main; main()",
            "app",
            "--no-browser",
            "--port",
            "0",
        ]
        command += ["--models", str(self.models), "--max-upload", "20MB", *options]
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT)
        self.address = self._wait()

    def _wait(self) -> str:
        for _ in range(600):
            text = self.log.read_text(encoding="utf-8")
            if "runs at " in text:
                address = text.split("runs at ")[1].split(" ")[0]
                with urllib.request.urlopen(address, timeout=60) as answer:
                    assert answer.status == 200
                return address
            assert self.process.poll() is None, text
            time.sleep(0.2)
        raise AssertionError("the app did not start")

    def memory(self) -> float:
        """Resident memory in MB; 0 where the system does not tell."""
        status = Path(f"/proc/{self.process.pid}/status")
        lines = status.read_text().splitlines() if status.is_file() else []
        return next((int(line.split()[1]) / 1000 for line in lines if line.startswith("VmRSS")), 0.0)

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(30)


class Visitor:
    """A page in a browser, and everything that must not happen in it."""

    def __init__(self, browser, address: str, **options) -> None:
        self.wrong: list[str] = []
        self.context = browser.new_context(**({"viewport": {"width": 1440, "height": 950}} | options))
        self.page = self.context.new_page()
        self.page.set_default_timeout(PATIENCE)
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.wrong.append(f"page error: {error}"))
        self.page.on("request", lambda request: self._watch(request.url, address))
        self.page.goto(address)
        self.page.wait_for_selector("#samples button")
        self.page.wait_for_selector("#card .palette")

    def _hear(self, message) -> None:
        if message.type == "error":
            self.wrong.append(f"console: {message.text}")

    def _watch(self, url: str, address: str) -> None:
        if not url.startswith((address, "data:", "blob:")):
            self.wrong.append(f"request to another host: {url}")

    def open(self, path: Path) -> None:
        """Upload a photograph and wait for its colours."""
        before = self.version()
        self.page.set_input_files("#upload input", str(path))
        self.wait_for_version(before + 1)

    def reload(self) -> None:
        """Load the page again, also while it waits for an answer, of which Gradio says that it was cut off."""
        self.page.reload()
        self.page.wait_for_selector("#card .palette")
        said = ("signal is aborted", "BodyStreamBuffer was aborted", "Connection errored out")
        self.wrong = [line for line in self.wrong if not any(words in line for words in said)]

    def step(self, name: str) -> None:
        """Go to a tab of the photograph."""
        self._tab("#steps", name)

    def room(self, name: str) -> None:
        """Go to a tab of the app."""
        self._tab("#rooms", name)

    def _tab(self, group: str, name: str) -> None:
        tab = self.page.locator(group).get_by_role("tab", name=name, exact=True).first
        if tab.is_visible():
            tab.click()
        else:  # on a narrow screen
            self.page.locator(group).get_by_label("More tabs").first.click()
            self.page.locator(f"{group} .overflow-dropdown").get_by_text(name, exact=True).click()
        self.page.wait_for_timeout(300)

    def version(self) -> int:
        """How many pictures the stage has shown."""
        return int(self.page.evaluate("document.querySelector('.stage').dataset.version || 0"))

    def wait_for_version(self, number: int) -> None:
        self.page.wait_for_function(
            f"Number(document.querySelector('.stage').dataset.version) >= {number} "
            "&& !document.querySelector('.stage').classList.contains('busy')"
        )

    def picture(self, name: str = "color") -> np.ndarray:
        """What the stage shows, (H, W, 3) uint8."""
        import base64

        address = self.page.evaluate(f"document.querySelector('.stage img.{name}').src")
        return np.asarray(Image.open(io.BytesIO(base64.b64decode(address.partition(",")[2]))))

    def place(self, row: float, col: float) -> tuple[float, float]:
        """Where a share of the photograph's height and width lies in the window, as x and y."""
        frame = self.page.locator(".stage .frame")
        frame.scroll_into_view_if_needed()
        box = frame.bounding_box()
        return box["x"] + col * box["width"], box["y"] + row * box["height"]

    def paint(self, row: float, col: float, *, length: float = 0.08) -> None:
        """One stroke with the mouse."""
        x, y = self.place(row, col)
        x2, _ = self.place(row, col + length)
        self.page.mouse.move(x, y)
        self.page.mouse.down()
        self.page.mouse.move((x + x2) / 2, y, steps=3)
        self.page.mouse.move(x2, y, steps=3)
        self.page.mouse.up()

    def drop(self, selector: str, path: Path) -> bool:
        """Drop a file on an element, as from a window of files; tells whether the browser was kept from opening it."""
        import base64

        content = base64.b64encode(path.read_bytes()).decode()
        files = self.page.evaluate_handle(
            """([content, name]) => {
                const bytes = Uint8Array.from(atob(content), (c) => c.charCodeAt(0));
                const files = new DataTransfer();
                files.items.add(new File([bytes], name));
                return files;
            }""",
            [content, path.name],
        )
        # a part of the page that is just being drawn anew is not where a person could drop a file
        return self.page.wait_for_function(
            """([selector, files]) => {
                const element = document.querySelector(selector);
                return element && ['dragover', 'drop'].every((name) => !element.dispatchEvent(
                    new DragEvent(name, {dataTransfer: files, bubbles: true, cancelable: true})));
            }""",
            arg=[selector, files],
        ).json_value()

    def n_strokes(self) -> int:
        """Strokes that the page knows of."""
        return int(self.page.evaluate("Number(document.querySelector('.stage').dataset.marks)"))

    def close(self) -> None:
        self.context.close()
        assert self.wrong == []


@pytest.fixture(scope="session")
def browse():
    """Start a browser: a function, so that several can be started."""
    if not Path(CHROMIUM).is_file():
        pytest.skip("Chromium is not installed")
    pytest.importorskip("gradio", reason="the extra app is not installed")
    playwright = pytest.importorskip("playwright.sync_api", reason="the extra browser is not installed")
    with playwright.sync_playwright() as driver:
        yield lambda: driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)


@pytest.fixture(scope="session")
def app(browse, tmp_path_factory):
    """The app, started once for all tests."""
    app = App(tmp_path_factory.mktemp("app"))
    yield app
    app.stop()
    assert not list(app.models.parent.glob("colorize-app-*")), "temporary files were left behind"


@pytest.fixture
def guarded_app(browse, tmp_path):
    """Another one, that asks for a password."""
    app = App(tmp_path, "--auth", "anna:secret")
    yield app
    app.stop()


@pytest.fixture(scope="session")
def browser(browse):
    browser = browse()
    yield browser
    browser.close()


@pytest.fixture
def visit(app, browser):
    """Visit the app; at the end nothing may have gone wrong in the page."""
    visitors, others = [], []

    def visit(other=None, **options) -> Visitor:
        others.extend([other] if other else [])
        visitors.append(Visitor(other or browser, app.address, **options))
        return visitors[-1]

    yield visit
    try:
        for visitor in visitors:
            visitor.close()
    finally:
        for other in others:
            other.close()


@pytest.fixture(scope="session")
def cat_photo(pictures, tmp_path_factory) -> Path:
    """A colour photograph of 1200 x 800 with EXIF."""
    exif = Image.Exif()
    exif[0x010F] = "Grandfather's camera"
    path = tmp_path_factory.mktemp("photos") / "our cat.jpg"
    picture = Image.fromarray(pictures["chelsea"]).resize((1200, 800), Image.Resampling.LANCZOS)
    picture.save(path, exif=exif, quality=95)
    return path


@pytest.fixture(scope="session")
def crops(pictures, tmp_path_factory) -> Path:
    """A zip of 24 small crops, and a note that is no photograph."""
    path = tmp_path_factory.mktemp("photos") / "crops.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, pixels in sorted(pictures.items()):
            height, width = pixels.shape[:2]
            for number, (row, col) in enumerate(
                ((0, 0), (0, width - 200), (height - 150, 0), (height - 150, width - 200))
            ):
                buffer = io.BytesIO()
                Image.fromarray(pixels[row : row + 150, col : col + 200]).save(buffer, "PNG")
                archive.writestr(f"{name} {number}.png", buffer.getvalue())
        archive.writestr("note.txt", "not a photograph")
    return path


@pytest.fixture
def service(tmp_path, tiny_model):
    """A service whose only model of its own is the tiny one."""
    folder = tmp_path / "models"
    folder.mkdir()
    (folder / "tiny.safetensors").write_bytes(tiny_model.read_bytes())
    service = Service(Core(folder, limits=Limits(file_bytes=3_000_000, pixels=3_000_000)))
    yield service
    service.core.close()


@pytest.fixture
def photo_file(tmp_path, pictures):
    """A photograph with EXIF, larger than what is edited."""
    pixels = np.kron(pictures["chelsea"], np.ones((2, 2, 1), np.uint8))[100:460, 300:780]
    exif = Image.Exif()
    exif[0x010F] = "Grandfather's camera"
    path = tmp_path / "Oma & Opa.jpg"
    Image.fromarray(pixels).save(path, exif=exif, quality=95, dpi=(300, 300))
    return path


@pytest.fixture
def opened(service, photo_file, monkeypatch):
    """The service with that photograph opened by visitor v, with the tiny model, and edited at a tiny size."""
    monkeypatch.setattr("colorize.app.pictures.PROXY_SIDE", 256)
    service.editor.set_style("v", model="tiny")
    service.editor.open_photo("v", photo_file)
    return service
