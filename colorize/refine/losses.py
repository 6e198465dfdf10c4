"""What the networks are trained to minimise. Tensors in, tensors out; ab in CIELAB units throughout."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

OBJECTIVES = ("l1", "l2", "l1+gan", "l1+wgan-gp", "classification")
"""The objectives of the rivals."""

AB_SCALE = 100.0
"""Units of ab that count as 1 in the objectives of the rivals: strong colours."""

ADVERSARIAL_SHARE = 0.01
"""Weight of the discriminator's opinion beside the L1 loss (pix2pix: 1 to 100)."""

_N_NEAREST, _WIDTH = 5, 5.0  # classes that a colour is shared among; width of the Gaussian in ab units

GRADIENT_PENALTY = 10.0
"""Weight of the gradient penalty (Gulrajani et al. 2017, sec. 4)."""


def perceived_loss(ab: Tensor, true_ab: Tensor) -> Tensor:
    """Half the distance in ab (N, 2, H, W), half the CIE94 difference, mean over pixels; what the refiner minimises.

    Distances, not their squares: the middle of several plausible colours is then a median, which lets outliers go.
    CIE94 forgives differences between strong colours, as `colorize.color.metrics.ciede2000` does, and is smooth where
    that is not. One unit is rounded off at zero.

    References
    ----------
    CIE 116-1995, "Industrial colour-difference evaluation" (with the geometric mean of both chromas).

    Examples
    --------
    >>> same = torch.full((1, 2, 4, 4), 30.0)
    >>> round(perceived_loss(same, same).item(), 3)
    1.0
    """
    # One is added under every root, whose slope is infinite at 0.
    squared = (ab - true_ab).square().sum(1)
    chroma, true_chroma = (x.square().sum(1).add(1).sqrt() for x in (ab, true_ab))
    mean_chroma = (chroma * true_chroma).sqrt()
    chroma_step = (chroma - true_chroma).square()
    # What is left of the distance when the difference in chroma is taken out; rounding may leave less than nothing.
    hue_step = (squared - chroma_step).clamp_min(0)
    cie94 = chroma_step / (1 + 0.045 * mean_chroma).square() + hue_step / (1 + 0.015 * mean_chroma).square()
    return 0.5 * (squared + 1).sqrt().mean() + 0.5 * (cie94 + 1).sqrt().mean()


def pixel_loss(objective: str, ab: Tensor, true_ab: Tensor) -> Tensor:
    """What the rivals lose pixel by pixel: the squared difference for ``l2``, otherwise the absolute one; of ab / 100.

    Where several colours are plausible the squared difference is least at their mean, which is gray more often than
    not, and the absolute one at their median, which is one of them.
    """
    distance = F.mse_loss if objective == "l2" else F.l1_loss
    return distance(ab / AB_SCALE, true_ab / AB_SCALE)


def rebalanced_weights(frequencies: Tensor) -> Tensor:
    """Weight of every colour class, shape (K,), so that rare colours are learnt too.

    ``w ~ 1 / (p / 2 + 1 / (2 K))`` for shares p of the pixels, which sum to 1; scaled so that the mean over all pixels
    is 1 (Zhang et al. 2016, eq. 4).

    Examples
    --------
    >>> rebalanced_weights(torch.tensor([0.5, 0.5])).tolist()
    [1.0, 1.0]
    """
    weights = 1 / (0.5 * frequencies + 0.5 / len(frequencies))
    return weights / (weights * frequencies).sum()


def soft_classes(ab: Tensor, colors: Tensor) -> Tensor:
    """Share ab (N, 2, H, W) among the five nearest of K colours: (N, K, H, W), sum 1 (Zhang et al. 2016, sec. 2.1).

    For the palette of the classical model, `colorize.recognition.palette.Palette.encode_soft` does the same.
    """
    # Several classes and not the nearest alone: a colour between two of them is then no coin toss, and a class is told
    # that its neighbours are less wrong than others.
    distances = torch.cdist(ab.permute(0, 2, 3, 1).reshape(-1, 2), colors)
    nearest, kept = distances.topk(min(_N_NEAREST, len(colors)), dim=1, largest=False)
    weights = torch.softmax(-nearest.square() / (2 * _WIDTH**2), 1)
    shares = torch.zeros_like(distances).scatter_(1, kept, weights)
    n, _, height, width = ab.shape
    return shares.reshape(n, height, width, -1).permute(0, 3, 1, 2)


def classification_loss(logits: Tensor, true_ab: Tensor, colors: Tensor, weights: Tensor) -> Tensor:
    """Cross entropy between predicted and true colour histograms of every pixel, rare colours weighing more.

    Parameters
    ----------
    logits : Tensor, shape (N, K, H, W)
    true_ab : Tensor, shape (N, 2, H, W)
    colors : Tensor, shape (K, 2)
    weights : Tensor, shape (K,)
        See `rebalanced_weights`; a pixel takes that of its nearest class (Zhang et al. 2016, eq. 2 and 3).
    """
    shares = soft_classes(true_ab, colors)
    entropy = -(shares * F.log_softmax(logits, 1)).sum(1)
    return (weights[shares.argmax(1)] * entropy).mean()


def annealed_mean(logits: Tensor, colors: Tensor, temperature: float) -> Tensor:
    """Colours (N, 2, H, W) of histograms: sharpened by a temperature, then averaged (Zhang et al. 2016, eq. 5).

    A temperature of 1 gives the mean of `colors` (K, 2), one near 0 the most probable of them. For the palette of the
    classical model, `colorize.recognition.palette.anneal` does the same.
    """
    return torch.einsum("nkhw,kc->nchw", torch.softmax(logits / temperature, 1), colors)


def gan_generator_loss(fake_scores: Tensor) -> Tensor:
    """What a generator loses when its pictures are recognised (the non-saturating form)."""
    # Not minus the discriminator's loss: its slope vanishes just where all pictures are recognised, at the start.
    return F.binary_cross_entropy_with_logits(fake_scores, torch.ones_like(fake_scores))


def gan_discriminator_loss(true_scores: Tensor, fake_scores: Tensor) -> Tensor:
    """What a discriminator loses when it takes one kind for the other (Goodfellow et al. 2014), halved."""
    true = F.binary_cross_entropy_with_logits(true_scores, torch.ones_like(true_scores))
    fake = F.binary_cross_entropy_with_logits(fake_scores, torch.zeros_like(fake_scores))
    # Halved, so that it learns more slowly than the generator (pix2pix, sec. 3.3).
    return (true + fake) / 2


def wgan_generator_loss(fake_scores: Tensor) -> Tensor:
    """What a generator loses under a critic: the negative mean score."""
    return -fake_scores.mean()


def wgan_critic_loss(
    critic: Callable[[Tensor, Tensor], Tensor], lightness: Tensor, true_ab: Tensor, fake_ab: Tensor, mixing: Tensor
) -> Tensor:
    """The Wasserstein critic's loss with gradient penalty.

    The scores of false pictures minus those of true ones, and 10 times the squared deviation from 1 of the length of
    the gradient at pictures mixed of both: the Wasserstein distance of two distributions is the largest difference of
    mean scores that a critic with slope 1 at most can make, and between a true and a false picture the best critic has
    slope 1 exactly.

    Parameters
    ----------
    critic : callable
        Scores for lightness (N, 1, H, W) and ab (N, 2, H, W).
    lightness, true_ab, fake_ab : Tensor
    mixing : Tensor, shape (N, 1, 1, 1)
        Share of the true picture in each mixture, uniform in 0..1.

    References
    ----------
    Gulrajani et al., "Improved training of Wasserstein GANs", NeurIPS 2017, eq. 3.
    """
    mixed = (mixing * true_ab + (1 - mixing) * fake_ab).detach().requires_grad_()
    # By colours in the units that the critic sees. Patches are averaged, for a picture is what has a slope; pictures
    # are summed, for each depends on its own colours alone and one call then gives the gradients of all.
    (gradient,) = torch.autograd.grad(critic(lightness, mixed).mean((1, 2, 3)).sum(), mixed, create_graph=True)
    length = (gradient * AB_SCALE).flatten(1).norm(dim=1)
    distance = critic(lightness, fake_ab).mean() - critic(lightness, true_ab).mean()
    return distance + GRADIENT_PENALTY * (length - 1).square().mean()
