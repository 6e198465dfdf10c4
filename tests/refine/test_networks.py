"""The networks: sizes, names of weights, and that an untrained one changes nothing."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from colorize.refine import learners  # noqa: E402
from colorize.refine.networks import (  # noqa: E402
    ENCODERS,
    GENERATORS,
    EfficientNetLite0,
    PatchDiscriminator,
    ResNet50,
    SmallUNet,
    coordinates,
    make_generator,
)

pytestmark = pytest.mark.torch


@pytest.mark.parametrize("name", GENERATORS)
@pytest.mark.parametrize("shape", [(1, 1), (33, 50)])
def test_a_generator_answers_at_every_size_and_starts_with_zero(name, shape):
    with torch.no_grad():
        found = make_generator(name, 3).eval()(torch.rand(2, 1, *shape) * 100)
    assert found.shape == (2, 3, *shape)
    assert found.abs().max() == 0


def count_weights(network):
    return sum(parameter.numel() for parameter in network.parameters())


def test_sizes_are_those_that_the_documentation_names():
    with torch.device("meta"):
        assert count_weights(learners.make_refiner()) < 500_000
        assert count_weights(make_generator("unet", 2)) == pytest.approx(0.92e6, rel=0.03)
        assert count_weights(make_generator("unet-large", 2)) == pytest.approx(41.8e6, rel=0.01)
        assert count_weights(ResNet50()) == 23_508_032  # 25,557,032 of torchvision's less 2,049,000 of its last layer
        assert count_weights(EfficientNetLite0()) == 2_958_848  # 4,652,008 less 1,693,160 after the last block


def test_weights_of_the_encoder_have_the_names_of_torchvision():
    with torch.device("meta"):
        state = ResNet50().state_dict()
    assert len(state) == 318  # 320 with the last layer
    for name, shape in {
        "conv1.weight": (64, 3, 7, 7),
        "bn1.running_mean": (64,),
        "layer1.0.conv2.weight": (64, 64, 3, 3),
        "layer1.0.downsample.0.weight": (256, 64, 1, 1),
        "layer2.0.downsample.1.bias": (512,),
        "layer3.5.bn3.num_batches_tracked": (),
        "layer4.2.conv3.weight": (2048, 512, 1, 1),
    }.items():
        assert tuple(state[name].shape) == shape


def test_weights_of_the_lite_encoder_have_the_names_of_its_package():
    with torch.device("meta"):
        state = EfficientNetLite0().state_dict()
    assert len(state) == 288
    for name, shape in {
        "_conv_stem.weight": (32, 3, 3, 3),
        "_bn0.running_var": (32,),
        "_blocks.0._depthwise_conv.weight": (32, 1, 3, 3),
        "_blocks.0._bn2.weight": (16,),
        "_blocks.5._expand_conv.weight": (240, 40, 1, 1),
        "_blocks.15._project_conv.weight": (320, 1152, 1, 1),
    }.items():
        assert tuple(state[name].shape) == shape
    assert "_blocks.0._expand_conv.weight" not in state


def test_the_lite_encoder_pads_as_tensorflow_does():
    """SAME of an even picture and stride 2: a column more on the right than on the left, and as many below."""
    encoder = EfficientNetLite0()
    with torch.no_grad():
        encoder._conv_stem.weight.fill_(1)
        found = encoder._conv_stem(torch.ones(1, 3, 8, 8))[0, 0]
    assert found.shape == (4, 4)
    assert (found[:3, :3] == 27).all()
    assert (found[3, :3] == 18).all()
    assert (found[:3, 3] == 18).all()


@pytest.mark.parametrize("name", ENCODERS)
def test_the_encoder_stays_frozen_in_training(name):
    generator = make_generator(name, 2).train()
    before = {name: value.clone() for name, value in generator.encoder.state_dict().items()}
    generator(torch.rand(2, 1, 64, 64) * 100).sum().backward()
    assert all(torch.equal(value, before[name]) for name, value in generator.encoder.state_dict().items())
    assert not any(parameter.requires_grad for parameter in generator.encoder.parameters())
    assert generator.head.weight.grad is not None


def test_the_encoder_sees_gray_pictures_as_imagenet_has_them():
    from colorize.color import rgb_to_lightness
    from colorize.refine.networks import _imagenet_gray

    values = np.arange(0, 256, 5, dtype=np.uint8)
    lightness = torch.from_numpy(rgb_to_lightness(np.repeat(values[:, None], 3, axis=1)))[None, None, None]
    found = _imagenet_gray(lightness)[0, :, 0].numpy()
    expected = (values / 255 - np.array([[0.485], [0.456], [0.406]])) / np.array([[0.229], [0.224], [0.225]])
    np.testing.assert_allclose(found, expected, atol=2e-3)  # half a code value is 9e-3


def test_the_small_network_knows_place_and_surroundings():
    torch.manual_seed(0)
    network = SmallUNet(3, 1, (8, 8, 8)).eval()
    torch.nn.init.normal_(network.head.weight)
    gray = torch.full((1, 1, 32, 32), 50.0)
    with torch.no_grad():
        found = network(gray)
        assert (found[..., :16, :] - found[..., 16:, :]).abs().max() > 1e-4  # an even picture, but rows differ
        other = gray.clone()
        other[..., 0, 0] = 100
        assert (network(other) - found)[..., 31, 31].abs() > 1e-8  # the far corner has noticed
        np.testing.assert_array_equal(network(gray, place=coordinates(gray)), found)


def test_a_discriminator_judges_patches_of_70_pixels():
    critic = PatchDiscriminator(normalize=False)
    ab = torch.zeros(1, 2, 128, 128, requires_grad=True)
    critic(torch.zeros(1, 1, 128, 128), ab)[0, 0, 7, 7].backward()
    rows = torch.nonzero(ab.grad.abs().sum((0, 1, 3)) > 0).ravel()
    assert rows[-1] - rows[0] + 1 == 70
