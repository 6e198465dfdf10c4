"""Reports: one file, nothing from outside, failures first, small, and plain about what they need."""

import importlib
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

from colorize.cli.importance import summary
from colorize.colorizer import Colorizer
from colorize.evaluation.importance import importance
from colorize.evaluation.methods import make_methods
from colorize.evaluation.pictures import difference_map, fitted
from colorize.evaluation.report import (
    category_report,
    check_installed,
    comparison_report,
    curve_report,
    evaluation_report,
    explanation_report,
    importance_report,
)
from colorize.evaluation.report.explanation import odds, paint, place_in_words
from colorize.evaluation.report.page import share_budget
from colorize.evaluation.run import compare_methods, evaluate_model
from colorize.evaluation.study import study_categories, study_curve
from colorize.exceptions import MissingDependencyError
from colorize.explanation import Explainer
from colorize.explanation.account import FAMILIES, sentences
from colorize.features import FAMILIES as KNOWN_FAMILIES
from colorize.guidance.hints import Hints, Mark
from colorize.training.dataset import DatasetReport, TrainingSet
from colorize.types import RgbImage

pytestmark = pytest.mark.slow

for library in ("jinja2", "matplotlib"):
    pytest.importorskip(library)

SMALL = {"n_colors": 4, "n_superpixels": 30, "n_sample_rows": 10}
VOID = {"meta", "img", "input", "br", "link"}


class Page(HTMLParser):
    """Reads a page and checks that its tags close."""

    def __init__(self, text):
        super().__init__()
        self.open, self.ids, self.links, self.sources, self.images, self.ranges = [], [], [], [], [], []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        if tag not in VOID:
            self.open.append(tag)
        if "id" in values and "svg" not in self.open:
            self.ids.append(values["id"])
        if tag == "a":
            self.links.append(values["href"])
        if tag == "img":
            self.images.append(values)
        if tag == "input" and values["type"] == "range":
            self.ranges.append(values)
        self.sources += [values[name] for name in ("src", "href", "xlink:href") if values.get(name)]

    def handle_startendtag(self, tag, attributes):
        values = dict(attributes)
        self.sources += [values[name] for name in ("src", "href", "xlink:href") if values.get(name)]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def check(text: str) -> Page:
    """What every report must be."""
    page = Page(text)
    assert all(source.startswith(("data:image/", "#")) for source in page.sources)
    assert not re.search(r"@import|url\(\s*['\"]?(?!#)", text)
    assert len(page.ids) == len(set(page.ids))
    assert {link[1:] for link in page.links} <= set(page.ids)
    assert all(image.get("alt") is not None for image in page.images)
    assert all(slider.get("aria-label") for slider in page.ranges)
    assert text.startswith("<!doctype html>")
    assert 'lang="en"' in text
    assert "#010101" not in text  # no stand-in colour is left
    assert "nan" not in re.sub(r"data:image[^\"]*|<style>.*?</style>", "", text, flags=re.DOTALL).lower().split()
    words = re.sub(r"<(style|script).*?</\1>|<!--.*?-->|<[^>]*>", "\n", text, flags=re.DOTALL)
    assert not re.findall(r".*(?<![\w])-[\d.]+.*", words)  # a minus, and no hyphen
    return page


@pytest.fixture(scope="module")
def evaluation(tiny_colorizer, photos):
    names = [f"{'sea' if i % 2 else 'land'}/<b>{i}</b>.jpg" for i in range(12)]
    return evaluate_model(
        tiny_colorizer,
        photos,
        names=names,
        pictures=True,
        left_out={"broken.jpg": "it is broken"},
    )


def test_evaluation_shows_failures_first_and_everything_else(evaluation):
    text = evaluation_report(evaluation, model="tiny & small", source="album")
    page = check(text)
    worst = evaluation.result.order("model")[0]
    error = evaluation.result.figures["model"]["ciede2000"][worst]
    assert text.index("Where it fails most") < text.index("All figures")
    assert re.search(r"CIEDE2000 [\d.]+", text).group() == f"CIEDE2000 {error:.1f}"
    for words in ("Told from real", "oracle: palette", "By category", "it is broken", "tiny &amp; small", "below zero"):
        assert words in text
    assert "<b>" not in text
    assert "&lt;b&gt;" in text
    assert len(page.ranges) == 12
    assert evaluation_report(evaluation, model="tiny & small", source="album") == text


def test_size_stays_small_whatever_the_pictures(evaluation):
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, (267, 400, 3), np.uint8)  # the worst case for every encoder
    for limit in (26_000, 4_000, 1_500):
        assert len(fitted(noise, limit)) <= limit
    budget = share_budget({"large": (54, 5.0), "map": (18, 0.8), "small": (200, 1.0)})
    text_bytes = 4 / 3 * (54 * budget["large"] + 18 * budget["map"] + 200 * budget["small"])
    assert text_bytes < 2_400_000
    plots = re.sub(r"data:image[^\"]*", "", evaluation_report(evaluation))
    assert len(plots.encode()) < 400_000


def test_difference_map_runs_from_dark_blue_to_yellow():
    gray, red = np.full((20, 30, 3), 90, np.uint8), np.zeros((20, 30, 3), np.uint8)
    red[..., 0] = 255
    assert difference_map(gray, gray)[0, 0].tolist() == [0, 34, 78]
    assert difference_map(gray, red)[0, 0].tolist() == [254, 232, 56]


def test_comparison_with_and_without_truth(tiny_model, photos):
    made = make_methods(["gray", "lookup", str(tiny_model)])
    some = compare_methods(made, photos[:6], has_truth=[True] * 5 + [False], pictures=True)
    text = comparison_report(some, source="album")
    page = check(text)
    assert text.count("worst here<") == 5
    assert text.index('id="photo-5"') > max(text.index(f'id="photo-{i}"') for i in range(5))
    assert sum("photo-" in link for link in page.links) == 9
    none = compare_methods(made, photos[:2], has_truth=[False, False], pictures=True)
    text = comparison_report(none)
    check(text)
    assert "Nobody knows the true colours" in text
    assert "worst here<" not in text


def test_the_best_of_a_comparison_is_not_called_so_where_chance_may_have_chosen(photos):
    (gray,) = make_methods(["gray"])
    twins = comparison_report(compare_methods([gray, replace(gray, name="again")], photos[:6], pictures=True))
    assert re.search(
        r"6 photographs with known colours\. Smallest mean colour difference: gray \([\d.]+ CIEDE2000\), "
        "which these photographs do not tell from again;",
        twins,
    )


def test_tables_promise_no_intervals_that_photographs_are_too_few_for(photos):
    few = comparison_report(compare_methods(make_methods(["gray", "lookup"]), photos[:3], pictures=True))
    assert "Means over 3 photographs; ▸ best mean" in few


def test_importance_is_drawn(photos):
    model = Colorizer(families=("position", "gabor"), **SMALL).fit(photos[6:])
    found = importance(model, photos[:5], n_repeats=1, n_detail_repeats=1)
    text = importance_report(found, model="tiny", source="album")
    check(text)
    for words in ("noise (control)", "Who hides whom", "The family alone", "gabor: wavelength", "Control:"):
        assert words in text
    assert "contains zero" in text.replace("NOT contain zero", "contains zero")
    unsure = [(*row[:5], *((0.01, 0.005, 0.02) if row[2] == "gabor" else (1.0, -1.0, 2.0))) for row in found.table]
    text = importance_report(replace(found, table=tuple(unsure)))
    assert "told from zero, the largest first: gabor. " in text
    few = replace(found, table=tuple((*row[:6], np.nan, np.nan) for row in found.table))
    text = importance_report(few)
    check(text)
    assert re.search(
        r"adds [+−][\d.]+ ab units to the region error, too few photographs to tell that from zero\.", text
    )
    assert "contains zero" not in text
    assert "nan" not in summary(few)
    assert "(" in summary(found).splitlines()[2]


def test_studies_are_drawn(photos):
    report = DatasetReport(10, 10, 10, ())
    photos = [RgbImage(photo.pixels[::2, ::2].copy()) for photo in photos]
    parameters = SMALL | {"families": ("intensity", "position"), "classifier": "kernel"}  # many are trained
    sets = {
        name: TrainingSet(tuple(part), tuple(map(str, range(10))), report)
        for name, part in (("first", photos[:10]), ("second", photos[2:]))
    }
    sets["few"] = TrainingSet(tuple(photos[:3]), ("a", "b", "c"), report)
    text = category_report(study_categories(sets, fraction=0.5, parameters=parameters), source="album")
    check(text)
    assert "3 usable photographs" in text
    assert "2 categories; 10 of their 20 photographs were held out and never trained on." in text
    curve = study_curve(photos[:6], photos[6:], sizes=(3, 6), parameters=parameters)
    text = curve_report(curve, source="album")
    check(text)
    assert "3 → 6" in text
    numbers = text[text.index("The curve in numbers") :]
    for size in (3, 6):
        (row,) = re.findall(rf'<th scope="row">{size}</th>.*?</tr>', numbers, re.DOTALL)
        cells = re.findall(r"<td[^>]*>([^<]*)", row)
        assert cells[-1].strip() == f"{curve.result.means()[f'lookup: {size}']['ciede2000']:.2f}"
    assert re.search(r"The last step changed the error by [+−]\S+, [+−]", text)
    # Four test photographs are too few for an interval, and no reason to deny the step.
    text = curve_report(study_curve(photos[:6], photos[6:10], sizes=(3, 6), parameters=parameters))
    assert re.search(r"The last step changed the error by [+−][\d.]+\.", text)
    assert "There is one size only." not in text
    text = curve_report(study_curve(photos[:3], photos[6:8], sizes=(3,), parameters=parameters))
    check(text)
    assert "There is one size only." in text


@pytest.fixture(scope="module")
def remembering(photos):
    """A model that keeps thumbnails of half of its rows, from photographs with nasty names."""
    return Colorizer(**(SMALL | {"n_sample_rows": 100})).fit(
        photos[:6], names=["<b>bold.jpg"] * 6, thumbnail_bytes=33_000
    )


def test_explanation_shows_every_place(remembering, photos):
    hints = Hints(photos[0].shape, (Mark("point", [[30, 40]], (170, 60, 50)),))
    explainer = Explainer(remembering.open(photos[0]), hints=hints)
    found = [explainer.at(*place) for place in explainer.places(3)]
    text = explanation_report(explainer, found, name="<i>aunt</i>.jpg", model="mine")
    page = check(text)
    assert {f"place-{i + 1}" for i in range(len(found))} <= set(page.ids)
    assert text.count("What the hints did") == text.count("What it could have been") == len(found)
    assert text.count("the colour given to this place") == len(found)
    assert sum("a place of a training photograph" in image["alt"] for image in page.images) > 0
    assert text.count('class="blank"') > 0  # rows without a picture are shown as colours
    for words in ("<b>bold", "<i>aunt"):
        assert words not in text
        assert words.replace("<", "&lt;").replace(">", "&gt;") in text
    assert "carries no thumbnails" not in text
    for sentence in sentences(found[0]):
        assert sentence.replace("'", "&#39;") in text
    assert explanation_report(explainer, found, name="<i>aunt</i>.jpg", model="mine") == text


def test_an_explanation_shows_what_hints_made_of_the_place(tiny_colorizer, photos, monkeypatch):
    """Painted pixels that speak for nothing but themselves: the region does not hear of them."""
    hints = Hints(photos[0].shape, (Mark("point", [[60, 80]], (20, 40, 200), radius=3, reach="pixels"),))
    explainer = Explainer(tiny_colorizer.open(photos[0]), hints=hints)
    found = explainer.at(60, 80)
    outlined, crop = [], "colorize.evaluation.report.explanation._crop"
    monkeypatch.setattr(crop, lambda pixels, mask: outlined.append(mask) or pixels)
    told = place_in_words(explainer, found)
    for mask in outlined:  # in gray and in colour: what the colour was given to
        np.testing.assert_array_equal(mask, explainer.session.view.parts.superpixels.labels == found.hints.part)
    assert told["title"] == found.named(found.pixel_ab) != found.named(found.ab)
    assert told["given"] == told["hints"]["after"] == paint(found, found.pixel_ab)
    assert "The very place was hinted" in told["hints"]["text"]
    assert told["hints"]["seen"]


def test_an_explanation_compares_no_two_colours_that_look_alike(tiny_colorizer, photos):
    hints = Hints(photos[0].shape, (Mark("point", [[60, 80]], (20, 40, 200), reach="pixels"),))
    explainer = Explainer(tiny_colorizer.open(photos[0]), hints=hints)
    found = explainer.at(10, 10)
    assert found.moved < 0.1
    text = explanation_report(explainer, [found])
    assert "They changed this place too little to be seen." in text
    assert "without hints <b" not in text


def test_explanation_writes_no_zero_with_a_sign(tiny_colorizer, photos):
    explainer = Explainer(tiny_colorizer.open(photos[0]))
    found = explainer.at(60, 80)
    colors = found.colors.copy()
    colors[found.winner] = -0.3, 4
    text = explanation_report(explainer, [replace(found, colors=colors)])
    assert "a 0, b 4" in text


def test_bars_of_an_explanation_are_as_long_as_their_shares(tiny_colorizer, photos, monkeypatch):
    monkeypatch.setattr("colorize.evaluation.report.explanation.N_COLORS", 1)
    explainer = Explainer(tiny_colorizer.open(photos[0]))
    found = explainer.at(60, 80)
    text = explanation_report(explainer, [found])
    one, others = re.findall(r'<tr[^>]*><th scope="row">.*?</tr>', text[text.index("bars palette") :], re.DOTALL)[:2]
    lengths = np.array(re.findall(r"width: ([\d.]+)%", one), float)
    shares = found.probabilities[:, found.probabilities[-1].argmax()]
    np.testing.assert_allclose(lengths, 100 * shares / found.probabilities.max(), atol=0.051)  # of the longest bar
    assert re.findall(r">(\d+%)<", one) == [f"{share:.0%}" for share in shares]
    assert " others" in others
    assert "width:" not in others  # three shares beyond the longest bar were drawn as equal


def test_explanation_says_what_the_model_does_not_carry(tiny_colorizer, photos):
    explainer = Explainer(tiny_colorizer.open(photos[0]))
    text = explanation_report(explainer, [explainer.at(60, 80)])
    check(text)
    assert "carries no thumbnails" in text
    assert "--" not in " ".join(re.findall(r'class="warning">(.*?)</p>', text))  # a line breaks after hyphens
    assert "photo 1" in text
    assert "What the hints did" not in text
    forgetful = Colorizer(**(SMALL | {"n_sample_rows": 0})).fit(photos[:3])
    explainer = Explainer(forgetful.open(photos[3]))
    text = explanation_report(explainer, [explainer.at(60, 80)])
    check(text)
    assert "remembers no places of its training photographs" in text
    assert "What it reminds the model of" not in text
    assert "its features" in text


def test_the_pull_of_an_album_is_told_as_such(tiny_colorizer, photos):
    session = tiny_colorizer.open(photos[0])
    for opened, count in ((session, 0), (session.in_album(tiny_colorizer.palette_shares(photos[7])), 1)):
        explainer = Explainer(opened)
        assert explanation_report(explainer, [explainer.at(60, 80)]).count("references or the album") == count


def test_explanation_of_a_tiny_and_of_a_deep_photograph(tiny_colorizer, photos):
    for pixels in (photos[0].pixels[:9, :13], photos[0].pixels.astype(np.uint16) * 257):
        explainer = Explainer(tiny_colorizer.open(RgbImage(pixels.copy())))
        check(explanation_report(explainer, [explainer.at(*place) for place in explainer.places(2)]))


def test_every_family_has_plain_words():
    assert set(FAMILIES) == set(KNOWN_FAMILIES)


def test_an_explanation_needs_no_words_of_the_trade(remembering, photos):
    height, width = photos[0].shape
    hints = Hints((height, width), (Mark("point", [[height // 2, width // 2]], (20, 40, 200), radius=6),))
    for explainer in (Explainer(remembering.open(photos[0]), hints=given) for given in (None, hints)):
        for row, col in explainer.places(5):
            told = place_in_words(explainer, explainer.at(row, col))
            words = " ".join([*told["sentences"], *(step["title"] for step in told["steps"])]).lower()
            for word in ("encoder", "classifier", "palette", "region", "units of ab", "feature", "gradient"):
                assert word not in words


@pytest.mark.parametrize(
    ("factor", "text"), [(1, "× 1.0"), (2.04, "× 2.0"), (1 / 4, "÷ 4.0"), (0.98, "× 1.0"), (35.2, "× 35")]
)
def test_odds_are_told_as_factors(factor, text):
    assert odds(float(np.log(factor))) == text


def test_evaluation_draws_confidence(evaluation):
    text = evaluation_report(evaluation)
    assert "Does its confidence mean what it says?" in text
    assert f"The surest quarter: {evaluation.confidence.best_quarter.value:.2f}" in text


def test_gallery_keeps_what_was_asked_for(evaluation):
    assert set(evaluation.gallery.pictures) == set(range(12))
    assert all(list(picture.results) == ["model"] for picture in evaluation.gallery.pictures.values())


@pytest.mark.parametrize("library", ["jinja2", "matplotlib"])
def test_missing_library_is_named_with_its_extra(monkeypatch, library):
    real = importlib.import_module

    def without(name, *arguments):
        if name.partition(".")[0] == library:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return real(name, *arguments)

    monkeypatch.setattr(importlib, "import_module", without)
    with pytest.raises(MissingDependencyError, match=rf"{library}.*'\.\[report\]'"):
        check_installed()
