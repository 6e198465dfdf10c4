"""`Refiner` and `Rival`: results, model files, and what is refused."""

import hashlib
from copy import copy

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from safetensors.numpy import save_file  # noqa: E402
from safetensors.torch import save_file as save_tensors  # noqa: E402
from sklearn.base import clone  # noqa: E402

from colorize.app.core import Core  # noqa: E402
from colorize.app.service import Service  # noqa: E402
from colorize.color import rgb_to_lightness, to_gray  # noqa: E402
from colorize.colorizer import Colorizer  # noqa: E402
from colorize.evaluation.loader import find_base, load_any_model  # noqa: E402
from colorize.exceptions import DeviceError, ModelFileError  # noqa: E402
from colorize.guidance.hints import Hints, Mark  # noqa: E402
from colorize.io import write_photo  # noqa: E402
from colorize.models.file import load_model, save_model, stated_digest  # noqa: E402
from colorize.models.format import digest  # noqa: E402
from colorize.refine import learners, predictor  # noqa: E402
from colorize.refine.networks import ENCODERS, ResNet50  # noqa: E402
from colorize.refine.predictor import Refiner, Rival, read_encoder  # noqa: E402
from colorize.types import GrayImage, RgbImage  # noqa: E402

pytestmark = pytest.mark.torch


def with_residual(refiner: Refiner, a: float, b: float) -> Refiner:
    """A refiner that shifts every colour by the same amount."""
    other = Refiner(refiner.base, device="cpu")
    other.network_ = learners.make_refiner().eval()
    other.network_.head.bias.data = torch.tensor([a, b]) / learners.REFINER_GAIN
    other.summary_, other.base_, other.base_sha256_ = refiner.summary_, refiner.base_, refiner.base_sha256_
    return other


@pytest.mark.parametrize("vividness", [0.0, 1.0])
def test_an_untrained_refiner_changes_nothing(refiner, tiny_colorizer, photos, vividness):
    identity = with_residual(refiner, 0, 0)
    before, after = (model.predict(photos[2], vividness=vividness) for model in (tiny_colorizer, identity))
    np.testing.assert_array_equal(after.rgb, before.rgb)
    np.testing.assert_array_equal(after.ab, before.ab)
    np.testing.assert_array_equal(after.region_ab, before.region_ab)
    np.testing.assert_array_equal(after.confidence, before.confidence)


def test_the_residual_lands_on_every_pixel(refiner, tiny_colorizer, photos):
    before, after = (model.predict(photos[2]) for model in (tiny_colorizer, with_residual(refiner, 6, -9)))
    # the solver stops at 0.3 units of ab
    np.testing.assert_allclose(after.ab - before.ab, np.broadcast_to([6, -9], before.ab.shape), atol=0.6)
    np.testing.assert_allclose(after.region_ab - before.region_ab, [[6, -9]] * len(before.region_ab), atol=1e-3)


def test_lightness_stays(refiner, photos):
    gray = to_gray(photos[4])
    result = refiner.predict(gray)
    assert np.abs(rgb_to_lightness(result.rgb) - gray.lightness).max() <= 0.3  # rounding to 8 bits


def test_hints_stay_exact(refiner, photos):
    hints = Hints(photos[4].shape, (Mark("point", [[60, 80]], (200, 40, 40), radius=3),))
    shifted = with_residual(refiner, 6, -9).open(photos[4])
    known = hints.rasterize(photos[4].shape).is_known
    before = refiner.base.open(photos[4]).with_hints(hints).ab[known]
    np.testing.assert_allclose(shifted.with_hints(hints).ab[known], before, atol=1e-3)


@pytest.mark.parametrize("shape", [(8, 9), (30, 400), (700, 500)])
def test_sizes_of_every_kind(refiner, rival, shape):
    rng = np.random.default_rng(0)
    gray = GrayImage(rng.uniform(0, 100, shape).astype(np.float32), bit_depth=16)
    for model in (refiner, rival):
        result = model.predict(gray)
        assert result.rgb.shape == (*shape, 3)
        assert result.rgb.dtype == np.uint16


def test_a_rival_keeps_lightness_and_takes_what_a_colorizer_takes(rival, scenes):
    photo = scenes[0]
    results = [rival.predict(given) for given in (photo, photo.pixels, to_gray(photo))]
    for result in results[1:]:
        np.testing.assert_array_equal(result.rgb, results[0].rgb)
    assert np.abs(rgb_to_lightness(results[0].rgb) - to_gray(photo).lightness).max() <= 0.3


def test_vividness_decodes_histograms_more_sharply(network_files, scenes):
    rival = Rival.load(network_files["rival"], device="cpu")
    rival.network_.head.bias.data = torch.linspace(0, 1, len(rival.classes_[0]))
    chroma = [np.hypot(*rival.predict(scenes[0], vividness=dial).ab.reshape(-1, 2).T).mean() for dial in (0, 1)]
    assert chroma[1] > chroma[0]
    with pytest.raises(ValueError, match="vividness"):
        rival.predict(scenes[0], vividness=2)


# Model files


def test_enough_photographs_are_held_out_to_be_beyond_doubt(photos, tiny_colorizer, monkeypatch):
    seen = []

    class Looked(Exception):
        pass

    def look(learner, training, held_out, *rest, **options):
        seen.append((len(training), len(held_out)))
        raise Looked

    monkeypatch.setattr(predictor, "Trainer", look)
    monkeypatch.setattr(predictor, "out_of_fold", lambda photos, *_, **__: [predictor.plain_example(p) for p in photos])
    for given in (photos[:10], [*photos, *photos]):
        with pytest.raises(Looked):
            Refiner(tiny_colorizer, epochs=1, device="cpu").fit(given)
    assert seen == [(5, 5), (19, 5)]


def test_a_cloned_refiner_refines_the_same_base(tiny_colorizer):
    copied = clone(Refiner(tiny_colorizer, epochs=3, crop=32))
    assert copied.base is tiny_colorizer
    assert (copied.epochs, copied.crop) == (3, 32)


def test_a_refiner_keeps_the_base_that_it_was_trained_on(network_files, tiny_colorizer, photos):
    base = copy(tiny_colorizer)
    loaded = Refiner.load(network_files["refiner"], base, device="cpu")
    expected = loaded.predict(photos[2]).rgb
    base.gain_ = 2.0  # as another training of the base would
    np.testing.assert_array_equal(loaded.predict(photos[2]).rgb, expected)
    loaded.set_params(base=None)
    np.testing.assert_array_equal(loaded.predict(photos[2]).rgb, expected)


def test_models_come_back_as_they_were(refiner, rival, network_files, tiny_colorizer, scenes, photos):
    loaded = Refiner.load(network_files["refiner"], tiny_colorizer, device="cpu")
    np.testing.assert_array_equal(loaded.predict(photos[1]).rgb, refiner.predict(photos[1]).rgb)
    assert loaded.summary_ == refiner.summary_
    loaded = Rival.load(network_files["rival"], device="cpu")
    np.testing.assert_array_equal(loaded.predict(scenes[1]).rgb, rival.predict(scenes[1]).rgb)
    assert loaded.summary_ == rival.summary_


def test_loading_leaves_the_random_numbers_of_torch_where_they_were(network_files, tiny_colorizer):
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    Refiner.load(network_files["refiner"], tiny_colorizer, device="cpu")
    Rival.load(network_files["rival"], device="cpu")
    assert torch.equal(torch.rand(3), expected)


def test_a_loaded_model_is_saved_as_the_same_bytes(network_files, tiny_colorizer, tmp_path):
    models = {
        "refiner": Refiner.load(network_files["refiner"], tiny_colorizer, device="cpu"),
        "rival": Rival.load(network_files["rival"], device="cpu"),
    }
    for kind, model in models.items():
        model.save(tmp_path / kind)
        assert (tmp_path / kind).read_bytes() == network_files[kind].read_bytes()


def test_a_refiner_knows_its_base_by_digest(network_files, tiny_colorizer, photos):
    assert digest(tiny_colorizer.trained) == stated_digest(network_files["classical"])
    other = Colorizer(n_colors=4, n_superpixels=30).fit(photos[:4])
    with pytest.raises(ModelFileError, match=r"refiner\.safetensors: refines the model with sha256 .* name the model"):
        Refiner.load(network_files["refiner"], other)
    for base in (None, "default"):
        with pytest.raises(TypeError, match=r"base must be a Colorizer, which Colorizer\.load gives, got \w+$"):
            Refiner.load(network_files["refiner"], base)
        with pytest.raises(TypeError, match="base must be a Colorizer"):
            Refiner(base).fit(photos)


def test_every_kind_is_loaded_by_its_header(network_files):
    kinds = [type(load_any_model(path, device="cpu")).__name__ for path in network_files.values()]
    assert kinds == ["Colorizer", "Refiner", "Rival"]
    assert find_base(network_files["refiner"]) == network_files["classical"]


def test_a_refiner_without_its_base_says_what_is_missing(network_files, tmp_path):
    lonely = tmp_path / "lonely.safetensors"
    lonely.write_bytes(network_files["refiner"].read_bytes())
    (tmp_path / "broken.safetensors").write_bytes(b"broken")
    with pytest.raises(ModelFileError, match=r"lonely.* neither shipped nor in the same folder"):
        load_any_model(lonely)


def test_an_unknown_kind_is_refused(tmp_path):
    save_model(tmp_path / "x.safetensors", {}, {}, kind="training")
    with pytest.raises(ModelFileError, match="kind 'training', which colorizes nothing"):
        load_any_model(tmp_path / "x.safetensors")


def test_a_wrong_kind_is_refused_by_name(network_files, tiny_colorizer):
    with pytest.raises(ModelFileError, match="kind 'rival', not 'refiner'"):
        Refiner.load(network_files["rival"], tiny_colorizer)
    with pytest.raises(ModelFileError, match="kind 'classical', not 'rival'"):
        Rival.load(network_files["classical"])
    with pytest.raises(ModelFileError, match="kind 'refiner', not 'classical'"):
        Colorizer.load(network_files["refiner"])


def damage_missing(header, arrays):
    arrays.pop(next(iter(arrays)))


def damage_shape(header, arrays):
    arrays[max(arrays)] = np.zeros((3, 3, 3), np.float32)


def damage_header(header, arrays):
    header.pop("summary")


@pytest.mark.parametrize("damage", [damage_missing, damage_shape, damage_header])
@pytest.mark.parametrize("kind", ["refiner", "rival"])
def test_parts_that_do_not_fit_are_refused(network_files, tiny_colorizer, tmp_path, kind, damage):
    header, arrays = load_model(network_files[kind], kind=kind)
    damage(header, arrays)
    path = tmp_path / "damaged.safetensors"
    save_model(path, header, arrays, kind=kind)
    with pytest.raises(ModelFileError, match=r"damaged.* parts of the model do not fit together") as caught:
        Refiner.load(path, tiny_colorizer) if kind == "refiner" else Rival.load(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("name", "value"), [("generator", "vgg"), ("objective", "l3")])
def test_a_rival_of_an_unknown_kind_is_refused(network_files, tmp_path, name, value):
    header, arrays = load_model(network_files["rival"], kind="rival")
    save_model(tmp_path / "x.safetensors", {**header, name: value}, arrays, kind="rival")
    with pytest.raises(ModelFileError, match=f"{name} must be one of"):
        Rival.load(tmp_path / "x.safetensors")


@pytest.fixture
def album_photo(photos, tmp_path):
    write_photo(photos[0], tmp_path / "a.png")
    return tmp_path / "a.png"


def test_the_app_compares_models_of_every_kind(network_files, album_photo):
    service = Service(Core(network_files["rival"].parent))
    found, _, true = service.errands.compare(
        "somebody", album_photo, [*network_files, "colours by lightness and height"]
    )
    service.core.close()
    assert true is not None
    rule = "colours by lightness and height of classical"
    assert [item.name for item in found] == ["classical", "refiner", "rival", rule]
    assert all(item.figures["ciede2000"] > 0 for item in found)


# Weights of the encoder


def weights_of(generator):
    """Random weights of a frozen encoder, with those of the layers that name things."""
    torch.manual_seed(1)
    encoder = ENCODERS[generator]
    state = {name: value.numpy().copy() for name, value in encoder().state_dict().items()}
    return state | {f"{name}weight": np.zeros(3, np.float32) for name in encoder.classifier}


@pytest.fixture(scope="module")
def encoder_weights():
    return weights_of("resnet50")


@pytest.mark.parametrize("generator", ENCODERS)
def test_weights_of_the_encoder_are_taken_from_a_file_and_never_trained(generator, scenes, tmp_path):
    weights, file, model = weights_of(generator), tmp_path / "weights.safetensors", tmp_path / "rival.safetensors"
    save_file(weights, file)
    rival = Rival(generator, "l1", encoder=file, epochs=1, crop=32, batch_size=4, device="cpu").fit(scenes[:5])
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    assert rival.summary_["encoder"] == f"from a file with sha256 {digest}"
    trained = rival.network_.encoder.state_dict()
    assert all(np.array_equal(trained[name].numpy(), weights[name]) for name in trained)
    rival.save(model)
    file.unlink()  # the model file stands on its own
    np.testing.assert_array_equal(Rival.load(model, device="cpu").predict(scenes[0]).ab, rival.predict(scenes[0]).ab)


def test_a_training_is_not_resumed_with_another_encoder(scenes, tmp_path):
    file, checkpoint = tmp_path / "weights.safetensors", tmp_path / "checkpoint.safetensors"
    save_file(weights_of("lite0"), file)
    parameters = {"epochs": 1, "crop": 32, "batch_size": 4, "device": "cpu"}
    Rival("lite0", "l1", encoder=file, **parameters).fit(scenes[:5], checkpoint=checkpoint)
    with pytest.raises(ModelFileError, match=r"a training with encoder 'from a file with sha256 .*', not 'random'"):
        Rival("lite0", "l1", **parameters).fit(scenes[:5], checkpoint=checkpoint, resume=True)


def test_numbers_that_numpy_lacks_are_refused(tmp_path):
    path = tmp_path / "half.safetensors"
    save_tensors({"conv1.weight": torch.zeros(2, dtype=torch.bfloat16)}, path)
    with pytest.raises(ModelFileError, match=r"no safetensors file with weights of torchvision's ResNet-50 .*bfloat16"):
        read_encoder(path, "resnet50")


def test_old_weights_without_counters_will_do(encoder_weights, tmp_path):
    old = {name: array for name, array in encoder_weights.items() if not name.endswith("num_batches_tracked")}
    save_file(old, tmp_path / "old.safetensors")
    assert set(read_encoder(tmp_path / "old.safetensors", "resnet50")) == set(ResNet50().state_dict())


def test_weights_that_are_missing_or_others_are_refused(encoder_weights, scenes, tmp_path):
    def refusal(arrays, generator="resnet50") -> str:
        path = tmp_path / "weights.safetensors"
        path.unlink(missing_ok=True)
        if arrays is not None:
            save_file(arrays, path)
        with pytest.raises(ModelFileError) as caught:
            Rival(generator, "l1", encoder=path, epochs=1, device="cpu").fit(scenes)
        message = str(caught.value)
        assert message.startswith(f"{path}: no ")
        assert "\n" not in message
        return message

    assert "no safetensors file with weights of torchvision's ResNet-50" in refusal(None)
    assert "no weights of EfficientNet-Lite0: lacks _blocks.0" in refusal(encoder_weights, "lite0")
    assert "lacks bn1.bias, bn1.running_mean" in refusal({"conv1.weight": encoder_weights["conv1.weight"]})
    assert "holds unknown layer5.x" in refusal({**encoder_weights, "layer5.x": np.zeros(1, np.float32)})
    narrow = {**encoder_weights, "layer1.0.conv1.weight": np.zeros((64, 32, 1, 1), np.float32)}
    assert "another shape of layer1.0.conv1.weight" in refusal(narrow)


# Devices


@pytest.fixture
def no_cuda(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)


@pytest.mark.usefixtures("no_cuda")
def test_cuda_without_a_device_is_one_clear_error(scenes, network_files, tiny_colorizer):
    for ask in (
        lambda: Rival(device="cuda").fit(scenes),
        lambda: Rival.load(network_files["rival"], device="cuda"),
        lambda: Refiner.load(network_files["refiner"], tiny_colorizer, device="cuda"),
        lambda: load_any_model(network_files["rival"], device="cuda"),
    ):
        with pytest.raises(DeviceError, match=r"device cuda was asked for, but .*; use cpu or auto"):
            ask()
    assert learners.choose_device("auto") == torch.device("cpu")


def test_auto_takes_cuda_where_it_is(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert learners.choose_device("auto") == torch.device("cuda")
    assert learners.choose_device("cpu") == torch.device("cpu")


def test_precision_on_the_cpu_is_full():
    with learners.mixed_precision(torch.device("cpu")):
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == torch.float32


@pytest.mark.gpu
def test_a_gpu_trains_and_predicts(scenes):
    rival = Rival("unet", "l1+gan", epochs=2, crop=32, batch_size=4, device="cuda").fit(scenes)
    assert rival.predict(scenes[0]).rgb.shape == (40, 48, 3)


# Quality


@pytest.mark.slow
@pytest.mark.data
def test_a_rival_beats_gray_on_photographs(data_folder):
    from colorize.evaluation.measure import measure
    from colorize.recognition.rules import NO_COLOR
    from colorize.training.dataset import load_folder

    train = load_folder(data_folder / "bsds500" / "train", limit=40).photos
    test = load_folder(data_folder / "bsds500" / "val", limit=20, select=False).photos
    rival = Rival("unet", "l1", epochs=6, device="cpu").fit(train)
    means = measure({"gray": NO_COLOR, "rival": rival}, test).means()
    assert means["rival"]["ciede2000"] < means["gray"]["ciede2000"]


def test_photographs_of_colour_are_taken_for_gray(rival, scenes):
    photo = scenes[0]
    gray = RgbImage(np.repeat(photo.pixels.max(axis=2, keepdims=True), 3, axis=2))
    assert rival.predict(gray).rgb.shape == photo.pixels.shape
