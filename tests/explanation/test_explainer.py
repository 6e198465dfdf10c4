"""Explanations: they add up, they find what the colour really depends on, and they say what they cannot know."""

import json
from dataclasses import replace

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from colorize.color import lab_to_rgb
from colorize.colorizer import Colorizer
from colorize.exceptions import ColorizeError, PlaceError
from colorize.explanation import Explainer, explain
from colorize.explanation.account import CARRIED, sentences
from colorize.features import CLASSICAL
from colorize.features.superpixels import resize_labels
from colorize.guidance.hints import Hints, Mark
from colorize.guidance.picture import Picture
from colorize.types import RgbImage


@pytest.fixture(scope="module")
def session(tiny_colorizer, photos):
    return tiny_colorizer.open(photos[0])


@pytest.fixture(scope="module")
def explainer(session):
    return Explainer(session)


@pytest.fixture(scope="module")
def hints(session):
    marks = (Mark("point", [[30, 40]], (170, 60, 50)), Mark("point", [[100, 120]], (50, 90, 170), reach="similar"))
    return Hints(session.gray.shape, marks)


def grained(rng, ab_of):
    """A photograph of even grain, whose colour is a function of the row, column and lightness alone."""
    lightness = (55 + 6 * rng.normal(size=(96, 128))).clip(20, 90).astype(np.float32)
    rows, cols = np.indices(lightness.shape) / np.array(lightness.shape)[:, None, None]
    return RgbImage(np.asarray(lab_to_rgb(lightness, ab_of(rows, cols)), np.uint8))


def blue_above(rows, _cols):
    return np.where(rows[..., None] < 0.5, [0.0, -40.0], [10.0, 45.0]).astype(np.float32)


@pytest.fixture(scope="module")
def by_position():
    """A model of a world in which the upper half of everything is blue; the encoder, who knows ours, is not asked."""
    rng = np.random.default_rng(0)
    photos = [grained(rng, blue_above) for _ in range(10)]
    return Colorizer(n_colors=3, n_superpixels=60, families=CLASSICAL).fit(photos), grained(rng, blue_above)


@pytest.mark.slow
def test_steps_add_up_to_the_odds_in_the_end(explainer):
    height, width = explainer.result.image.shape
    for row, col in ((0, 0), (height - 1, width - 1), (60, 80), (20, 130)):
        found = explainer.at(row, col)
        assert sum(found.steps().values()) == pytest.approx(found.log_odds[-1], abs=1e-3)  # float32 logarithms
        assert sum(found.attribution.values()) == pytest.approx(found.log_odds[0], abs=1e-3)


@pytest.mark.parametrize("row", [20, 76])
def test_the_family_that_the_colour_depends_on_speaks_for_it_most(by_position, row):
    model, photo = by_position
    found = explain(model, photo, row, 64)
    parts = {name: value for name, value in found.attribution.items() if name != "start"}
    assert max(parts, key=parts.get) == "position"
    assert parts["position"] > 2 * sum(abs(value) for name, value in parts.items() if name != "position") / 7
    assert (found.ab[1] < -15) == (row < 48)


def test_memories_are_the_nearest_rows_of_the_sample(explainer, session, tiny_colorizer):
    found = explainer.at(60, 80)
    here = tiny_colorizer.scaler_.transform(session.description.features.values[[found.region]])
    rows = tiny_colorizer.sample_["features"].astype(np.float32)
    distances = np.sort(np.linalg.norm(rows - here, axis=1))
    np.testing.assert_allclose(found.memories.distance, distances[:12], rtol=1e-5)
    near = np.linalg.norm(found.memories.ab - found.ab, axis=1) < 20
    assert found.memories.agreement == pytest.approx(near.mean())
    assert found.memories.photo[0].startswith("photo ")
    assert found.memories.picture == (None,) * 12


def test_a_training_region_remembers_itself(by_position):
    model, _ = by_position
    rng = np.random.default_rng(0)
    found = explain(model, grained(rng, blue_above), 20, 64)  # the first training photograph
    assert found.memories.photo[0] == "photo 1"
    assert found.memories.strangeness < 0.1  # the sample is rounded to float16


def test_winner_and_rival_look_different(explainer):
    found = explainer.at(60, 80)
    agreed = found.probabilities[-1]
    away = np.linalg.norm(found.colors - found.colors[found.winner], axis=1)
    assert found.winner == agreed.argmax()
    assert away[found.rival] >= 20
    assert agreed[found.rival] == agreed[away >= 20].max()


def test_opinions_are_those_of_the_decision(explainer, session, tiny_colorizer):
    decision = tiny_colorizer.model.decide(session.description, session.guided.probabilities)
    found = explainer.at(60, 80)
    expected = [opinion[found.region] for opinion in (session.guided.probabilities, decision.shared, decision.agreed)]
    np.testing.assert_array_equal(found.probabilities, expected)
    np.testing.assert_allclose(found.probabilities.sum(axis=1), 1, atol=1e-5)
    np.testing.assert_array_equal(found.ab, session.colorize().region_ab[found.region])


def test_explaining_changes_no_colour(session, explainer, photos, tiny_colorizer):
    np.testing.assert_array_equal(explainer.result.rgb, tiny_colorizer.predict(photos[0]).rgb)


def test_a_picture_without_hints_is_finished_once(session, monkeypatch):
    finished, finish = [], Picture.finished
    monkeypatch.setattr(Picture, "finished", lambda *said: finished.append(said) or finish(*said))
    Explainer(session)
    assert len(finished) == 1


@pytest.mark.slow
def test_effects_of_hints_add_up(session, hints):
    explainer = Explainer(session, hints=hints)
    parts = resize_labels(session.view.parts.superpixels, session.gray.shape)
    for row, col in ((30, 40), (60, 80), (100, 120)):
        effect = explainer.at(row, col).hints
        # ab of some tens of units in float32
        np.testing.assert_allclose(effect.before + effect.shift.sum(axis=0), effect.after, atol=1e-3)
        sizes = np.linalg.norm(effect.shift, axis=1)
        assert (np.diff(sizes) <= 0).all()
        assert effect.is_hinted == (row != 60)
        if effect.is_hinted:  # what is believed of a part, and what it became; beside a thing its colour still spreads
            part = parts == parts[row, col]
            np.testing.assert_allclose(effect.after, explainer.result.ab[part].mean(axis=0), atol=0.5)


@pytest.mark.slow
def test_a_region_moves_as_its_parts_do(session, hints):
    explainer = Explainer(session, hints=hints)
    region = explainer.region_of(100, 120)
    pixels = np.argwhere(session.description.superpixels.labels == region)
    parts = session.view.parts.superpixels.labels[tuple(pixels.T)]
    _, first, counts = np.unique(parts, return_index=True, return_counts=True)
    effects = [explainer.at(row, col).hints for row, col in pixels[first].tolist()]
    moved = np.average([effect.after - effect.before for effect in effects], axis=0, weights=counts)
    before, after = (result.region_ab[region] for result in (session.colorize(), explainer.result))
    assert np.linalg.norm(moved) > 1
    np.testing.assert_allclose(moved, after - before, atol=1e-3)


@pytest.mark.slow
def test_references_are_a_step_of_their_own(tiny_colorizer, photos, explainer):
    assert "references" not in explainer.at(60, 80).steps()
    found = Explainer(tiny_colorizer.open(photos[0], references=[photos[7]])).at(60, 80)
    assert sum(found.steps().values()) == pytest.approx(found.log_odds[-1], abs=1e-3)
    assert abs(found.steps()["references"]) > 0.01


def test_a_colour_that_came_over_from_beside_is_told_as_such(by_position):
    """One row of pixels between blue and orange of one lightness: what spreading mixes there was decided for nobody."""
    model, photo = by_position
    explainer = Explainer(model.open(photo))
    result = explainer.result
    decided = result.region_ab[resize_labels(explainer.superpixels, photo.shape)]
    apart = np.linalg.norm(result.ab - decided, axis=-1)
    most, least = (np.unravel_index(k, apart.shape) for k in (apart.argmax(), apart.argmin()))
    assert apart[most] > CARRIED > apart[least]
    there, elsewhere = (explainer.at(*map(int, place)) for place in (most, least))
    assert there.carried == pytest.approx(apart[most])
    assert elsewhere.carried == pytest.approx(apart[least])
    told = [sentence for sentence in sentences(there) if "came over from beside" in sentence]
    assert f", {apart[most]:.0f} away where 2.3 is just visible" in told[0]
    assert not any("came over" in sentence for sentence in sentences(elsewhere))


@pytest.mark.slow
def test_what_is_hinted_did_not_come_from_beside(session, hints):
    found = Explainer(session, hints=hints).at(30, 40)
    assert found.hints.is_hinted
    assert found.hints.is_exact
    assert found.carried == 0
    assert "as hinted on this very place" in sentences(found)[0]
    beside = Explainer(session, hints=hints).at(60, 80)
    assert not beside.hints.is_exact
    assert beside.carried == pytest.approx(np.linalg.norm(beside.pixel_ab - beside.hints.after))


@pytest.fixture(scope="module")
def crossed(session):
    """A blue hint whose thing ends inside of regions: what it did to a part is not what it did to the region."""
    return Explainer(session, hints=Hints(session.gray.shape, (Mark("point", [[40, 100]], (30, 60, 200), radius=4),)))


def apart_from_its_region(explainer, is_moved):
    """Of the places that hints moved or left alone the one where the region's colour tells the least of it."""
    session, parts = explainer.session, explainer.session.view.parts.superpixels
    before = session.prior(explainer.vividness)
    after = before.posterior(session.observations(explainer.hints)).mean
    moved, mixed = (
        np.linalg.norm(ab, axis=-1)
        for ab in (after - before.mean, after - session.view.over_parts(explainer.result.region_ab))
    )
    part = int(np.where(moved > 30 if is_moved else moved < 2.3, mixed, 0).argmax())
    assert mixed[part] > 20
    row, col = np.argwhere(resize_labels(parts, session.gray.shape) == part)[0]
    return explainer.at(int(row), int(col))


@pytest.mark.slow
@pytest.mark.parametrize("is_moved", [True, False])
def test_with_hints_the_colour_of_the_part_is_named_not_that_of_a_mixed_region(crossed, is_moved):
    found = apart_from_its_region(crossed, is_moved)
    assert np.linalg.norm(found.ab - found.hints.after) > 20
    np.testing.assert_array_equal(found.given_ab, found.hints.after)
    assert found.carried == pytest.approx(np.linalg.norm(found.pixel_ab - found.hints.after))
    first, *more = sentences(found)
    assert first.startswith(f"Shown is {found.named(found.hints.after)}, ")
    is_near = np.linalg.norm(found.colors[found.winner] - found.hints.after) <= 20
    assert first.endswith(", near it." if is_near else ", apart from it.")
    (hinted,) = [sentence for sentence in more if "without them" in sentence] if is_moved else [""]
    if is_moved:
        shift = np.linalg.norm(found.hints.after - found.hints.before)
        assert hinted.startswith(f"Hints moved it by {shift:.1f} where 2.3 is just visible; ")
        assert found.moved == pytest.approx(shift)
    assert found.to_dict()["given_ab"] == pytest.approx(found.hints.after.tolist())


@pytest.mark.slow
def test_a_place_far_from_what_hints_made_of_its_part_is_told_as_carried(crossed):
    """Also in a part that has hints on itself: only the pixels that were painted are exact."""
    session = crossed.session
    said = session.observations(crossed.hints)
    parts = resize_labels(session.view.parts.superpixels, session.gray.shape)
    after = session.prior(crossed.vividness).posterior(said).mean
    beside = np.isin(parts, said.regions) & ~crossed.hints.rasterize(session.gray.shape).is_known
    apart = np.where(beside, np.linalg.norm(crossed.result.ab - after[parts], axis=-1), 0)
    far = crossed.at(*map(int, np.unravel_index(apart.argmax(), apart.shape)))
    assert far.hints.is_hinted
    assert far.carried == pytest.approx(apart.max(), abs=1e-3)
    assert far.carried > CARRIED
    assert any("came over from beside" in sentence for sentence in sentences(far))


def test_a_small_move_is_not_told_with_the_same_name_twice(session, hints):
    found = Explainer(session, hints=hints).at(60, 80)
    effect = replace(found.hints, before=np.array([10, 22], np.float32), after=np.array([10, 27], np.float32))
    told = sentences(replace(found, hints=effect, lightness=62.0))
    assert told[0].startswith("Shown is pale brown, as hints moved it")
    assert "without them it would be a grayer pale brown." in " ".join(told)


@pytest.mark.slow
def test_a_rival_is_not_called_what_is_shown(explainer):
    """Likeliest a gray, the rival a brown, and the mean of all a brown as well."""
    colors = np.array([[0, 0], [9, 26], [-9, -9]], np.float32)
    opinions = np.array([[0.3, 0.5, 0.2], [0.4, 0.4, 0.2], [0.5, 0.4, 0.1]], np.float32)
    parts = {"colors": colors, "probabilities": opinions, "winner": 0, "rival": 1, "lightness": 62.0}
    for shown, rival in (
        ((7, 20), "a stronger pale brown"),
        ((10, 28), "a grayer pale brown"),
        ((-9, -9), "pale brown"),
    ):
        ab = np.array(shown, np.float32)
        told = sentences(replace(explainer.at(60, 80), **parts, ab=ab, pixel_ab=ab, attribution=None, memories=None))
        assert told[1] == f"The likeliest colour that looks different from gray: {rival} (40%)."
        assert told[2].startswith(f"Taken by itself it looked more like {rival} (50%, against 30%)")


def test_more_is_not_said_of_two_numbers_that_read_alike(explainer):
    found = explainer.at(60, 80)
    opinions = np.full_like(found.probabilities, 0.01)
    opinions[0, :2], opinions[1:, :2] = (0.184, 0.176), (0.176, 0.184)
    told = sentences(replace(found, probabilities=opinions, winner=1, rival=0, attribution=None, memories=None))
    (line,) = (line for line in told if line.startswith("Taken by itself"))
    assert line.endswith("(18% each): its surroundings outvoted it.")
    assert "as much like" in line


def test_hints_that_did_not_reach_a_place_are_not_named_there(session, hints):
    found = Explainer(session, hints=hints).at(60, 80)
    for moved, is_said in ((2.2, False), (2.4, True)):
        effect = replace(found.hints, after=found.hints.before + np.array([moved, 0], np.float32))
        told = " ".join(sentences(replace(found, hints=effect)))
        assert ("as hints moved it" in told) == ("Hints moved it" in told) == is_said
        assert ("a mean of the colours" in told) != is_said


@pytest.mark.slow
def test_a_hint_moves_its_own_region_most(session, hints):
    effect = Explainer(session, hints=hints).at(30, 40).hints
    assert np.linalg.norm(effect.place[0] - [30, 40]) < 15
    assert effect.shift[0, 0] > 5  # towards red


def test_without_hints_nothing_is_said_of_them(explainer):
    found = explainer.at(60, 80)
    assert found.hints is None
    assert found.to_dict()["hints"] is None


@pytest.mark.slow
def test_everything_fits_into_json(session, hints):
    found = Explainer(session, hints=hints).at(60, 80)
    read = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert read["steps"] == found.steps()
    assert len(read["palette"]["agreed"]) == 8
    assert len(read["hints"]["shift"]) == len(found.hints.shift)


@pytest.mark.parametrize("place", [(-1, 0), (0, -1), (120, 0), (0, 160), (10**9, 0)])
def test_a_place_outside_the_photograph_is_refused(explainer, place):
    with pytest.raises(PlaceError, match="outside the photograph: rows are 0 to 119, columns 0 to 159") as caught:
        explainer.at(*place)
    assert isinstance(caught.value, (ColorizeError, IndexError))
    assert "\n" not in str(caught.value)


def test_a_model_in_place_of_a_session_is_told_how_to_make_one(tiny_colorizer):
    with pytest.raises(TypeError, match=r"session must be a Session, which Colorizer\.open gives, got Colorizer"):
        Explainer(tiny_colorizer)


def test_places_lie_in_the_photograph_and_apart(explainer):
    places = explainer.places(5)
    assert 1 <= len(places) <= 5
    regions = [explainer.region_of(*place) for place in places]
    assert len(set(regions)) == len(places)
    assert explainer.places(5) == places


def test_the_largest_area_comes_first(by_position):
    model, photo = by_position
    explainer = Explainer(model.open(photo))
    first, second = explainer.places(2)
    assert (first[0] < 48) != (second[0] < 48)  # one in each half


@pytest.mark.slow
def test_places_of_a_photograph_larger_than_the_working_size(tiny_colorizer, pictures):
    large = np.kron(pictures["coffee"], np.ones((2, 2, 1), np.uint8))
    explainer = Explainer(tiny_colorizer.open(large))
    for row, col in explainer.places(4):
        assert explainer.at(row, col).region == explainer.region_of(row, col)
    assert explainer.region_of(799, 1199) == explainer.superpixels.labels[-1, -1]


@pytest.mark.slow
def test_a_model_without_sample_rows_explains_what_it_can(photos):
    model = Colorizer(n_colors=4, n_superpixels=30, n_sample_rows=0).fit(photos[:3])
    found = explain(model, photos[3], 60, 80)
    assert found.memories is None
    assert found.attribution is None
    assert list(found.steps()) == ["features", "neighbours", "agreement"]
    assert sum(found.steps().values()) == pytest.approx(found.log_odds[-1], abs=1e-3)
    assert found.to_dict()["memories"] is None


def test_a_colour_that_was_never_a_class_is_explained(by_position):
    model, photo = by_position
    found = explain(model, photo, 20, 64)
    assert np.isfinite(list(found.steps().values())).all()


def test_family_parts_sum_to_the_components(tiny_colorizer, session):
    scaler, rows = tiny_colorizer.scaler_, session.description.features.values
    np.testing.assert_allclose(scaler.family_parts(rows).sum(axis=0), scaler.transform(rows), atol=1e-4)
    kept = tiny_colorizer.sample_["features"].astype(np.float32)
    np.testing.assert_allclose(scaler.split_components(kept).sum(axis=0), kept, atol=1e-4)


@pytest.mark.slow
def test_pixels_that_are_held_move_nothing_and_are_exact(session):
    held = Hints(session.gray.shape, (Mark("point", [[60, 80]], (20, 40, 200), radius=3, reach="pixels"),))
    explainer = Explainer(session, hints=held)
    here, elsewhere = explainer.at(60, 80), explainer.at(20, 20)
    assert here.hints.is_hinted
    assert here.carried == 0
    # What the model believes of the place has not heard of it, and is not what is seen.
    assert sentences(here)[0].startswith(f"Shown is {here.named(here.pixel_ab)}, as hinted on this very place")
    assert here.moved == pytest.approx(np.linalg.norm(here.pixel_ab - here.hints.before))
    assert not elsewhere.hints.is_hinted
    for found in (here, elsewhere):
        assert found.hints.shift.shape == found.hints.place.shape == (0, 2)
        np.testing.assert_array_equal(found.hints.before, found.hints.after)
        assert found.to_dict()
        assert sentences(found)


def test_one_thread_explains(explainer, monkeypatch):
    n_threads = []

    def watched(score, row, background):
        n_threads.extend(pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas")
        return 0.0, np.zeros(len(row))

    monkeypatch.setattr("colorize.explanation.explainer.attribute", watched)
    with threadpool_limits(2, user_api="blas"):
        explainer.at(60, 80)
    assert set(n_threads) == {1}


@pytest.mark.parametrize("place", [(1.0, 2), (3, None), ("1", "2")])
def test_a_place_is_a_pixel(explainer, place):
    with pytest.raises(PlaceError, match="row and col must be whole numbers of pixels, got"):
        explainer.at(*place)
