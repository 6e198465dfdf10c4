"""Studies that train: the category matrix and the learning curve, on photographs small enough for a test."""

import csv
import io
import json

import numpy as np
import pytest

from colorize.evaluation.measure import EvaluationResult
from colorize.evaluation.study import ALL, ALL_EQUAL, study_categories, study_curve, usual_sizes
from colorize.exceptions import DatasetError
from colorize.training.dataset import DatasetReport, TrainingSet
from colorize.types import RgbImage

SMALL = {"n_colors": 4, "n_superpixels": 24, "n_sample_rows": 10, "classifier": "kernel"}


def tinted(seed: int, tint: tuple[int, int, int]) -> RgbImage:
    """A photograph of one tint and random lightness."""
    rng = np.random.default_rng(seed)
    light = np.kron(rng.uniform(0.3, 1, (8, 8)), np.ones((8, 8)))[..., None]
    colors = np.array(tint) + rng.normal(0, 12, (64, 64, 3))
    return RgbImage(np.clip(light * colors, 0, 255).astype(np.uint8))


def album(tint: tuple[int, int, int], n: int = 12) -> TrainingSet:
    photos = tuple(tinted(seed, tint) for seed in range(n))
    return TrainingSet(photos, tuple(f"{seed}.png" for seed in range(n)), DatasetReport(n, n, n, ()))


@pytest.fixture(scope="module")
def study():
    sets = {"fire": album((230, 90, 40)), "sea": album((40, 90, 230)), "few": album((90, 90, 90), 3)}
    left_out = {"empty": "holds no photographs"}
    return study_categories(sets, methods=("classical", "mean"), parameters=SMALL, left_out=left_out)


@pytest.mark.slow
def test_own_kind_wins_and_all_together_is_between(study):
    for method in ("classical", "mean"):
        matrix = study.matrix(method)
        assert matrix.shape == (4, 2)
        own, other = np.diag(matrix[:2]), np.diag(matrix[:2, ::-1])
        assert (own < 0.5 * other).all()
    assert (study.matrix("mean")[3] > np.diag(study.matrix("mean")[:2])).all()


@pytest.mark.slow
def test_sets_sizes_and_reasons(study):
    assert study.categories == ("fire", "sea")
    assert study.training == {"fire": 10, "sea": 10, ALL_EQUAL: 10, ALL: 20}
    assert study.left_out == {"empty": "holds no photographs", "few": "3 usable photographs, 10 needed"}
    assert all(result.n_photos == 2 for result in study.results.values())
    assert study.against_own("mean")[0][0].value == 0
    assert study.against_own("mean")[1][0].value > 5


@pytest.mark.slow
def test_intervals_are_made_once_for_each_category(study, monkeypatch):
    made, intervals = [], EvaluationResult.intervals
    monkeypatch.setattr(EvaluationResult, "intervals", lambda result: made.append(1) or intervals(result))
    cells = study.cells("mean")
    assert len(made) == 2
    np.testing.assert_allclose(study.matrix("mean"), [[cell.value for cell in row] for row in cells], rtol=1e-12)
    assert len(made) == 2


@pytest.mark.slow
def test_files_of_the_study(study):
    rows = list(csv.DictReader(io.StringIO(study.to_csv())))
    assert len(rows) == 2 * (1 + 2 * 4)
    assert "" in rows[0].values()  # limits of an interval, for which there are too few photographs
    assert "nan" not in study.to_csv()
    content = json.loads(study.to_json())
    assert content["tested"]["sea"]["figures"]["mean: fire"]["ciede2000"]["value"] == pytest.approx(
        study.matrix("mean")[0, 1]
    )
    table = study.table()
    assert f"{study.matrix('classical')[1, 1]:.2f}" in table
    assert "gray" in table
    assert study.pictures["sea"]["classical: fire"].shape == (64, 64, 3)


def test_too_few_categories_and_unknown_methods_are_refused():
    with pytest.raises(DatasetError, match=r"at least 2 sub-folders.*few: 3 usable"):
        study_categories({"sea": album((40, 90, 230)), "few": album((90, 90, 90), 3)})
    with pytest.raises(ValueError, match="magic"):
        study_categories({}, methods=("magic",))


@pytest.mark.slow
def test_curve_measures_every_size_on_the_same_photographs():
    photos = [tinted(seed, (230, 90, 40) if seed % 2 else (40, 90, 230)) for seed in range(14)]
    curve = study_curve(photos[:8], photos[8:], sizes=(8, 2), parameters=SMALL)
    assert curve.sizes == (2, 8)
    assert len(curve.points()) == 2
    assert curve.gains()[1].value == pytest.approx(curve.points()[1].value - curve.points()[0].value)
    assert set(curve.seconds) == {f"{method}: {size}" for method in ("classical", "lookup") for size in (2, 8)}
    assert len(list(csv.reader(io.StringIO(curve.to_csv())))) == 1 + 5
    assert json.loads(curve.to_json())["sizes"] == [2, 8]
    assert "measured on 6 photographs" in curve.table()


@pytest.mark.parametrize("sizes", [(1, 5), (5, 50)])
def test_impossible_sizes_are_refused(sizes):
    photos = [tinted(seed, (200, 90, 40)) for seed in range(6)]
    with pytest.raises(ValueError, match=r"sizes must lie in 2\.\.6"):
        study_curve(photos, photos, sizes=sizes)


def test_usual_sizes_double_and_end_with_all():
    assert usual_sizes(800) == (25, 50, 100, 200, 400, 800)
    assert usual_sizes(110) == (25, 50, 110)  # 100 would teach next to nothing beside 110
    assert usual_sizes(3) == (2, 3)
    assert usual_sizes(2) == (2,)
