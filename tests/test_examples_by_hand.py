"""The examples for hints, references and alternatives run as they stand."""

import runpy
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"


@pytest.mark.parametrize(
    ("name", "files"),
    [
        ("hints", ["flower.after.png", "flower.before.png", "flower.hints.json"]),
        ("reference", ["flower.0.0.png", "flower.0.5.png", "flower.1.0.png"]),
        ("alternatives", ["astronaut.chosen.png", "astronaut.sheet.png"]),
    ],
)
def test_examples_run(workplace, name, files, capsys):
    runpy.run_path(str(EXAMPLES / f"{name}.py"))
    assert sorted(path.name for path in workplace.iterdir()) == files
    assert capsys.readouterr().out
