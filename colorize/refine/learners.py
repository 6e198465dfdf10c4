"""What is trained: networks with their optimizers, one step at a time. The loop around them is in `training`."""

from __future__ import annotations

import copy
import math
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping

import numpy as np
import torch
from torch import Tensor, nn

from colorize.exceptions import DeviceError
from colorize.refine import losses
from colorize.refine.data import GUIDE_PLANES
from colorize.refine.networks import PatchDiscriminator, SmallUNet, make_generator
from colorize.types import Float32

DEVICES = ("auto", "cpu", "cuda")

# 140,000 weights, a sixth of those of the small U-Net: colours come in nearly right.
REFINER_WIDTHS = (16, 24, 32, 48)
REFINER_GAIN = 10.0
"""Units of ab in one unit of the refiner's output."""

# A discriminator must not win, a critic should be near its optimum (Gulrajani et al. 2017 take five
# steps; three cost less, and the pixel loss carries most of the weight here).
CRITIC_STEPS = {"l1+gan": 1, "l1+wgan-gp": 3}
"""Steps of the discriminator or critic for each step of the generator."""

_LEARNING_RATES = {"refiner": 1e-3, "unet": 1e-3, "unet-large": 5e-4, "resnet50": 1e-3, "lite0": 1e-3}
_ADVERSARIAL_RATE = 2e-4  # of pix2pix, for both sides
_WARM_UP = 0.05


def choose_device(name: str) -> torch.device:
    """The device that a name stands for: ``auto`` takes a CUDA device if there is one.

    Raises
    ------
    DeviceError
        ``cuda`` was asked for and is not there.
    ValueError
        There is no such name.

    Examples
    --------
    >>> choose_device("cpu")
    device(type='cpu')
    """
    if name not in DEVICES:
        raise ValueError(f"device must be one of {', '.join(DEVICES)}, got {name!r}")
    has_cuda = torch.cuda.is_available()
    if name == "cuda" and not has_cuda:
        built = "this build of torch has no CUDA" if torch.version.cuda is None else "torch finds no CUDA device"
        raise DeviceError(f"device cuda was asked for, but {built}; use cpu or auto")
    return torch.device("cuda" if has_cuda and name != "cpu" else "cpu")


def clock_of(device: torch.device) -> Callable[[], float]:
    """What counts the seconds of a training: processor time on the CPU, where what else the machine does is no matter.

    A process that waits for its GPU spends no processor time at all: there it is wall time.

    Examples
    --------
    >>> clock_of(torch.device("cpu")).__name__
    'process_time'
    """
    return time.process_time if device.type == "cpu" else time.perf_counter


def mixed_precision(device: torch.device) -> torch.autocast:
    """bfloat16 where a GPU computes it well; float32 elsewhere, and on the CPU always."""
    # bfloat16 has the range of float32, so no gradient vanishes and no loss needs a scale, as with float16.
    enabled = device.type == "cuda" and torch.cuda.is_bf16_supported()
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=enabled)


class Learner(ABC):
    """A network in training, the moving average of its weights (which is what is used), and its optimizer.

    Parameters
    ----------
    network : Module
        Moved to `device`.
    rate : float
        Highest learning rate.
    device : torch.device
    betas : tuple of float
        Of AdamW.
    """

    weight_decay = 0.05

    def __init__(
        self, network: nn.Module, rate: float, device: torch.device, *, betas: tuple[float, float] = (0.9, 0.99)
    ) -> None:
        # Channels last is how convolutions are fastest, on CPUs with vector units as on tensor cores.
        self.device = device
        self.network = network.to(device, memory_format=torch.channels_last)
        self.average = copy.deepcopy(self.network).eval().requires_grad_(False)
        self.n_steps = 0
        self.modules = {"network": self.network, "average": self.average}  # all with weights, a critic too
        self.optimizers = {"network": self._optimizer(self.network, rate, betas)}

    @abstractmethod
    def step(self, planes: Float32, place: Float32, share: float) -> dict[str, float]:
        """Learn from one batch of `draw_batch`; `share` of the training is over, 0..1. Returns the losses by name."""

    @abstractmethod
    def colors(self, planes: Float32) -> Float32:
        """ab (N, 2, H, W) that the averaged network gives for planes (N, channels, H, W) of whole photographs."""

    def state(self) -> dict[str, np.ndarray]:
        """All that a later step depends on, as arrays."""
        arrays = {"n_steps": np.array(self.n_steps, np.int64)}
        for name, module in self.modules.items():
            arrays |= {f"{name}.{key}": array for key, array in weights_of(module).items()}
        for name, optimizer in self.optimizers.items():
            for index, entries in optimizer.state_dict()["state"].items():
                arrays |= {f"optimizer.{name}.{index}.{key}": _array(value) for key, value in entries.items()}
        return arrays

    def broken(self) -> str:
        """Name of a weight that is no longer finite; empty if all are."""
        for name, module in self.modules.items():
            for key, value in module.state_dict().items():
                if value.dtype.is_floating_point and not bool(torch.isfinite(value).all()):
                    return f"{name}.{key}"
        return ""

    def load_state(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Take up what `state` gave."""
        self.n_steps = int(arrays["n_steps"])
        for name, module in self.modules.items():
            load_weights(module, part_of(arrays, f"{name}."))
        for name, optimizer in self.optimizers.items():
            content = optimizer.state_dict()
            content["state"] = {}
            for key, value in part_of(arrays, f"optimizer.{name}.").items():
                index, entry = key.split(".", 1)
                content["state"].setdefault(int(index), {})[entry] = torch.from_numpy(value.copy())
            optimizer.load_state_dict(content)

    def _optimizer(self, module: nn.Module, rate: float, betas: tuple[float, float]) -> torch.optim.Optimizer:
        # A frozen encoder has no state in the optimizer: three quarters of the memory that ResNet-50 would take.
        trained = [parameter for parameter in module.parameters() if parameter.requires_grad]
        optimizer = torch.optim.AdamW(trained, lr=rate, betas=betas, weight_decay=self.weight_decay)
        for group in optimizer.param_groups:
            group["highest"] = rate
        return optimizer

    def _descend(self, name: str, loss: Tensor, share: float) -> None:
        """One step of an optimizer: rates rise over the first twentieth and fall to nothing as a cosine."""
        # By the share of the training that is over and not by a count of steps, so that a run that
        # is stopped and gone on with falls along one curve.
        optimizer = self.optimizers[name]
        for group in optimizer.param_groups:
            warm = min(1.0, share / _WARM_UP)
            falling = 0.5 * (1 + math.cos(math.pi * max(0.0, min(1.0, share) - _WARM_UP) / (1 - _WARM_UP)))
            group["lr"] = group["highest"] * max(warm * falling, 1e-3)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        # One photograph of flags must not undo what a thousand taught.
        for group in optimizer.param_groups:
            nn.utils.clip_grad_norm_(group["params"], 1.0)
        optimizer.step()

    def _follow(self) -> None:
        """Let the average follow the network: slowly later, quickly at first."""
        self.n_steps += 1
        # 0.998 is a mean over about the last 500 steps; before there were so many, over a ninth of
        # those there were, or the random start would stay in it.
        share = 1 - min(0.998, (1 + self.n_steps) / (10 + self.n_steps))
        with torch.no_grad():
            own, other = self.average.state_dict(), self.network.state_dict()
            for name, value in own.items():
                # Counters of batch normalisations are no weights: there is no half of one.
                if value.dtype.is_floating_point:
                    value.lerp_(other[name], share)
                else:
                    value.copy_(other[name])

    def _tensor(self, array: Float32) -> Tensor:
        tensor = torch.from_numpy(np.ascontiguousarray(array)).to(self.device)
        return tensor.contiguous(memory_format=torch.channels_last)


class RefinerLearner(Learner):
    """The refiner in training: planes are L*, true ab, the base's ab, the guide."""

    # Far more than usual: it is to change little, and a residual that its photographs do not ask for goes to 0.
    weight_decay = 0.3

    def __init__(self, device: torch.device) -> None:
        super().__init__(make_refiner(), _LEARNING_RATES["refiner"], device)

    def step(self, planes: Float32, place: Float32, share: float) -> dict[str, float]:
        """Learn from one batch."""
        tensor = self._tensor(planes)
        self.network.train()
        with mixed_precision(self.device):
            residual = self.network(tensor[:, :1], tensor[:, 5:], self._tensor(place))
        loss = losses.perceived_loss(tensor[:, 3:5] + REFINER_GAIN * residual.float(), tensor[:, 1:3])
        self._descend("network", loss, share)
        self._follow()
        return {"loss": loss.item()}

    def colors(self, planes: Float32) -> Float32:
        """The base's colours with the residual added."""
        tensor = self._tensor(planes)
        return planes[:, 3:5] + refine(self.average, tensor[:, :1], tensor[:, 5:])


class RivalLearner(Learner):
    """A rival in training: planes are L* and true ab; its network gives ab / 100, or scores of colour classes.

    Parameters
    ----------
    generator, objective : str
        See `colorize.refine.networks.make_generator` and `colorize.refine.losses.OBJECTIVES`.
    device : torch.device
    classes : ndarray, shape (K, 2), and their frequencies, shape (K,), optional
        Colours of the objective ``classification``.
    encoder : mapping of str to ndarray, optional
        Weights of the frozen encoder; without them it stays as random as it starts.
    """

    def __init__(
        self,
        generator: str,
        objective: str,
        device: torch.device,
        *,
        classes: tuple[Float32, Float32] | None = None,
        encoder: Mapping[str, np.ndarray] | None = None,
    ) -> None:
        self.objective = objective
        network = make_generator(generator, 2 if classes is None else len(classes[0]))
        if encoder is not None:
            load_weights(network.get_submodule("encoder"), encoder)
        # The lower first beta of Radford et al. 2016: with the momentum of 0.9 two networks that
        # answer each other swing.
        adversarial = objective in CRITIC_STEPS
        rate = min(_LEARNING_RATES[generator], _ADVERSARIAL_RATE if adversarial else 1.0)
        betas = (0.5, 0.99) if adversarial else (0.9, 0.99)
        super().__init__(network, rate, device, betas=betas)
        if classes is not None:
            self._classes = torch.from_numpy(classes[0]).to(device)
            self._class_weights = losses.rebalanced_weights(torch.from_numpy(classes[1]).to(device))
        if adversarial:
            critic = PatchDiscriminator(normalize=objective == "l1+gan")
            self.critic = self.modules["critic"] = critic.to(device, memory_format=torch.channels_last)
            self.optimizers["critic"] = self._optimizer(self.critic, _ADVERSARIAL_RATE, betas)

    def step(self, planes: Float32, place: Float32, share: float) -> dict[str, float]:
        """Learn from one batch: the discriminator first, where there is one."""
        tensor = self._tensor(planes)
        lightness, true_ab = tensor[:, :1], tensor[:, 1:3]
        self.network.train()
        with mixed_precision(self.device):
            raw = self.network(lightness, None, self._tensor(place)).float()
        if self.objective == "classification":
            loss = losses.classification_loss(raw, true_ab, self._classes, self._class_weights)
        else:
            ab = losses.AB_SCALE * raw
            loss = losses.pixel_loss(self.objective, ab, true_ab)
        found = {"loss": loss.item()}
        if self.objective in CRITIC_STEPS:
            # Detached: the critic is to tell the two kinds apart, not to make the generator easier to tell.
            found["critic"] = self._train_critic(lightness, true_ab, ab.detach(), share)
            # Its gradient reaches the critic's weights as well; the critic's next step clears them first.
            scores = self.critic(lightness, ab)
            is_gan = self.objective == "l1+gan"
            opinion = losses.gan_generator_loss(scores) if is_gan else losses.wgan_generator_loss(scores)
            found["adversarial"] = opinion.item()
            loss = loss + losses.ADVERSARIAL_SHARE * opinion
        self._descend("network", loss, share)
        self._follow()
        return found

    def colors(self, planes: Float32) -> Float32:
        """ab at the faithful setting."""
        classes = self._classes if self.objective == "classification" else None
        return rival_colors(self.average, self._tensor(planes[:, :1]), classes, temperature=1.0)

    def _train_critic(self, lightness: Tensor, true_ab: Tensor, fake_ab: Tensor, share: float) -> float:
        for _ in range(CRITIC_STEPS[self.objective]):
            if self.objective == "l1+gan":
                with mixed_precision(self.device):
                    true, fake = self.critic(lightness, true_ab), self.critic(lightness, fake_ab)
                loss = losses.gan_discriminator_loss(true.float(), fake.float())
            else:
                mixing = torch.rand(len(lightness), 1, 1, 1, device=self.device)
                loss = losses.wgan_critic_loss(self.critic, lightness, true_ab, fake_ab, mixing)
            self._descend("critic", loss, share)
        return loss.item()


def make_refiner() -> SmallUNet:
    """Build the refiner's network."""
    return SmallUNet(3 + GUIDE_PLANES, 2, REFINER_WIDTHS, dropout=0.3)


def refine(network: nn.Module, lightness: Tensor, guide: Tensor) -> Float32:
    """Residual ab (N, 2, H, W), the mean of what the network says of a photograph and of its mirror image."""
    # The two errors are partly independent, and a picture and its mirror image get the same colours.
    with torch.no_grad(), mixed_precision(lightness.device):
        straight = network(lightness, guide)
        mirrored = network(lightness.flip(3), guide.flip(3)).flip(3)
    return (REFINER_GAIN / 2 * (straight + mirrored).float()).cpu().numpy()


def rival_colors(network: nn.Module, lightness: Tensor, classes: Tensor | None, *, temperature: float) -> Float32:
    """ab (N, 2, H, W) of a rival; the temperature, for classes, is that of `colorize.refine.losses.annealed_mean`."""
    with torch.no_grad(), mixed_precision(lightness.device):
        raw = network(lightness).float()
    ab = losses.AB_SCALE * raw if classes is None else losses.annealed_mean(raw, classes, temperature)
    return ab.cpu().numpy()


def load_weights(module: nn.Module, arrays: Mapping[str, np.ndarray]) -> None:
    """Put arrays into a module, each where its name says; ValueError unless they are just its weights (`misfits`)."""
    if wrong := misfits(module, arrays):
        raise ValueError(wrong)
    module.load_state_dict({name: torch.from_numpy(np.array(array)) for name, array in arrays.items()})


def misfits(module: nn.Module, arrays: Mapping[str, np.ndarray]) -> str:
    """What is wrong with arrays as weights of a module, with the first three names; empty if nothing is."""
    own, given = ({name: tuple(value.shape) for name, value in part.items()} for part in (module.state_dict(), arrays))
    for what, names in (
        ("lacks", sorted(set(own) - set(given))),
        ("holds unknown", sorted(set(given) - set(own))),
        ("holds another shape of", [name for name in own if own[name] != given.get(name)]),
    ):
        if names:
            return f"{what} {', '.join(names[:3])}" + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    return ""


def weights_of(module: nn.Module) -> dict[str, np.ndarray]:
    """Weights and statistics of a module, by name."""
    return {name: _array(value) for name, value in module.state_dict().items()}


def part_of(arrays: Mapping[str, np.ndarray], prefix: str) -> dict[str, np.ndarray]:
    """The arrays whose names start with a prefix, without it."""
    return {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}


def _array(tensor: Tensor) -> np.ndarray:
    return np.array(tensor.detach().cpu().numpy(), order="C")
