"""The blocks of code in README and docs run, or at least are Python or JSON; the tutorial runs as a whole."""

from __future__ import annotations

import json
import re
import shutil
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import sklearn.datasets
from PIL import Image

import colorize.evaluation.importance
from colorize import Colorizer, find_model, read_photo, to_gray
from colorize.features import registry
from colorize.guidance.hints import Hints, Mark

from .markdown import ROOT, blocks, commands, pages

PAGES = pages()
FLOWER = Path(sklearn.datasets.__file__).parent / "images" / "flower.jpg"
RUN = ("README.md", *(f"docs/{name}.md" for name in (
    *("index", "tutorial", "hints", "references", "alternatives", "explain"),
    *("base_models", "propagation", "evaluation", "own_family", "api"),
)))  # fmt: skip


pytestmark = pytest.mark.usefixtures("nothing_registered")


@pytest.fixture
def desk(workplace, photos):
    """A folder with everything that the pages speak of."""
    for name in ("grandmother.jpg", "old.jpg"):
        Image.open(FLOWER).convert("L").save(workplace / name)
    shutil.copy(FLOWER, workplace / "like_this.jpg")
    for folder, part in (
        ("my_photos", photos[:8]),
        ("my_album", photos[:8]),
        ("other_photos", photos[8:]),
        ("photos", photos),
    ):
        (workplace / folder).mkdir()
        for number, photo in enumerate(part):
            Image.fromarray(photo.pixels).save(workplace / folder / f"{number}.png")
    return workplace


@pytest.fixture
def names(desk, photos):
    """What the blocks of a page may suppose to have been said before."""
    model = Colorizer.load(find_model("default"))
    gray = to_gray(read_photo(FLOWER))
    lightness = gray.lightness[:90, :120].copy()
    is_known = np.zeros(lightness.shape, bool)
    is_known[20:30, 20:30] = True
    return {
        "model": model,
        "gray": gray,
        "session": model.open(gray),
        "hints": Hints(gray.shape, (Mark("point", [[100, 100]], (200, 120, 40)),)),
        "read_photo": read_photo,
        "photos": photos,
        "training_photos": photos[:8],
        "other_photos": photos[8:],
        "lightness": lightness,
        "target_ab": np.full((*lightness.shape, 2), 10, np.float32),
        "weight": np.full(lightness.shape, 0.03, np.float32),
        "is_known": is_known,
        "stroke": is_known,
        "known_ab": np.zeros((*lightness.shape, 2), np.float32),
        "stroke_ab": np.zeros((*lightness.shape, 2), np.float32),
    }


def part_of_example() -> str:
    """The family of the guide as its page includes it, with what stands above it in the example."""
    example = (ROOT / "examples" / "own_family.py").read_text(encoding="utf-8")
    include = next(block for block in blocks("", PAGES["docs/own_family.md"]) if "literalinclude" in block.language)
    start, end = (re.search(rf':{option}: "(.+)"', include.text)[1] for option in ("start-after", "end-before"))
    before, _, rest = example.partition(start)
    family, _, _ = rest.partition(end)
    assert "def edges" in family
    assert "register_family(" in family
    return before + family


@pytest.mark.slow
@pytest.mark.parametrize("page", RUN)
def test_python_blocks_run(page, desk, names, monkeypatch):
    settings = {"n_repeats": 1, "n_detail_repeats": 0, "refits": page == "docs/own_family.md"}
    quick = partial(colorize.evaluation.importance.importance, **settings)
    monkeypatch.setattr(colorize.evaluation.importance, "importance", quick)
    n_superpixels = 400 if page == "docs/base_models.md" else 40  # a base asks for its own number
    small = (6, n_superpixels, registry.FAMILIES, "kernel", 60, 400, 0)
    monkeypatch.setattr(Colorizer.__init__, "__defaults__", small)
    monkeypatch.setattr(sys, "argv", ["mine.py", "models"])
    monkeypatch.syspath_prepend(str(desk))
    monkeypatch.delitem(sys.modules, "own_family", raising=False)
    if page == "docs/own_family.md":
        shutil.copy(ROOT / "examples" / "own_family.py", desk)
        exec(part_of_example(), names)
    found = [block.text for block in blocks(page, PAGES[page]) if block.language == "python"]
    assert found
    for number, text in enumerate(found):
        code = compile(text, f"{page}, block {number + 1}", "exec")
        if "main()" in text:  # hands over to the commands, which end the process
            with pytest.raises(SystemExit, match="0"):
                exec(code, names)
        else:
            exec(code, names)
    assert not (desk / "with_edges.safetensors").exists()  # importing the example trains nothing


@pytest.mark.parametrize("page", PAGES)
def test_every_block_is_what_it_says(page):
    for block in blocks(page, PAGES[page]):
        if block.language in ("python", "{code-cell} ipython3"):
            compile(block.text, page, "exec")
        elif block.language == "json":
            for text in [block.text] if block.text.startswith('{"version') else block.text.splitlines():
                json.loads(text)
        else:
            known = ("", "text", "sh", "bash", "toml", "yaml")
            assert block.language in known or block.language.startswith("{"), f"{page}: a block of {block.language}"


@pytest.mark.slow
def test_the_commands_of_the_tutorial_run_one_after_the_other(desk, run):
    text = PAGES["docs/tutorial.md"]
    hints = next(block.text for block in blocks("", text) if block.language == "json")
    (desk / "hints.json").write_text(hints, encoding="utf-8")
    done = []
    for block in blocks("docs/tutorial.md", text):
        for call in commands(block):
            run(*call, *(["--repeats", "1", "--detail-repeats", "0"] if call[0] == "importance" else []))
            done.append(call[0])
    assert set(done) == {"train", "evaluate", "photo", "suggest", "explain", "importance", "learn"}
    for name in ("mine.safetensors", "mine_too.safetensors", "better.safetensors", "bold.png", "corrected.png"):
        assert (desk / name).exists(), name
