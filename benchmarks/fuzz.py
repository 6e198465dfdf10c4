"""Feed damaged photographs to the reader: ``python benchmarks/fuzz.py``.

20,000 files are made by seeded mutations (flipped bits, overwritten numbers, cut ends, moved, doubled and exchanged
pieces) from small valid files of every format and, where it is there, from the hard and broken files of
``../shared/data/badinput``. Each is read in a process whose memory is limited, first frame, every frame, what is left
of a damaged one, its pixels counted and its note looked for; what can be read must be a photograph, and what cannot
must be one error of one line. A file counts as a failure if the process dies, hangs, raises anything else, prints
anything, or asks for more memory than the limit. ``--save`` keeps the table in ``benchmarks/results``; ``--only SEED``
repeats one file.
"""

from __future__ import annotations

import argparse
import datetime
import io
import os
import random
import resource
import selectors
import struct
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
CORPUS = ROOT.parent / "shared" / "data" / "badinput"
LARGEST_SEED_FILE = 100_000
MAX_PIXELS = 1_000_000
ALLOWED = 400_000_000
"""Bytes of address space beyond those of the idle process: 32 per pixel, threads' stacks and the decoders' own."""

SECONDS = 10.0
NUMBERS = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)


def seed_files() -> list[bytes]:
    """Small valid files of every format that is read, then the corpus."""
    from PIL import Image

    from colorize.io import write_frames, write_photo
    from colorize.types import PhotoMetadata, RgbImage

    rng = np.random.default_rng(0)
    smooth = np.cumsum(rng.integers(-3, 4, (40, 60, 3)), axis=1)
    pixels = np.clip(smooth + 120, 0, 255).astype(np.uint8)
    exif = Image.Exif()
    exif[0x010F], exif[0x0112] = "Kodak", 6
    metadata = PhotoMetadata(exif.tobytes(), (300.0, 300.0), xmp=b"<rdf:RDF></rdf:RDF>")
    shallow, deep = RgbImage(pixels, pixels[..., 0], metadata), RgbImage(pixels.astype(np.uint16) * 257)
    found = []
    with tempfile.TemporaryDirectory() as folder:
        for image, suffix in ((shallow, "png"), (shallow, "webp"), (shallow, "jpg"), (shallow, "tif"), (deep, "png")):
            write_photo(image, f"{folder}/a.{suffix}", overwrite=True)
            found.append(Path(f"{folder}/a.{suffix}").read_bytes())
        write_frames([shallow, deep], f"{folder}/pages.tif")
        found.append(Path(f"{folder}/pages.tif").read_bytes())
    picture = Image.fromarray(pixels)
    kinds = [("BMP", "RGB"), ("GIF", "P"), ("PPM", "L"), ("JPEG2000", "RGB"), ("AVIF", "RGB"), ("JPEG", "CMYK")]
    kinds += [("TIFF", "1"), ("PNG", "P"), ("PNG", "LA"), ("JPEG", "L"), ("TIFF", "LAB")]
    for name, mode in kinds:
        file = io.BytesIO()
        picture.convert("L" if mode == "LAB" else mode).convert(mode if mode != "LAB" else "L").save(file, name)
        found.append(file.getvalue())
    if CORPUS.is_dir():
        files = sorted(path for path in CORPUS.rglob("*") if path.is_file() and path.suffix != ".csv")
        found += [path.read_bytes() for path in files if path.stat().st_size <= LARGEST_SEED_FILE]
    return found


def mutated(files: list[bytes], seed: int) -> bytes:
    """A file with one to eight damages; the same for the same seed."""
    rng = random.Random(seed)
    data = bytearray(rng.choice(files))
    for _ in range(rng.choice((1, 1, 1, 2, 3, 8))):
        if not data:
            break
        rng.choice(DAMAGES)(data, rng, files)
    return bytes(data)


def flip_bit(data: bytearray, rng: random.Random, files: list[bytes]) -> None:
    """Change one bit."""
    data[_place(data, rng)] ^= 1 << rng.randrange(8)


def overwrite_number(data: bytearray, rng: random.Random, files: list[bytes]) -> None:
    """Put a number that programs stumble over where a size may stand."""
    form = rng.choice(("<B", "<H", ">H", "<I", ">I"))
    value = rng.choice(NUMBERS) & ((1 << 8 * struct.calcsize(form)) - 1)
    start = _place(data, rng)
    data[start : start + struct.calcsize(form)] = struct.pack(form, value)


def overwrite_noise(data: bytearray, rng: random.Random, files: list[bytes]) -> None:
    """Replace a stretch by noise."""
    start, length = _place(data, rng), rng.choice((1, 4, 16, 64))
    data[start : start + length] = rng.randbytes(length)


def cut(data: bytearray, rng: random.Random, files: list[bytes]) -> None:
    """Lose the end."""
    del data[_place(data, rng) :]


def drop(data: bytearray, rng: random.Random, files: list[bytes]) -> None:
    """Lose a stretch."""
    start = _place(data, rng)
    del data[start : start + rng.choice((1, 4, 64, 1024))]


def double(data: bytearray, rng: random.Random, files: list[bytes]) -> None:
    """Repeat a stretch."""
    start, length = _place(data, rng), rng.choice((1, 12, 64, 1024))
    data[start:start] = data[start : start + length]


def splice(data: bytearray, rng: random.Random, files: list[bytes]) -> None:
    """Put in a stretch of another file."""
    other = rng.choice(files)
    start, length = rng.randrange(max(1, len(other))), rng.choice((8, 64, 512, 4096))
    place = _place(data, rng)
    data[place : place + rng.choice((0, length))] = other[start : start + length]


DAMAGES = (flip_bit, overwrite_number, overwrite_number, overwrite_noise, cut, drop, double, splice)


def _place(data: bytearray, rng: random.Random) -> int:
    """Half of the damages hit the first 256 bytes, where the headers are."""
    return rng.randrange(min(len(data), 256) if rng.random() < 0.5 else len(data))


# ----------------------------------------------------------------------------------------- the process that reads


def read_all(seeds: range) -> None:
    """Read one file after another; say each seed before, and what came of it after."""
    import cv2
    import tifffile  # noqa: F401 - loaded before the memory is limited, as are the others

    from colorize.io import read_photo

    cv2.setNumThreads(1)
    files = seed_files()
    for data in files:  # load every decoder
        outcome(data, 0)
    read_photo(files[0])
    answers = os.fdopen(os.dup(1), "w")
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + ALLOWED, used + ALLOWED))
    with tempfile.TemporaryFile() as printed:
        os.dup2(printed.fileno(), 1)
        os.dup2(printed.fileno(), 2)
        for seed in seeds:
            answers.write(f"{seed}\n")
            answers.flush()
            result = outcome(mutated(files, seed), seed)
            sys.stdout.flush()
            sys.stderr.flush()
            if printed.tell():
                result = "FAILURE: something was printed"
                printed.seek(0)
                printed.truncate()
            answers.write(f"{seed} {result}\n")
            answers.flush()


def outcome(data: bytes, seed: int) -> str:
    """``read``, ``refused``, or what is wrong with the reader."""
    from colorize.exceptions import RecipeError
    from colorize.io import count_pixels, read_frames, read_photo, read_xmp
    from colorize.recipe.note import find_note
    from colorize.types import RgbImage

    results = set()
    salvage = partial(read_photo, salvage=True)
    calls: list[Callable[..., object]] = [read_photo, count_pixels, salvage]
    calls += [] if seed % 4 else [read_frames, read_xmp]
    for call in calls:
        try:
            found = call(data, max_pixels=MAX_PIXELS) if call is not read_xmp else find_note(read_xmp(data))
            if call in (read_photo, salvage) and (
                not isinstance(found, RgbImage) or found.shape[0] * found.shape[1] > MAX_PIXELS or not found.pixels.size
            ):
                return "FAILURE: no photograph"
            results.add("salvaged" if call is salvage else "read")
        except Exception as error:  # noqa: BLE001 - this is what is looked for
            problem = wrong_with(error)
            if problem and not isinstance(error, RecipeError):
                return f"FAILURE: {getattr(call, '__name__', 'salvage')}: {problem}"
            results.add("refused")
    return "read" if "read" in results else "refused"


def wrong_with(error: BaseException) -> str:
    """Why an error is not the clean one it should be; empty if it is."""
    from colorize.exceptions import InvalidImageError

    if not isinstance(error, InvalidImageError):
        return f"raised {type(error).__name__}: {error}"
    if "\n" in str(error):
        return "an error of several lines"
    if isinstance(error, MemoryError) or isinstance(error.__cause__, MemoryError):
        return f"asked for more memory than allowed: {error}"
    return ""


# --------------------------------------------------------------------------------------- the process that watches


def watch(seeds: range) -> tuple[Counter[str], list[str]]:
    """Have all files read; a process that dies or hangs is replaced, and its file noted."""
    counts: Counter[str] = Counter()
    failures: list[str] = []
    while seeds:
        child = subprocess.Popen(
            [sys.executable, __file__, "--child", str(seeds.start), str(seeds.stop)],
            stdout=subprocess.PIPE,
            env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
        )
        current, is_starting = seeds.start, True
        for line in lines_of(child):
            if line is None:
                break
            is_starting = False
            seed, _, result = line.partition(" ")
            current = int(seed)
            if result:
                counts[result.partition(":")[0]] += 1
                if result.startswith("FAILURE"):
                    failures.append(f"{seed}: {result}")
                seeds = range(current + 1, seeds.stop)
        child.kill()
        status = child.wait()
        if is_starting:
            raise SystemExit("the process that reads does not start")
        if seeds and current == seeds.start:
            counts["FAILURE"] += 1
            failures.append(f"{current}: FAILURE: {'hung' if status == -9 else f'ended with status {status}'}")
            seeds = range(current + 1, seeds.stop)
    return counts, failures


def lines_of(child: subprocess.Popen[bytes]) -> Iterator[str | None]:
    """Lines of a process as they come; None if none came for too long."""
    assert child.stdout is not None
    selector = selectors.DefaultSelector()
    selector.register(child.stdout, selectors.EVENT_READ)
    rest, patience = b"", 120.0
    while True:
        if not selector.select(patience):
            yield None
            return
        block = os.read(child.stdout.fileno(), 1 << 16)
        if not block:
            return
        *lines, rest = (rest + block).split(b"\n")
        yield from (line.decode() for line in lines)
        patience = SECONDS


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=20_000)
    parser.add_argument("--first", type=int, default=1, help="seed of the first file")
    parser.add_argument("--only", type=int, metavar="SEED", help="repeat one file and show what it does")
    parser.add_argument("--save", action="store_true", help="keep the table in benchmarks/results")
    parser.add_argument("--child", nargs=2, type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        read_all(range(*options.child))
        return
    if options.only is not None:
        print(outcome(mutated(seed_files(), options.only), options.only))
        return
    start = time.monotonic()
    counts, failures = watch(range(options.first, options.first + options.files))
    text = (
        f"{options.files} mutated files, seeds from {options.first}, {len(seed_files())} originals: "
        f"{counts['read']} read, {counts['refused']} refused in one line, {counts['FAILURE']} failures; "
        f"{time.monotonic() - start:.0f} s, at most {ALLOWED / 1e6:g} MB beyond the idle process, "
        f"{SECONDS:g} s for a file, limit {MAX_PIXELS / 1e6:g} megapixel"
    )
    print("\n".join([*failures, text]))
    if options.save:
        today = datetime.date.today().isoformat()
        (ROOT / "benchmarks" / "results" / f"fuzz-{today}.md").write_text(f"# Fuzzing the reader, {today}\n\n{text}\n")
    if failures:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
