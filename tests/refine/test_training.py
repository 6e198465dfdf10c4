"""Training that a person can trust: it learns, it can be interrupted, it stops when it should and says why."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from colorize.exceptions import DatasetError, ModelFileError, TrainingError  # noqa: E402
from colorize.models.file import load_model  # noqa: E402
from colorize.refine import learners, networks, training  # noqa: E402
from colorize.refine.data import plain_example  # noqa: E402
from colorize.refine.losses import OBJECTIVES  # noqa: E402
from colorize.refine.networks import GENERATORS  # noqa: E402
from colorize.refine.predictor import Rival  # noqa: E402
from colorize.types import RgbImage  # noqa: E402

pytestmark = pytest.mark.torch

QUICK = {"epochs": 2, "crop": 32, "batch_size": 2, "device": "cpu"}


@pytest.fixture
def narrow(monkeypatch):
    """The network of pix2pix with a tenth of its channels: its 42 million weights take long to make and to copy."""
    monkeypatch.setattr(networks, "_LARGE_WIDTHS", (8, 16, 32, 48, 48, 48, 48))


def check_learning(scenes, generator, objective):
    rival = Rival(generator, objective, **QUICK).fit(scenes)
    assert [entry["epoch"] for entry in rival.history_] == [0, 1, 2]
    assert rival.history_[2]["loss"] < rival.history_[1]["loss"]
    assert rival.summary_.get("encoder") == ("random" if generator in networks.ENCODERS else None)
    assert ("critic" in rival.history_[1]) == (objective in learners.CRITIC_STEPS)
    assert rival.predict(scenes[-1]).rgb.shape == (40, 48, 3)


@pytest.mark.usefixtures("narrow")
@pytest.mark.parametrize("objective", OBJECTIVES)
@pytest.mark.parametrize("generator", GENERATORS)
def test_every_pair_learns_in_two_epochs(scenes, generator, objective):
    check_learning(scenes, generator, objective)


@pytest.mark.slow
@pytest.mark.parametrize("objective", OBJECTIVES)
def test_the_whole_network_of_pix2pix_learns_in_two_epochs(scenes, objective):
    check_learning(scenes[:6], "unet-large", objective)  # two steps in an epoch


def test_a_small_network_learns_what_lightness_says(scenes):
    rival = Rival("unet", "l1", epochs=25, crop=32, batch_size=2, device="cpu").fit(scenes[:7])
    ab = rival.predict(scenes[7]).ab
    assert ab[:5, :, 1].mean() < -10  # light and above: blue
    assert ab[-5:, :, 1].mean() > 10  # dark and below: brown
    assert rival.summary_["ciede2000_held_out"] < 0.6 * rival.summary_["ciede2000_before"]


def states(rival):
    return {name: value.numpy().tobytes() for name, value in rival.network_.state_dict().items()}


class StopAt(Exception):
    """Stands for a machine that is switched off."""


@pytest.mark.parametrize("objective", ["l1", "l1+wgan-gp", "classification"])
def test_a_resumed_training_ends_with_the_same_bytes(scenes, tmp_path, objective):
    parameters = {**QUICK, "epochs": 3, "batch_size": 4}
    straight = Rival("unet", objective, **parameters).fit(scenes)

    def stop(epoch):
        if epoch.number == 1:
            raise StopAt

    checkpoint = tmp_path / "checkpoint.safetensors"
    with pytest.raises(StopAt):
        Rival("unet", objective, **parameters).fit(scenes, checkpoint=checkpoint, observe=stop)
    resumed = Rival("unet", objective, **parameters).fit(scenes, checkpoint=checkpoint, resume=True)
    assert states(resumed) == states(straight)
    losses = [{k: v for k, v in entry.items() if k != "seconds"} for entry in resumed.history_]
    assert losses == [{k: v for k, v in entry.items() if k != "seconds"} for entry in straight.history_]
    straight.save(tmp_path / "a.safetensors")
    resumed.save(tmp_path / "b.safetensors")
    assert (tmp_path / "a.safetensors").read_bytes() == (tmp_path / "b.safetensors").read_bytes()


def test_a_resumed_refiner_ends_with_the_same_bytes(photos, quick_colorizer, tmp_path):
    from colorize.refine.predictor import Refiner

    parameters = {"epochs": 3, "crop": 32, "batch_size": 5, "hold_out": 0.2, "device": "cpu"}

    def stop(epoch):
        if epoch.number == 1:
            raise StopAt

    checkpoint = tmp_path / "checkpoint.safetensors"
    straight = Refiner(quick_colorizer, **parameters).fit(photos)
    with pytest.raises(StopAt):
        Refiner(quick_colorizer, **parameters).fit(photos, checkpoint=checkpoint, observe=stop)
    resumed = Refiner(quick_colorizer, **parameters).fit(photos, checkpoint=checkpoint, resume=True)
    assert states(resumed) == states(straight)


def test_a_finished_training_is_not_trained_again(scenes, tmp_path):
    checkpoint = tmp_path / "checkpoint.safetensors"
    before = Rival(**QUICK).fit(scenes, checkpoint=checkpoint)
    seen = []
    after = Rival(**QUICK).fit(scenes, checkpoint=checkpoint, resume=True, observe=seen.append)
    assert seen == []
    assert states(after) == states(before)


@pytest.mark.parametrize(
    ("change", "match"),
    [({"objective": "l2"}, "objective 'l1', not 'l2'"), ({"random_state": 1}, "random_state 0, not 1")],
)
def test_a_checkpoint_of_another_training_is_refused(scenes, tmp_path, change, match):
    checkpoint = tmp_path / "checkpoint.safetensors"
    Rival(**QUICK).fit(scenes, checkpoint=checkpoint)
    with pytest.raises(ModelFileError, match=match):
        Rival(**{**QUICK, **change}).fit(scenes, checkpoint=checkpoint, resume=True)
    with pytest.raises(ModelFileError, match="a training with photographs '"):
        Rival(**QUICK).fit(scenes[::-1], checkpoint=checkpoint, resume=True)


def test_a_model_file_is_no_checkpoint(scenes, tmp_path, network_files):
    with pytest.raises(ModelFileError, match="kind 'rival', not 'training'"):
        Rival(**QUICK).fit(scenes, checkpoint=network_files["rival"], resume=True)


class FailsAt(learners.RivalLearner):
    """A loss that stops being a number in the given step."""

    def __init__(self, step, **options):
        super().__init__("unet", "l1", torch.device("cpu"), **options)
        self._bad = step

    def step(self, planes, place, share):
        losses = super().step(planes, place, share)
        return {"loss": float("nan")} if self.n_steps == self._bad else losses


def trainer(learner, scenes, *, n_trained=6, epochs=3, patience=None, **options):
    examples = [plain_example(scene) for scene in scenes]
    settings = training.Settings(epochs=epochs, crop=32, batch_size=2, patience=patience)
    return training.Trainer(learner, examples[:n_trained], examples[n_trained:], settings, **options)


def test_a_loss_that_is_no_number_stops_with_the_last_good_checkpoint(scenes, tmp_path):
    checkpoint = tmp_path / "checkpoint.safetensors"
    job = trainer(FailsAt(5), scenes, checkpoint=checkpoint)
    with pytest.raises(TrainingError, match=r"epoch 2: loss became nan in step 2; the last good state is .*checkpoint"):
        job.run()
    header, arrays = load_model(checkpoint, kind="training")
    assert [entry["epoch"] for entry in header["history"]] == [0, 1]
    assert all(np.isfinite(array).all() for array in arrays.values())


def test_a_weight_that_is_no_number_stops_too(scenes, tmp_path):
    learner = learners.RivalLearner("unet", "l1", torch.device("cpu"))
    job = trainer(learner, scenes)

    def poison(epoch):
        if epoch.number == 1:
            learner.network.stem.weight.data[0] = float("inf")

    job.observe = poison
    with pytest.raises(TrainingError, match=r"epoch 2: .*(finite|nan|inf)"):
        job.run()


def test_training_stops_when_nothing_gets_better(scenes):
    class Stuck(learners.RivalLearner):
        def colors(self, planes):
            return np.zeros((1, 2, *planes.shape[2:]), np.float32)

    outcome = trainer(Stuck("unet", "l1", torch.device("cpu")), scenes, epochs=50, patience=2).run()
    assert [entry["epoch"] for entry in outcome.history] == [0, 1, 2, 3]
    assert outcome.best["epoch"] == 1  # the untrained network is no outcome


def test_the_best_epoch_is_kept_not_the_last(scenes):
    class Worsens(learners.RivalLearner):
        def colors(self, planes):
            wrong = 0.0 if self.n_steps == 3 else 30.0
            return planes[:, 1:3] + np.float32(wrong)

    learner = Worsens("unet", "l1", torch.device("cpu"))
    outcome = trainer(learner, scenes).run()
    assert outcome.best["epoch"] == 1
    assert not np.array_equal(outcome.weights["stem.weight"], learners.weights_of(learner.average)["stem.weight"])


@pytest.mark.parametrize(("errors", "best"), [((5, 5, 5, 5, 5, 5), 1), ((0, 25, 0, 25, 0, 25), 0), ((15,) * 6, 0)])
def test_a_cautious_training_changes_something_only_beyond_doubt(scenes, errors, best):
    """Errors of 10 before; of 5 each, of 12.5 or 0 or 25, of 15 afterwards."""

    class Shifts(learners.RivalLearner):
        calls = -1

        def colors(self, planes):
            self.calls += 1
            shift = 10 if self.n_steps == 0 else errors[self.calls % 6]
            return planes[:, 1:3] + np.float32(shift)

    learner = Shifts("unet", "l1", torch.device("cpu"))
    outcome = trainer(learner, scenes, n_trained=2, epochs=1, cautious=True).run()
    assert outcome.best["epoch"] == best


def test_photographs_held_out_are_prepared_once(scenes, monkeypatch):
    prepared, whole = [], training.whole
    monkeypatch.setattr(training, "whole", lambda example: prepared.append(example) or whole(example))
    job = trainer(learners.RivalLearner("unet", "l1", torch.device("cpu")), scenes)
    assert len(job.run().history) == 4
    assert prepared == job.held_out


def test_minutes_end_a_training(scenes):
    rival = Rival(minutes=0.01, crop=32, batch_size=4, device="cpu").fit(scenes)
    assert rival.history_[-1]["seconds"] >= 0.5  # the last epoch may be cut short
    assert rival.history_[-2]["seconds"] < 0.6


def test_observers_see_samples_at_round_epochs(scenes):
    seen = {}
    Rival(**{**QUICK, "epochs": 6}).fit(scenes, observe=lambda epoch: seen.update({epoch.number: epoch.samples}))
    assert [number for number, samples in seen.items() if samples is not None] == [1, 2, 5]
    assert seen[1].shape == seen[5].shape
    assert seen[1].shape[0] == 96  # one photograph is held out
    width = seen[1].shape[1] // 3
    np.testing.assert_array_equal(seen[1][:, :width], seen[5][:, :width])  # the same photograph, gray
    np.testing.assert_array_equal(seen[1][:, 2 * width :], seen[5][:, 2 * width :])  # and true
    assert np.ptp(seen[1][:, :width].astype(int), axis=2).max() == 0


def test_random_numbers_of_the_caller_are_left_alone(scenes):
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    Rival(**{**QUICK, "epochs": 1}).fit(scenes)
    assert torch.equal(torch.rand(3), expected)


@pytest.mark.parametrize(
    ("parameters", "match"),
    [
        ({"epochs": 1, "minutes": 1}, "either epochs or minutes"),
        ({"epochs": 0}, "epochs must be at least 1"),
        ({"epochs": 1.5}, "epochs must be at least 1, got 1.5"),
        ({"minutes": "3"}, "minutes must be a positive number, got '3'"),
        ({"minutes": float("nan")}, "minutes must be a positive"),
        ({"epochs": 1, "crop": 8}, "crop must be at least 16"),
        ({"epochs": 1, "batch_size": 1}, "batch_size must be at least 2"),
        ({"epochs": 1, "patience": 0}, "patience must be at least 1"),
        ({"epochs": 1, "hold_out": 1.0}, "hold_out must lie between"),
        ({"generator": "vgg"}, "generator must be one of unet, unet-large, resnet50, lite0, got 'vgg'"),
        ({"objective": "l3"}, "objective must be one of l1"),
        ({"encoder": "x.safetensors"}, "encoder belongs to the generators resnet50 and lite0"),
        ({"device": "tpu"}, "device must be one of auto, cpu, cuda"),
    ],
)
def test_wrong_parameters_are_named(scenes, parameters, match):
    with pytest.raises(ValueError, match=match):
        Rival(**parameters).fit(scenes)


def test_two_photographs_are_too_few(scenes):
    for n in (0, 2):
        for objective in ("l1", "classification"):
            with pytest.raises(DatasetError, match=f"at least 3 photographs, got {n}"):
                Rival(**{**QUICK, "objective": objective}).fit(scenes[:n])


def test_flat_photographs_have_too_few_colors_to_tell_apart():
    flat = [RgbImage(np.full((40, 40, 3), 40 * k, np.uint8)) for k in range(4)]
    with pytest.raises(DatasetError, match="no palette can be learnt from these photographs: n_colors=64 needs"):
        Rival(**{**QUICK, "objective": "classification"}).fit(flat)
