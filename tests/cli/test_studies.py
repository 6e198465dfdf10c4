"""The commands that measure: evaluate, compare, importance, study; what they print, write and refuse."""

import csv
import json
import re

import numpy as np
import pytest
from PIL import Image

from colorize.cli import main
from colorize.color.metrics import colorfulness
from colorize.evaluation import report
from colorize.io import read_photo

pytestmark = pytest.mark.usefixtures("workplace")


@pytest.fixture
def album(workplace, photos):
    """Two sub-folders of five photographs each, and a gray one."""
    for index, photo in enumerate(photos[:10]):
        folder = workplace / "album" / ("land" if index < 5 else "sea")
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(photo.pixels).save(folder / f"{index}.png")
    Image.fromarray(photos[10].pixels).convert("L").save(workplace / "album" / "land" / "gray.png")
    return workplace / "album"


@pytest.fixture
def gray_folder(workplace, photos):
    folder = workplace / "old"
    folder.mkdir()
    for index in range(2):
        Image.fromarray(photos[index].pixels).convert("L").save(folder / f"{index}.png")
    return folder


def errors(result):
    return [line for line in result.stderr.splitlines() if line]


@pytest.mark.slow
def test_evaluate_writes_all_three_files(run, album, tiny_model, workplace):
    pytest.importorskip("jinja2")
    result = run("evaluate", album, "--model", tiny_model, "--html", "e.html", "--csv", "e.csv", "--json", "e.json")
    for words in ("95 % intervals", "model - gray", "in land", "in sea", "worst: ", "told from real", "CPU seconds"):
        assert words in result.stdout
    content = json.loads((workplace / "e.json").read_text())
    assert content["left_out"] == {"land/gray.png": "gray or toned: there are no true colours to measure with"}
    assert content["n_photos"] == 10
    assert set(content["categories"]) == {"land", "sea"}
    model, gray = content["means"]["model"]["ciede2000"], content["means"]["gray"]["ciede2000"]
    assert content["differences_of_model"]["gray"]["ciede2000"]["value"] == pytest.approx(model - gray)
    with open("e.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 10 * 8
    assert np.mean([float(row["ciede2000"]) for row in rows if row["method"] == "model"]) == pytest.approx(model, 1e-4)
    assert "land/gray.png" in (workplace / "e.html").read_text()


def test_evaluate_measures_one_photograph(run, workplace, photos, tiny_model):
    (workplace / "one").mkdir()
    Image.fromarray(photos[0].pixels).save(workplace / "one" / "a.png")
    result = run("evaluate", "one", "--model", tiny_model)
    assert "means over 1 photographs" in result.stdout
    assert "intervals" not in result.stdout  # there are none of one photograph
    assert "nan" not in result.stdout


def test_evaluate_without_truth_offers_compare(run, gray_folder, tiny_model):
    result = run("evaluate", gray_folder, "--model", tiny_model, status=1)
    (line,) = errors(result)
    assert "none of its 2 photographs has colours" in line
    assert "colorize compare" in line


@pytest.mark.parametrize("command", [["evaluate", "album"], ["compare", "album"], ["importance", "default", "album"]])
def test_outputs_are_checked_before_the_work(run, album, command):
    (album / "there.json").write_text("mine")
    assert "--force" in run(*command, "--json", "album/there.json", status=1).stderr
    assert "no folder" in run(*command, "--csv", "nowhere/x.csv", status=2).stderr
    assert "name different files" in run(*command, "--csv", "x", "--json", "x", status=2).stderr
    assert (album / "there.json").read_text() == "mine"


@pytest.mark.slow
def test_html_without_its_libraries_is_refused_at_once(run, album, tiny_model, monkeypatch):
    from colorize.exceptions import MissingDependencyError

    def missing():
        raise MissingDependencyError("jinja2 is not installed; install it from the checkout: pip install '.[report]'")

    monkeypatch.setattr(report, "check_installed", missing)
    (line,) = errors(run("evaluate", album, "--model", tiny_model, "--html", "e.html", status=1))
    assert "'.[report]'" in line
    run("evaluate", album, "--model", tiny_model, "--json", "e.json", "--quiet")  # all else works


@pytest.mark.slow
def test_compare_measures_where_it_can_and_shows_the_rest(run, album, tiny_model, workplace):
    pytest.importorskip("jinja2")
    arguments = ["--method", "gray", "--method", "welsh", "--method", tiny_model, "--references", album / "sea"]
    result = run("compare", album / "land", *arguments, "--html", "c.html", "--csv", "c.csv", "--json", "c.json")
    assert "means over 5 photographs" in result.stdout
    content = json.loads((workplace / "c.json").read_text())
    assert list(content["means"]) == ["gray", "welsh", "tiny"]
    assert content["methods"]["tiny"]["n_bytes"] == tiny_model.stat().st_size
    assert content["photos"]["gray"]["ciede2000"][content["names"].index("gray.png")] is None
    page = (workplace / "c.html").read_text()
    assert "photo-5" in page
    # measured at the faithful setting, of which the rules have none
    assert "\nmodels at vividness 0 (0 is faithful, 1 is bold; `colorize photo` makes 0.5)\n" in result.stdout
    assert "Models at vividness 0 (0 is faithful, 1 is bold); " in page
    assert [content["methods"][name]["vividness"] for name in ("gray", "welsh", "tiny")] == [None, None, 0]

    # the same differences everywhere, each the mean over the photographs with truth of one method minus another
    figures = {name: np.array(content["photos"][name]["ciede2000"][:5], float) for name in content["means"]}
    for first, others in content["differences"].items():
        assert set(others) == set(figures) - {first}
        for second, row in others.items():
            assert row["ciede2000"]["value"] == pytest.approx(np.mean(figures[first] - figures[second]))
            assert row["ciede2000"]["low"] < row["ciede2000"]["value"] < row["ciede2000"]["high"]
    found = content["differences"]["tiny"]["welsh"]["ciede2000"]
    words = "{value:+.2f} ({low:+.2f} to {high:+.2f})".format(**found)
    assert any(line.startswith("tiny ") and words in line for line in result.stdout.splitlines())
    # the page writes a true minus, as its plots do
    assert "{value:+.2f}<small>{low:+.2f} to {high:+.2f}</small>".format(**found).replace("-", "−") in page
    with open("c.csv", newline="") as file:
        rows = {(row["method"], row["photo"]): row for row in csv.DictReader(file)}
    assert len(rows) == 3 * 6 + 3 * 3
    for name, photo in {"value": "difference", "low": "difference, low", "high": "difference, high"}.items():
        assert float(rows["tiny minus welsh", photo]["ciede2000"]) == pytest.approx(found[name], rel=1e-4)


def test_compare_with_few_photographs_gives_differences_without_intervals(run, album, tiny_model):
    result = run("compare", album / "sea" / "5.png", "--method", "gray", "--method", tiny_model)
    (line,) = re.findall(r"row minus that of the column.*\n +gray\n(tiny .*)", result.stdout)
    assert re.fullmatch(r"tiny  [+-]\d+\.\d\d", line)
    assert "intervals" not in result.stdout
    assert "row minus" not in run("compare", album / "sea" / "5.png", "--method", "gray").stdout


@pytest.mark.slow
def test_compare_says_whose_rules_they_are(run, album, tiny_model, workplace):
    pytest.importorskip("jinja2")
    arguments = ["--method", "lookup", "--method", "default", "--method", tiny_model]
    files = ["--html", "c.html", "--csv", "c.csv", "--json", "c.json"]
    result = run("compare", album / "sea" / "5.png", *arguments, *files)
    assert re.search(r"^lookup of tiny +\d", result.stdout, re.MULTILINE)
    assert list(json.loads((workplace / "c.json").read_text())["means"]) == ["lookup of tiny", "default", "tiny"]
    assert "5.png,,lookup of tiny," in (workplace / "c.csv").read_text()
    assert '<th scope="row">lookup of tiny</th>' in (workplace / "c.html").read_text()


@pytest.mark.parametrize(("arguments", "setting"), [([], "0.5"), (["--vividness", 0], "0"), (["--vividness", 1], "1")])
def test_compare_shows_what_photo_makes_where_nothing_is_measured(
    run, gray_folder, tiny_model, tiny_colorizer, workplace, arguments, setting
):
    pytest.importorskip("jinja2")
    files = ["-o", "c.html", "--json", "c.json"]
    result = run("compare", gray_folder / "0.png", "--method", tiny_model, *arguments, *files)
    assert f"models at vividness {setting} (" in result.stdout
    assert f"Models at vividness {setting} (" in (workplace / "c.html").read_text()
    made = tiny_colorizer.predict(read_photo(gray_folder / "0.png"), vividness=float(setting))
    (shown,) = json.loads((workplace / "c.json").read_text())["photos"]["tiny"]["colorfulness"]
    assert shown == pytest.approx(colorfulness(made.rgb), rel=1e-3)


def test_compare_of_rules_alone_speaks_of_no_vividness(run, gray_folder):
    assert "vividness" not in run("compare", gray_folder / "0.png", "--method", "gray", "--method", "mean").stdout


def test_compare_takes_photographs_one_by_one(run, gray_folder, tiny_model):
    result = run("compare", gray_folder / "0.png", gray_folder / "1.png", "--method", tiny_model, "--method", "gray")
    assert "None of these photographs has known colours: nothing was measured; --html shows them." in result.stdout
    assert "nan" not in result.stdout


def test_compare_tells_equal_names_of_two_folders_apart(run, album, workplace):
    (album / "sea" / "9.png").rename(album / "sea" / "0.png")
    for folder in ("land", "sea"):
        (album / folder / "bad.jpg").write_text("none")
    folders = [f"album/{folder}" for folder in ("land", "sea")]
    result = run("compare", *folders, "--method", "gray", "--json", "c.json")
    for folder in folders:
        assert f"left out: {folder}/bad.jpg: " in result.stdout
    names = json.loads((workplace / "c.json").read_text())["names"]
    assert "2.png" in names
    assert [name for name in names if name.endswith("0.png")] == ["album/land/0.png", "album/sea/0.png"]
    run("compare", *(f"{folder}/0.png" for folder in folders), "--method", "gray", "--json", "d.json")
    assert json.loads((workplace / "d.json").read_text())["names"] == ["album/land/0.png", "album/sea/0.png"]


def test_compare_measures_copies_once(run, album, workplace):
    (album / "land" / "z.png").write_bytes((album / "land" / "1.png").read_bytes())
    Image.open(album / "land" / "2.png").convert("L").save(album / "land" / "2 in gray.png")
    result = run("compare", "album/land", "album/land/3.png", "album/sea/5.png", "--method", "gray", "--json", "c.json")
    assert "means over 6 photographs" in result.stdout  # five of land, one of sea
    assert "left out: z.png: same picture as 1.png\n" in result.stdout
    content = json.loads((workplace / "c.json").read_text())
    assert content["left_out"] == {"z.png": "same picture as 1.png"}
    # a gray copy is shown and not measured; a file that is named twice is one
    assert content["names"] == [
        "0.png",
        "1.png",
        "2 in gray.png",
        "2.png",
        "album/land/3.png",
        "4.png",
        "gray.png",
        "5.png",
    ]


@pytest.mark.parametrize(
    ("arguments", "status", "match"),
    [
        (["old", "--method", "welsh"], 2, "--references"),
        (["old", "--method", "gray", "--method", "gray"], 2, "twice"),
        (["old", "--method", "nonsense"], 1, "nonsense"),
        (["nothing.png", "--method", "gray"], 1, "nothing.png"),
        ([], 2, "PHOTO"),
    ],
)
def test_compare_refuses(run, gray_folder, arguments, status, match):
    result = run("compare", *arguments, status=status)
    assert match in result.stderr
    if status == 1:
        assert len(errors(result)) == 1


@pytest.mark.slow
def test_importance_prints_a_ranking_and_writes(run, album, tiny_model, workplace):
    pytest.importorskip("jinja2")
    options = ["--repeats", 1, "--detail-repeats", 0, "--no-refits", "--limit", 5]
    result = run("importance", tiny_model, album, *options, "--html", "i.html", "--csv", "i.csv", "--json", "i.json")
    assert "noise (control)" in result.stdout
    assert "log-loss" in result.stdout
    with open("i.csv", newline="") as file:
        assert {row["analysis"] for row in csv.DictReader(file)} == {"permutation", "cluster", "colour"}
    page = (workplace / "i.html").read_text()
    assert "What the model uses" in page
    assert "By log-loss, its surprise at the true palette colour, " in page

    # the order is that of the measure that the headline names
    headline, head, *lines = result.stdout[result.stdout.index("added by permuting") :].splitlines()
    assert "in the order of the log-loss added" in headline
    assert re.findall(r"\S.*?(?=  |$)", head) == [
        "region ab error",
        "final ab error",
        "log-loss",
        "balanced score lost",
    ]
    values = [re.findall(r"([+-]\d+\.\d+) \(", line) for line in lines]
    losses = [float(row[2]) for row in values if len(row) == 4]
    assert len(losses) > 3
    assert losses == sorted(losses, reverse=True)
    few = run("importance", tiny_model, album, "--limit", 3, status=1)
    assert "at least 4 photographs" in errors(few)[0]


@pytest.mark.slow
def test_studies_say_what_they_leave_out(run, album, tiny_model, photos):
    Image.fromarray(photos[5].pixels[::-1]).save(album / "land" / "5.png")
    (album / "land" / "copy.png").write_bytes((album / "land" / "1.png").read_bytes())
    quick = ["--repeats", 1, "--detail-repeats", 0, "--no-refits"]
    result = run("importance", tiny_model, album / "land", "--train", album / "sea", *quick)
    measured = (
        "6 photographs measured; 8 of 8 files examined\n2 not measured:\n"
        "  gray.png: gray or toned: there are no true colours to measure with\n  copy.png: same picture as 1.png\n"
    )
    assert result.stdout.startswith(f"{measured}5 photographs learnt from; 5 of 5 files examined\nadded by permuting")
    small = ["--palette-size", 4, "--superpixels", 40, "--sizes", 3]
    result = run("study", "curve", album / "sea", "--test", album / "land", *small)
    assert result.stdout.startswith(f"5 photographs used; 5 of 5 files examined\n{measured}photos ")
    result = run("study", "curve", album / "land", *small)
    assert result.stdout.startswith(
        "6 photographs used; 8 of 8 files examined\n2 not used:\n  copy.png: same picture as "
    )


def test_categories_say_what_they_leave_out(run, workplace, photos):
    for folder in ("land", "sea"):
        (workplace / "kinds" / folder).mkdir(parents=True)
        for index, photo in enumerate(photos[:12]):
            Image.fromarray(photo.pixels).save(workplace / "kinds" / folder / f"{index}.png")
    (workplace / "kinds" / "sea" / "bad.jpg").write_text("none")
    text = run("study", "categories", "kinds", "--method", "mean").stdout
    assert text.startswith("land: 12 photographs used; 12 of 12 files examined\nsea: 12 photographs used; 13 of 13 ")
    assert "\n1 not used:\n  bad.jpg: " in text


def test_categories_name_what_is_too_small(run, album):
    (line,) = errors(run("study", "categories", album, "--method", "mean", status=1))
    assert "at least 2 sub-folders" in line
    assert "land: 5 usable photographs, 10 needed" in line
    (line,) = errors(run("study", "categories", "nowhere", status=1))
    assert "no such folder" in line


@pytest.mark.slow
def test_curve_prints_and_writes(run, album, workplace):
    pytest.importorskip("jinja2")
    small = ["--palette-size", 4, "--superpixels", 40]
    result = run("study", "curve", album, "--sizes", "3,6", *small, "--html", "l.html", "--json", "l.json")
    assert "measured on 2 photographs" in result.stdout
    assert json.loads((workplace / "l.json").read_text())["sizes"] == [3, 6]
    assert "sizes must lie in" in run("study", "curve", album, "--sizes", "3,600", status=2).stderr
    assert "--sizes" in run("study", "curve", album, "--sizes", "a,b", status=2).stderr


def test_every_study_has_help(run):
    for name, command in main.commands["study"].commands.items():
        text = run("study", name, "--help").stdout
        assert command.short_help
        for parameter in command.params:
            if parameter.param_type_name == "option":
                assert parameter.help, f"{name} {parameter.name}"
                assert parameter.opts[-1] in text
