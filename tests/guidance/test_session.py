"""A session: hints are met exactly, everything else follows, and nothing depends on what was asked before."""

import tracemalloc

import cv2
import numpy as np
import pytest
from threadpoolctl import threadpool_limits

import colorize.guidance.canvas
import colorize.guidance.references
from colorize.color import map_to_gamut, rgb_to_lab, rgb_to_lightness, to_gray
from colorize.color.metrics import ciede2000
from colorize.exceptions import HintsError, InvalidImageError
from colorize.guidance.alternatives import MOODS
from colorize.guidance.hints import Hints, Mark
from colorize.guidance.references import look_at
from colorize.guidance.session import _Last
from colorize.optimization import multigrid
from colorize.optimization.propagate import BYTES_PER_PIXEL
from colorize.recognition.belief import Belief
from colorize.types import REACHES, GrayImage, RgbImage


@pytest.fixture(scope="module")
def session(tiny_colorizer, photos):
    return tiny_colorizer.open(photos[0])


def patch(photo, *places, size=5, reach="photo"):
    """True colours of a photograph around some places, as a layer."""
    layer = np.zeros((*photo.shape, 4), np.uint8)
    for row, col in places:
        here = np.s_[row : row + size, col : col + size]
        layer[here][..., :3], layer[here][..., 3] = photo.pixels[here], 255
    return Hints.from_rgba(layer, photo.shape, reach=reach)


def point(session, row, col, color, **options):
    return Hints(session.gray.shape, (Mark("point", [[row, col]], color, **options),))


@pytest.mark.slow
def test_predict_is_a_session_without_hints(tiny_colorizer, photos):
    for vividness in (0, 0.5, 1):
        one = tiny_colorizer.predict(photos[2], vividness=vividness)
        other = tiny_colorizer.open(photos[2]).colorize(vividness)
        for name in ("rgb", "ab", "confidence", "region_ab", "probabilities"):
            np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
        assert one.notes == other.notes == ()


def test_an_album_draws_the_colours_and_hints_stay_exact(tiny_colorizer, session, photos):
    palette = tiny_colorizer.palette_shares(photos[3])
    album = session.in_album(palette)
    one, other = tiny_colorizer.predict(photos[0], palette=palette), album.colorize()
    for name in ("rgb", "ab", "confidence", "region_ab", "probabilities"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    assert (other.ab != session.colorize().ab).any()
    hints = patch(photos[0], (20, 30))
    known = hints.rasterize(photos[0].shape).is_known
    np.testing.assert_allclose(album.with_hints(hints).ab[known], session.with_hints(hints).ab[known], atol=1e-3)
    with pytest.raises(ValueError, match="palette must hold"):
        session.in_album(palette[1:])
    with pytest.raises(ValueError, match="palette must be an array of numbers, got str"):
        session.in_album("sepia")


def test_a_shift_moves_the_automatic_colours_and_adds_up(session, photos):
    n = session.description.superpixels.n_superpixels
    offset = np.tile(np.float32([5, -7]), (n, 1))
    before, after = session.colorize(0.2), session.shifted(offset).shifted(offset).colorize(0.2)
    np.testing.assert_allclose(after.region_ab - before.region_ab, 2 * offset, atol=1e-4)
    # the solver stops at 0.3 units of ab
    np.testing.assert_allclose(after.ab - before.ab, np.broadcast_to([10, -14], before.ab.shape), atol=0.6)
    np.testing.assert_array_equal(session.colorize(0.2).ab, before.ab)
    for wrong in (offset[1:], np.full_like(offset, np.nan)):
        with pytest.raises(ValueError, match="offset must be"):
            session.shifted(wrong)


def test_a_session_does_not_change_with_an_array_of_its_caller(session):
    n = session.description.superpixels.n_superpixels
    offset, palette = np.ones((n, 2), np.float32), session.view.model.palette.colors_[:, 0] * 0 + 0.1
    shifted, album = session.shifted(offset), session.in_album(palette)
    offset[:], palette[:] = 9, 1
    assert (shifted.automatic.offset == 1).all()
    np.testing.assert_allclose(album.guided.album, 0.1)
    assert session.shifted([[1, 2]] * n).colorize().region_ab.dtype == np.float32


def test_another_photograph_is_no_other_size(session, photos):
    with pytest.raises(TypeError, match=r"gray must be a GrayImage, which colorize\.to_gray gives, got RgbImage"):
        session.at_size(photos[0])
    height, width = session.gray.shape
    with pytest.raises(ValueError, match=rf"gray must have the aspect ratio of \({height}, {width}\) pixels, got"):
        session.at_size(GrayImage(session.gray.lightness[: height // 2]))


def test_parts_are_smaller_than_regions_and_stay_the_same(session, pictures):
    regions, parts = session.description.superpixels, session.view.parts.superpixels
    assert 2 * regions.n_superpixels < parts.n_superpixels < 3 * regions.n_superpixels
    assert parts.shape == regions.shape
    large = session.gray.shape[0] * 2, session.gray.shape[1] * 2
    for other in (
        session.choose(1),
        session.at_size(GrayImage(cv2.resize(session.gray.lightness, large[::-1]))),
        session.in_album(np.full(8, 1 / 8, np.float32)),
    ):
        assert other.view.parts is session.view.parts


def test_places_are_suggested_without_a_solve(tiny_colorizer, photos, monkeypatch):
    solves = []
    plain = multigrid.solve
    monkeypatch.setattr(multigrid, "solve", lambda *a, **k: solves.append(1) or plain(*a, **k))
    opened = tiny_colorizer.open(photos[0])
    before = opened.colorize()
    assert len(opened.suggest(3, patch(photos[0], (20, 30)))) == 3
    np.testing.assert_array_equal(opened.colorize().ab, before.ab)  # kept meanwhile
    assert solves == [1]


def test_pixels_that_are_held_say_nothing_of_others(session):
    before = session.colorize()
    held = point(session, 60, 80, (20, 40, 200), radius=3, reach="pixels")
    after = session.with_hints(held)
    known = held.rasterize(session.gray.shape).is_known
    assert (np.abs(after.ab - before.ab)[known].max(axis=1) > 10).all()
    np.testing.assert_array_equal(after.region_ab, before.region_ab)
    assert np.abs(after.ab - before.ab)[:, 130:].max() < 1


@pytest.mark.slow
def test_what_references_teach_is_learnt_once(tiny_colorizer, photos, monkeypatch):
    calls = []
    plain = colorize.guidance.guidance.learnt_elsewhere
    monkeypatch.setattr(colorize.guidance.guidance, "learnt_elsewhere", lambda *a: calls.append(1) or plain(*a))
    opened = tiny_colorizer.open(photos[0], [photos[3], photos[4]])
    faithful, bold = opened.colorize(0.0), opened.colorize(1.0)
    opened.at_size(opened.gray).with_hints(patch(photos[0], (20, 30)))
    assert calls == [1]
    afresh = tiny_colorizer.open(photos[0], [photos[3], photos[4]])
    np.testing.assert_array_equal(afresh.colorize(1.0).ab, bold.ab)
    assert (faithful.ab != bold.ab).any()


def test_what_the_model_says_itself_is_no_news(session):
    """A hint of the automatic colour, of every reach, changes nothing elsewhere."""
    before = session.colorize(0.0)
    row, col = session.suggest(1)[0].row, session.suggest(1)[0].col
    color = tuple(int(value) for value in before.rgb[row, col])
    for reach in REACHES:
        after = session.with_hints(point(session, row, col, color, radius=0, reach=reach), 0.0)
        assert np.abs(after.ab - before.ab).max() < 3  # that pixel is not the mean of its part
        assert np.abs(after.ab - before.ab).mean() < 0.5


@pytest.mark.parametrize("reach", REACHES)
def test_hinted_pixels_get_their_colour_exactly(session, photos, reach):
    hints = patch(photos[0], (20, 30), (80, 100), (100, 10), reach=reach)
    result = session.with_hints(hints)
    known = hints.rasterize(photos[0].shape).is_known
    true = rgb_to_lab(photos[0].pixels)[known]
    assert ciede2000(true, np.column_stack([true[:, 0], result.ab[known]])).max() < 0.5
    assert np.percentile(ciede2000(true, rgb_to_lab(result.rgb[known])), 99) < 0.8  # rounding to 8 bits
    assert (result.confidence[known] == 1).all()  # what is asked for on the very pixel is no guess


def test_hints_only_ever_make_sure(session, photos):
    before = session.colorize().confidence
    hints = patch(photos[0], (20, 30), reach="pixels")
    others = ~hints.rasterize(photos[0].shape).is_known
    silent = session.with_hints(hints).confidence
    np.testing.assert_allclose(silent[others], before[others], atol=1e-5)  # nobody else heard it
    heard = session.with_hints(patch(photos[0], (20, 30), (80, 100), reach="photo")).confidence
    assert (heard >= before - 1e-5).all()
    assert heard[20, 30] > before[20, 30]
    assert heard.max() <= 1


def test_lightness_stays_what_it_was(session, photos):
    result = session.with_hints(patch(photos[0], (20, 30)))
    # half a step of 8 bits, in dark tones
    assert np.abs(rgb_to_lightness(result.rgb) - session.gray.lightness).max() <= 0.3


@pytest.mark.slow
def test_hints_bring_the_photograph_nearer_to_the_truth(tiny_colorizer, pictures, photos):
    before, after = [], []
    for photo in photos[::3]:
        opened = tiny_colorizer.open(photo)
        true = rgb_to_lab(photo.pixels)
        hints = patch(photo, *np.random.default_rng(0).integers(0, 110, (20, 2)))
        for result, errors in ((opened.colorize(0.0), before), (opened.with_hints(hints, 0.0), after)):
            errors.append(ciede2000(true, np.dstack([true[..., 0], result.ab])).mean())
    assert np.mean(after) < 0.8 * np.mean(before)


def test_nothing_depends_on_what_was_asked_before(tiny_colorizer, photos):
    one, other = (tiny_colorizer.open(photos[1]) for _ in range(2))
    hints = patch(photos[1], (20, 30), (90, 120))
    other.with_hints(patch(photos[1], (60, 60)), 1.0)
    other.alternatives(3)
    other.suggest(2, hints)
    np.testing.assert_array_equal(one.with_hints(hints).rgb, other.with_hints(hints).rgb)
    np.testing.assert_array_equal(one.colorize().rgb, other.colorize().rgb)


def test_neutral_gray_is_a_wish(session):
    colored = point(session, 60, 80, (200, 60, 30), radius=20)
    gray = point(session, 60, 80, (128, 128, 128), radius=8)
    alone, both = session.with_hints(colored).ab[60, 80], session.with_hints(colored + gray).ab[60, 80]
    assert np.hypot(*alone) > 10
    np.testing.assert_allclose(both, 0, atol=1e-3)


def test_here_is_not_heard_far_away(tiny_colorizer):
    lightness = np.full((80, 120), 30, np.float32)
    lightness[:, 60:] = 75
    opened = tiny_colorizer.open(GrayImage(lightness))
    before = opened.colorize().ab
    moved = {}
    for reach in REACHES:
        after = opened.with_hints(point(opened, 40, 20, (150, 20, 20), reach=reach)).ab
        moved[reach] = np.abs(after - before)[:, 90:].mean()
        assert np.abs(after - before)[:, :40].mean() > 5
    assert moved["here"] < 0.5
    assert moved["here"] <= moved["similar"] < moved["photo"]


@pytest.fixture(scope="module")
def things(tiny_colorizer):
    """A dark square on light ground, and a darker frame around both, without noise."""
    lightness = np.full((120, 160), 75, np.float32)
    lightness[40:80, 50:100] = 35
    lightness[:8], lightness[-8:] = 5, 5
    return tiny_colorizer.open(GrayImage(lightness))


@pytest.mark.parametrize("kind", ["point", "stroke"])
def test_a_stroke_stays_on_its_thing_and_fills_it(things, kind):
    places = [[60, 65], [60, 80]]
    hints = Hints(things.gray.shape, (Mark(kind, places, (120, 30, 110), 3),))
    before, after = things.colorize().ab, things.with_hints(hints).ab
    wished = map_to_gamut(35, rgb_to_lab(np.uint8([120, 30, 110]))[1:])
    inside = np.zeros(before.shape[:2], bool)
    inside[42:78, 52:98] = True
    outside = cv2.dilate(inside.astype(np.uint8), np.ones((9, 9))) == 0
    assert np.mean(np.linalg.norm(after - wished, axis=2)[inside] <= 5) > 0.95
    assert np.mean(np.linalg.norm(after - before, axis=2)[outside] > 5) < 0.05


def test_a_thing_that_is_pointed_at_as_it_is_stays_beside_another_colour(things):
    before = things.colorize()
    red = Mark("point", [[20, 30]], (230, 120, 120), 3, "photo")
    as_it_is = Mark("stroke", [[60, 60], [60, 90]], tuple(int(v) for v in before.rgb[60, 75]), 3)
    shape = things.gray.shape
    moved = [
        np.linalg.norm(things.with_hints(Hints(shape, marks)).ab - before.ab, axis=2)[45:75, 55:95].mean()
        for marks in ((red,), (red, as_it_is))
    ]
    assert moved[1] < 0.5 * moved[0]


def test_a_hint_gives_equal_bytes_on_any_number_of_threads(things):
    hints = point(things, 60, 70, (120, 30, 110))
    results = []
    for n in (1, 2):
        with threadpool_limits(n):
            results.append(things.with_hints(hints).ab.tobytes())
    assert results[0] == results[1]


def test_what_srgb_cannot_show_is_mapped_and_reported(tiny_colorizer):
    lightness = np.full((40, 60), 95, np.float32)
    opened = tiny_colorizer.open(GrayImage(lightness))
    result = opened.with_hints(point(opened, 20, 30, (255, 0, 0), radius=0))
    wished = rgb_to_lab(np.uint8([255, 0, 0]))[1:]
    np.testing.assert_allclose(result.ab[20, 30], map_to_gamut(95, wished), atol=1e-3)
    assert result.notes == (
        "1 of 1 hinted pixels, too dark or too light for so strong a colour, get as much of it as can be shown",
    )


def test_contradictions_and_strays_are_reported(session):
    marks = (Mark("point", [[20, 30]], (90, 60, 60)), Mark("point", [[20, 30], [500, 30]], (60, 90, 60)))
    notes = session.with_hints(Hints(session.gray.shape, marks)).notes
    assert len(notes) == 2
    assert "outside the photo" in notes[0]
    assert "the later hint counts" in notes[1]


def test_hints_for_another_photograph_are_refused(session):
    with pytest.raises(HintsError, match="must have the same aspect ratio"):
        session.with_hints(Hints((100, 300), (Mark("point", [[20, 30]], (90, 60, 60)),)))


@pytest.mark.slow
def test_hints_on_a_small_preview_serve_the_large_photograph(tiny_colorizer, photos):
    large = RgbImage(photos[0].pixels.repeat(8, axis=0).repeat(8, axis=1))
    result = tiny_colorizer.open(large).with_hints(patch(photos[0], (20, 30)))
    true = rgb_to_lab(photos[0].pixels[22, 32])[1:]
    np.testing.assert_allclose(result.ab[22 * 8 + 4, 32 * 8 + 4], true, atol=1e-3)


@pytest.mark.parametrize("shape", [(1, 1), (2, 3), (1, 200), (9, 4)], ids=str)
def test_small_photographs_take_hints(tiny_colorizer, shape):
    opened = tiny_colorizer.open(np.random.default_rng(0).integers(60, 200, shape, np.uint8))
    result = opened.with_hints(point(opened, 0, 0, (150, 100, 90), radius=0))
    assert result.rgb.shape == (*shape, 3)
    assert len(opened.suggest(3)) >= 1
    assert len(opened.alternatives(3)) == 3


# Where to click


def test_suggestions_lie_in_their_regions_and_offer_colours(session):
    places = session.suggest(6)
    labels = session.description.superpixels.labels
    assert len({place.label for place in places}) == 6
    for place in places:
        assert labels[place.row, place.col] == place.label
        assert 1 <= len(place.colors) <= 5
        assert place.colors.shape == (len(place.ab), 3)
        assert (np.diff(place.probabilities) <= 0).all()
        assert place.probabilities.sum() <= 1 + 1e-5


def test_suggestions_stand_well_inside_their_regions(session):
    labels = session.description.superpixels.labels
    found = []
    for place in session.suggest(20):
        inside = np.pad((labels == place.label).astype(np.uint8), 1)
        depth = cv2.distanceTransform(inside, cv2.DIST_L2, 5)[1:-1, 1:-1]
        found.append(depth[place.row, place.col] / depth.max())
    assert np.mean(found) > 0.95  # 0.98, and 0.90 where eight pixels were deep enough


def test_what_was_said_is_not_asked_again(session, photos):
    first = session.suggest(1)[0]
    hints = patch(photos[0], (first.row - 2, first.col - 2))
    assert session.suggest(1, hints)[0].label != first.label


def test_colours_offered_follow_the_hints(session):
    place = session.suggest(1)[0]
    palette = session.view.model.palette.colors_
    red = int(palette[:, 0].argmax())
    hints = point(session, place.row, place.col, (220, 40, 60), radius=25)
    offered = next(other for other in session.suggest(60, hints) if other.label == place.label)
    before = session.guided.probabilities[place.label, red]
    after = offered.probabilities[np.linalg.norm(offered.ab - palette[red], axis=1) < 13].sum()
    assert after > before


@pytest.mark.parametrize("n", [0, -1, 2.5, None])
def test_no_places_are_no_suggestion(session, n):
    with pytest.raises(ValueError, match=f"n must be at least 1, got {n}"):
        session.suggest(n)


# Alternatives


def test_alternatives_differ_visibly_and_begin_with_the_usual(session):
    results = session.alternatives(5)
    np.testing.assert_array_equal(results[0].rgb, session.colorize().rgb)
    labs = [rgb_to_lab(result.rgb) for result in results]
    for k, one in enumerate(labs):
        for other in labs[:k]:
            assert ciede2000(one, other).mean() > 2
    assert max(np.abs(rgb_to_lightness(r.rgb) - session.gray.lightness).max() for r in results) <= 0.3


def test_alternatives_are_colder_warmer_greener_and_rosier(session):
    a, b = np.array([result.region_ab.mean(axis=0) for result in session.alternatives(5)]).T
    assert b[1] < b[0] < b[2]
    assert a[3] < a[0] < a[4]


def test_a_chosen_alternative_is_where_one_goes_on(session, photos):
    chosen = session.choose(3)
    # a solve that starts elsewhere stops within a unit of ab
    assert np.abs(chosen.colorize().ab - session.alternatives(4)[3].ab).max() < 2
    hints = patch(photos[0], (20, 30))
    far = np.s_[100:, 130:]
    toward = session.alternatives(4)[3].ab[far].mean(axis=(0, 1)) - session.colorize().ab[far].mean(axis=(0, 1))
    moved = chosen.with_hints(hints).ab[far].mean(axis=(0, 1)) - session.with_hints(hints).ab[far].mean(axis=(0, 1))
    assert toward @ moved > 0
    np.testing.assert_array_equal(session.choose(0).colorize().region_ab, session.colorize().region_ab)


def test_confidence_is_that_of_the_colours_shown(session):
    usual, other = session.alternatives(2)
    moved = session.shifted(np.full_like(usual.region_ab, 40)).colorize()
    decision = session.guided.decision
    for result in (usual, other, moved):
        sure = decision.confidence(result.region_ab)
        smooth = session.canvas.smooth(sure, session.description.superpixels)
        np.testing.assert_allclose(result.confidence, smooth, atol=1e-6)
    assert moved.confidence.mean() < usual.confidence.mean() - 0.1


def test_alternatives_obey_hints(session, photos):
    hints = patch(photos[0], (20, 30), (80, 100))
    known = hints.rasterize(photos[0].shape).is_known
    true = rgb_to_lab(photos[0].pixels)[known][:, 1:]
    for result in session.alternatives(3, hints):
        np.testing.assert_allclose(result.ab[known], true, atol=0.1)


def test_modes_are_computed_once_for_the_same_hints(tiny_colorizer, photos, monkeypatch):
    calls = []
    plain = Belief.modes
    monkeypatch.setattr(Belief, "modes", lambda belief, n: calls.append(n) or plain(belief, n))
    opened = tiny_colorizer.open(photos[0])
    opened.alternatives(9)
    opened.choose(8).alternatives(3, vividness=1.0)
    assert len(calls) == 1
    hints = patch(photos[0], (20, 30))
    opened.alternatives(5, hints)
    opened.choose(2, hints)
    assert len(calls) == 2
    # what the modes follow from has changed
    opened.in_album(np.full(8, 1 / 8, np.float32)).choose(1)
    opened.at_size(opened.gray).choose(1, hints)
    assert len(calls) == 4


def test_hints_are_worked_out_once_for_all_alternatives(tiny_colorizer, photos, monkeypatch):
    calls = []
    posterior, rasterize = Belief.posterior, Hints.rasterize
    monkeypatch.setattr(Belief, "posterior", lambda *said: calls.append("posterior") or posterior(*said))
    monkeypatch.setattr(Hints, "rasterize", lambda *said: calls.append("rasterize") or rasterize(*said))
    opened, hints = tiny_colorizer.open(photos[0]), patch(photos[0], (20, 30))
    found = opened.alternatives(4, hints)
    # One posterior is that of the picture; the modes need one without pixels, for any vividness.
    assert sorted(calls) == ["posterior", "posterior", "rasterize"]
    (last,) = opened.alternatives(4, hints, first=3)
    np.testing.assert_array_equal(last.rgb, found[3].rgb)
    with pytest.raises(ValueError, match=r"first must be in 0\.\.3, got 4"):
        opened.alternatives(4, first=4)


def test_the_usual_picture_is_chosen_without_work(tiny_colorizer, photos, monkeypatch):
    monkeypatch.setattr(Belief, "modes", lambda *_: pytest.fail("modes are not needed"))
    opened = tiny_colorizer.open(photos[0])
    assert opened.choose(0) is opened


def test_what_a_session_goes_on_with_cannot_be_written_to(session):
    believed = session.prior()
    for name in ("deviation", "correlation", "areas", "apart"):
        with pytest.raises(ValueError, match="read-only"):
            getattr(believed, name)[:] = 0


@pytest.mark.parametrize("number", [1, 4, 5, 8])
def test_a_step_is_a_mood_along_a_mode(session, photos, number):
    hints = patch(photos[0], (20, 30))
    belief = session.automatic.rough_prior().posterior(session.observations(hints))
    level, mood = divmod(number - 1, 4)
    wanted = belief.modes(level + 1)[level] * list(MOODS.values())[mood]
    chosen = session.choose(number, hints)
    np.testing.assert_allclose(
        chosen.automatic.chosen, wanted, atol=1e-6
    )  # an eigenvector found alone or beside another


@pytest.mark.parametrize("n", [0, 10, 2.0, "3"])
def test_too_few_or_many_alternatives(session, n):
    with pytest.raises(ValueError, match=rf"n must be in 1\.\.9, got {n!r}"):
        session.alternatives(n)


@pytest.mark.parametrize("number", [-1, 9, 2.0, None])
def test_an_alternative_that_is_not_there(session, number):
    with pytest.raises(ValueError, match=rf"number must be in 0\.\.8, got {number}"):
        session.choose(number)


# References


def tinted(photo, ab):
    from colorize.color import lab_to_rgb

    lab = rgb_to_lab(photo.pixels)
    return RgbImage(lab_to_rgb(lab[..., 0], lab[..., 1:] * 0.4 + np.float32(ab)))


@pytest.mark.slow
def test_a_reference_pulls_towards_its_colours(tiny_colorizer, photos):
    plain = tiny_colorizer.open(photos[4]).colorize(0.0).ab.mean(axis=(0, 1))
    means = [
        tiny_colorizer.open(photos[4], [tinted(photos[5], ab)]).colorize(0.0).ab.mean(axis=(0, 1))
        for ab in ((25, 10), (-15, -25))
    ]
    assert means[0][0] > plain[0] + 1
    assert means[1][1] < plain[1] - 1


@pytest.mark.slow
def test_strength_decides_how_much(tiny_colorizer, photos):
    reference = look_at(tiny_colorizer.model, [tinted(photos[5], (25, 10))])
    ab = [tiny_colorizer.open(photos[4], reference, s).colorize(0.0).ab[..., 0].mean() for s in (0, 0.5, 1)]
    assert ab[0] < ab[1] < ab[2]
    np.testing.assert_allclose(
        tiny_colorizer.open(photos[4], reference, 0).colorize().ab, tiny_colorizer.predict(photos[4]).ab, atol=1e-2
    )


def test_several_references_and_hints_together(tiny_colorizer, photos):
    opened = tiny_colorizer.open(photos[4], [photos[5].pixels, photos[6]])
    result = opened.with_hints(patch(photos[4], (20, 30)))
    np.testing.assert_allclose(result.ab[22, 32], rgb_to_lab(photos[4].pixels[22, 32])[1:], atol=1e-3)


def test_a_reference_without_colour_is_refused(tiny_colorizer, photos):
    gray = RgbImage(photos[5].pixels[..., :1].repeat(3, axis=2))
    with pytest.raises(InvalidImageError, match=r"references\[1\]: gray or toned; a reference must have colours"):
        tiny_colorizer.open(photos[4], [photos[5], gray])


@pytest.mark.parametrize("strength", [-0.1, 1.1, float("nan"), "1", None])
def test_strength_out_of_range(tiny_colorizer, photos, strength):
    with pytest.raises(ValueError, match=r"reference_strength must be in \[0, 1\], got"):
        tiny_colorizer.open(to_gray(photos[4]), reference_strength=strength)


def test_a_photograph_larger_than_the_solver_has_room_for(tiny_colorizer, photos, monkeypatch):
    """Its colours are those of the full solve to within what nobody sees, its hints exact on every pixel."""
    gray = to_gray(photos[0])
    hints = patch(photos[0], (20, 30), (80, 100), size=3)
    whole = tiny_colorizer.open(gray)
    usual, hinted = whole.colorize(), whole.with_hints(hints)
    assert not usual.report.reduced
    monkeypatch.setattr(colorize.guidance.canvas, "fitting_shape", lambda shape: tuple(2 * side // 3 for side in shape))
    small = tiny_colorizer.open(gray)
    assert small.canvas.gray.shape == tuple(2 * side // 3 for side in gray.shape)
    for before, after in ((usual, small.colorize()), (hinted, small.with_hints(hints))):
        assert after.report.reduced
        assert after.rgb.shape == before.rgb.shape
        assert after.confidence.shape == before.confidence.shape
        assert np.abs(after.ab - before.ab).mean() < 1.5
        assert np.abs(rgb_to_lightness(after.rgb) - gray.lightness).max() <= 0.3  # half a step of 8 bits, in dark tones
    known = hints.rasterize(gray.shape).is_known
    np.testing.assert_allclose(small.with_hints(hints).ab[known], hinted.ab[known], atol=1e-4)
    np.testing.assert_array_equal(small.colorize().ab, tiny_colorizer.predict(gray).ab)


@pytest.mark.parametrize("reach", REACHES)
def test_a_hinted_solve_holds_the_colours_before_and_no_other_field(session, photos, reach):
    gray = GrayImage(cv2.resize(session.gray.lightness, (600, 450)))
    hints = patch(photos[0], (20, 30), (80, 100), reach=reach)
    session.at_size(gray).with_hints(hints)  # compiled and imported
    tracemalloc.start()
    session.at_size(gray).with_hints(hints)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    # The colours before are 8 bytes a pixel, the mask of what is hinted 1; 3 for the border, the beliefs and the hints
    # of so small a photograph.
    assert peak < (BYTES_PER_PIXEL + 8 + 1 + 3) * gray.lightness.size


@pytest.mark.parametrize("given", ["hints.json", [1], np.zeros((4, 4, 4), np.uint8)], ids=["name", "list", "layer"])
def test_what_are_no_hints_says_how_to_make_them(session, given):
    with pytest.raises(TypeError, match=r"hints must be Hints, got \w+; Hints\.from_rgba and Hints\.from_json"):
        session.with_hints(given)


def test_the_last_answer_is_kept_and_no_other():
    made = []
    last = _Last()
    for key in (1, 1, 2, 1):
        assert last(key, lambda key=key: made.append(key) or [key]) == [key]
    assert made == [1, 2, 1]
