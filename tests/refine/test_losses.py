"""What is minimised: known values, and agreement with the palette's own code."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from colorize.recognition.palette import anneal  # noqa: E402
from colorize.refine import losses  # noqa: E402
from colorize.training.quantization import ColorPalette  # noqa: E402

pytestmark = pytest.mark.torch


def plane(*color):
    return torch.tensor(color, dtype=torch.float32).reshape(1, 2, 1, 1)


@pytest.mark.parametrize(
    ("found", "true", "cie94"),
    [
        ((40, 0), (30, 0), 10 / (1 + 0.045 * 1200**0.5)),  # chroma alone
        ((30, 0), (0, 30), (2 * 30**2) ** 0.5 / (1 + 0.015 * 30)),  # hue alone
    ],
)
def test_perceived_loss_is_half_distance_half_cie94(found, true, cie94):
    distance = np.hypot(found[0] - true[0], found[1] - true[1])
    # one unit is rounded off under the roots, which moves the result by less than 0.1
    assert losses.perceived_loss(plane(*found), plane(*true)).item() == pytest.approx((distance + cie94) / 2, abs=0.1)


def test_perceived_loss_has_a_slope_everywhere():
    ab = torch.zeros(1, 2, 1, 1, requires_grad=True)
    losses.perceived_loss(ab, plane(0, 0)).backward()
    assert torch.isfinite(ab.grad).all()


def test_pixel_losses():
    assert losses.pixel_loss("l1", plane(50, 0), plane(0, 0)).item() == pytest.approx(0.25)
    assert losses.pixel_loss("l1+gan", plane(50, 0), plane(0, 0)).item() == pytest.approx(0.25)
    assert losses.pixel_loss("l2", plane(50, 0), plane(0, 0)).item() == pytest.approx(0.125)


def test_rare_classes_weigh_more_and_the_mean_stays():
    frequencies = torch.tensor([0.7, 0.2, 0.1])
    weights = losses.rebalanced_weights(frequencies)
    assert weights[0] < weights[1] < weights[2]
    assert (weights * frequencies).sum().item() == pytest.approx(1)


@pytest.fixture
def palette():
    rng = np.random.default_rng(0)
    return ColorPalette(12, random_state=0).fit(rng.normal(0, 30, (400, 2)))


def test_classes_are_shared_and_decoded_as_the_palette_does(palette):
    rng = np.random.default_rng(1)
    ab = rng.normal(0, 30, (6, 2)).astype(np.float32)
    colors = torch.from_numpy(palette.colors_)
    shares = losses.soft_classes(torch.from_numpy(ab.T.reshape(1, 2, 2, 3).copy()), colors)
    np.testing.assert_allclose(shares[0].reshape(12, 6).T, palette.encode_soft(ab), atol=1e-4)
    logits = torch.from_numpy(rng.normal(size=(1, 12, 2, 3)).astype(np.float32))
    probabilities = torch.softmax(logits, 1)[0].reshape(12, 6).T.numpy()
    expected = anneal(probabilities, 0.38) @ palette.colors_
    found = losses.annealed_mean(logits, colors, 0.38)
    np.testing.assert_allclose(found[0].reshape(2, 6).T, expected, atol=1e-3)


def test_classification_loss_is_smallest_at_the_truth(palette):
    colors, weights = torch.from_numpy(palette.colors_), torch.ones(12)
    true = colors[5].reshape(1, 2, 1, 1)
    right = torch.log(losses.soft_classes(true, colors) + 1e-9)
    wrong = torch.log(losses.soft_classes(colors[0].reshape(1, 2, 1, 1), colors) + 1e-9)
    least = losses.classification_loss(right, true, colors, weights)
    assert least < losses.classification_loss(torch.zeros_like(right), true, colors, weights)
    assert least < losses.classification_loss(wrong, true, colors, weights)
    doubled = losses.classification_loss(right, true, colors, 2 * weights)
    assert doubled.item() == pytest.approx(2 * least.item())


def test_adversarial_losses_know_who_is_fooled():
    sure, fooled = torch.full((1, 1, 2, 2), -5.0), torch.full((1, 1, 2, 2), 5.0)
    assert losses.gan_generator_loss(fooled) < losses.gan_generator_loss(sure)
    assert losses.gan_discriminator_loss(fooled, sure) < losses.gan_discriminator_loss(sure, fooled)
    assert losses.wgan_generator_loss(fooled) == -5


@pytest.mark.parametrize(("slope", "penalty"), [(1.0, 0.0), (3.0, 40.0)])
def test_gradient_penalty_of_a_linear_critic(slope, penalty):
    """A critic whose score changes by `slope` per unit of ab / 100 has a gradient of just that length."""

    def critic(lightness, ab):
        return slope * ab[:, :1, :1, :1] / losses.AB_SCALE

    lightness, true, fake = torch.zeros(2, 1, 4, 4), torch.zeros(2, 2, 4, 4), torch.full((2, 2, 4, 4), 50.0)
    loss = losses.wgan_critic_loss(critic, lightness, true, fake, torch.full((2, 1, 1, 1), 0.5))
    assert loss.item() == pytest.approx(slope * 0.5 + penalty, abs=1e-4)
