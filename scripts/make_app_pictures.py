"""Draw the screenshots of docs/app.md: the real app, photographs of scikit-image and scikit-learn, Debian's Chromium.

Needs the extras `app` and `browser`. Run it from the top of the checkout: ``python scripts/make_app_pictures.py``.
"""

from __future__ import annotations

import io
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.app.conftest import CHROMIUM, FLAGS, App, Visitor  # noqa: E402

IMAGES = ROOT / "docs" / "images"


def keep(visitor: Visitor, name: str, width: int, *, height: int | None = None) -> None:
    """Write what the window shows as a small JPEG."""
    visitor.page.wait_for_timeout(1200)
    picture = Image.open(io.BytesIO(visitor.page.screenshot(full_page=height is None))).convert("RGB")
    if height is not None:
        picture = picture.crop((0, 0, picture.width, min(height, picture.height)))
    scaled = picture.resize((width, round(width * picture.height / picture.width)), Image.Resampling.LANCZOS)
    scaled.save(IMAGES / f"app-{name}.jpg", quality=82, optimize=True)


def crops(folder: Path) -> list[Path]:
    """Forty crops to train on: the photographs that come with scikit-image and scikit-learn."""
    import skimage.data
    from sklearn.datasets import load_sample_images

    pictures = [*load_sample_images().images, skimage.data.astronaut(), skimage.data.chelsea(), skimage.data.coffee()]
    paths = []
    for number, pixels in enumerate(pictures):
        height, width = pixels.shape[:2]
        for k in range(8):
            row, col = (height - 200) * (k // 4), (width - 260) * (k % 4) // 3
            paths.append(folder / f"{number}-{k}.png")
            Image.fromarray(pixels[row : row + 200, col : col + 260]).save(paths[-1])
    return paths


def photograph(visitor: Visitor) -> None:
    """The tabs of one photograph."""
    page = visitor.page
    page.click("#samples button[data-pick=coffee]")
    visitor.wait_for_version(1)
    keep(visitor, "colorize", 1000)
    visitor.step("Correct")
    page.locator(".stage .width").fill("22")
    page.locator(".stage .paint").fill("#b4432e")
    visitor.paint(0.56, 0.42, length=0.14)
    visitor.wait_for_version(2)
    # The saucer is as gray as the cup: its own colour on both sides keeps the red off.
    page.locator(".stage .paint").fill("#5c534c")
    for version, (row, col, length) in enumerate(((0.62, 0.2, 0.08), (0.62, 0.71, 0.06)), start=3):
        visitor.paint(row, col, length=length)
        visitor.wait_for_version(version)
    page.get_by_role("button", name="Protect").click()
    visitor.paint(0.88, 0.72, length=0.2)
    visitor.wait_for_version(5)
    page.get_by_role("button", name="Strokes").click()
    page.get_by_role("button", name="Where would a hint help most?").click()
    page.locator("#places .swatch").first.wait_for()
    keep(visitor, "correct", 1000)
    visitor.step("Why?")
    page.mouse.click(*visitor.place(0.85, 0.12))
    page.locator("#answer .card").wait_for()
    keep(visitor, "why", 1000, height=1150)


def training(visitor: Visitor, teachers: list[Path]) -> None:
    """A training half way, and a comparison with its model."""
    page = visitor.page
    visitor.room("Train")
    page.get_by_label("Name of the new model").fill("breakfast")
    page.set_input_files("#teachers input", teachers)
    page.locator("#teachers").get_by_text("4-7").wait_for()
    page.get_by_role("button", name="Train", exact=True).click()
    page.locator("#training .trio").first.wait_for()
    keep(visitor, "train", 1000, height=1000)
    page.locator("#training").get_by_text("is called").wait_for()
    visitor.room("Compare")
    page.set_input_files("#compared input", teachers[35])
    page.get_by_label("breakfast", exact=True).check()
    page.get_by_role("button", name="Compare").click()
    page.locator("#comparison figure").first.wait_for()
    page.get_by_test_id("toast-body").first.wait_for(state="hidden")  # it would cover a picture
    keep(visitor, "compare", 1000, height=1000)


def main() -> None:
    """Start the app, visit it, write the pictures."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as driver:
        app = App(Path(folder), "--max-upload", "50MB")
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        wide = Visitor(browser, app.address)
        photograph(wide)
        training(wide, crops(Path(folder)))
        phone = Visitor(browser, app.address, viewport={"width": 390, "height": 844}, color_scheme="dark")
        phone.page.click("#samples button[data-pick=temple]")
        phone.wait_for_version(1)
        keep(phone, "phone", 390, height=1200)
        browser.close()
        app.stop()


if __name__ == "__main__":
    main()
