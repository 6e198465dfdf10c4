"""Which photographs a batch has, and the name of every output: no two alike, the layout of the folders kept."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, count
from pathlib import Path

from colorize._support.formats import COLORIZED, OUTPUT_FORMATS, SUGGESTED
from colorize.batch.manifest import NAME
from colorize.exceptions import DatasetError, OutputError
from colorize.io import PHOTO_SUFFIXES
from colorize.recipe.work import is_result


@dataclass(frozen=True)
class Photo:
    """A photograph to colorize.

    Attributes
    ----------
    input, output : str
        Paths within the source and the output folder, with forward slashes.
    """

    input: str
    output: str

    @property
    def album(self) -> str:
        """The folder that it lies in."""
        return self.input.rpartition("/")[0]


@dataclass(frozen=True)
class Plan:
    """What a batch has to do.

    Attributes
    ----------
    photos : list of Photo
        By name.
    unreadable : dict of str to str
        Folders that could not be listed, and why.
    n_others : int
        Files that are no photographs by their names, left alone.
    n_linked_folders : int
        Links to folders, not entered: a link may lead in a circle.
    coloured : tuple of str
        Folders within the source that an earlier batch wrote, not entered either.
    n_results : int
        Pictures that colorize wrote beside photographs, left alone too.
    """

    photos: list[Photo]
    unreadable: dict[str, str]
    n_others: int
    n_linked_folders: int
    coloured: tuple[str, ...] = ()
    n_results: int = 0


def check_folders(source: Path, target: Path) -> None:
    """Refuse folders that cannot be worked with, before anything is written.

    Raises
    ------
    DatasetError
        No such source folder, or there is no photograph in it.
    OutputError
        The outputs would lie among the inputs.
    """
    if not source.is_dir():
        what = "is not a folder" if source.exists() else "no such folder"
        raise DatasetError(f"{source}: {what}; name a folder of photographs")
    # Resolved, since a link gives one folder two names.
    if target.resolve() == source.resolve() or target.resolve() in source.resolve().parents:
        raise OutputError(f"{target}: the outputs would be mixed with the photographs of {source}; name another folder")
    unreadable: dict[str, str] = {}
    coloured: list[str] = []
    n_results = 0
    for _, names, results, _, _ in _walk(source, target.resolve(), unreadable, coloured):
        if names:
            return
        n_results += results
    if not unreadable:
        but = f", but what batches wrote into {', '.join(sorted(coloured))}" if coloured else ""
        but = but or (f", but {n_results} that colorize made" if n_results else "")
        raise DatasetError(f"{source}: holds no photographs, neither itself nor in its sub-folders{but}")


def make_plan(source: Path, target: Path, *, file_format: str = "keep", known: Mapping[str, str] | None = None) -> Plan:
    """Walk a folder.

    Parameters
    ----------
    source : Path
        Searched with its sub-folders; hidden files and folders are left out, and what colorize made: sub-folders with a
        manifest, pictures written beside their photographs.
    target : Path
        Where outputs will go; if it lies in `source`, it is not searched.
    file_format : str
        keep, png, jpg, tif or webp; ``keep`` writes what can be written as it was, and PNG for the rest.
    known : mapping of str to str, optional
        Outputs that earlier runs gave to inputs; they stay.

    See Also
    --------
    check_folders : Asked before.
    colorize.io.find_photos : The photographs of a folder, without outputs.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> for name in ("a.jpg", "b.gif", "b.png", "note.txt"):
    ...     (folder / name).touch()
    >>> plan = make_plan(folder, folder / "out")
    >>> [photo.output for photo in plan.photos], plan.n_others
    (['a.jpg', 'b.gif.png', 'b.png'], 1)
    """
    photos: list[Photo] = []
    unreadable: dict[str, str] = {}
    coloured: list[str] = []
    n_results = n_others = n_linked = 0
    for folder, names, results, links, others in _walk(source, target.resolve(), unreadable, coloured):
        n_results, n_others, n_linked = n_results + results, n_others + others, n_linked + links
        prefix = "" if folder == "." else f"{folder}/"
        # Names once given stay: a new photograph must not move the output of an old one.
        kept = {name: (known or {})[prefix + name] for name in names if prefix + name in (known or {})}
        taken = {output.rpartition("/")[2] for output in kept.values() if output}
        for name, output in _output_names([name for name in names if not kept.get(name)], taken, file_format):
            photos.append(Photo(prefix + name, prefix + output))
        photos += [Photo(prefix + name, output) for name, output in kept.items() if output]
    ordered = sorted(photos, key=lambda photo: photo.input)
    return Plan(ordered, unreadable, n_others, n_linked, tuple(sorted(coloured)), n_results)


def _walk(
    source: Path, target: Path, unreadable: dict[str, str], coloured: list[str]
) -> Iterator[tuple[str, list[str], int, int, int]]:
    """Every folder within `source`: its path, the names of its photographs; results, links to folders, other files.

    Those that cannot be listed, and those that a batch wrote, are not among them but noted.
    """

    def note(error: OSError) -> None:
        unreadable[os.path.relpath(error.filename, source).replace(os.sep, "/")] = error.strerror or str(error)

    for folder, folders, files in os.walk(source, onerror=note):
        here = Path(folder)
        visible = sorted(name for name in folders if not name.startswith("."))
        links = [name for name in visible if (here / name).is_symlink()]
        inside = [here / name for name in visible if name not in links and (here / name).resolve() != target]
        # By os.path, which takes a folder that nobody may enter for one without a manifest.
        batches = [path for path in inside if os.path.isfile(path / NAME)]
        coloured += [path.relative_to(source).as_posix() for path in batches]
        # In place, since os.walk goes on with this very list.
        folders[:] = [path.name for path in inside if path not in batches]
        files = [name for name in files if not name.startswith(".")]
        # A pipe named a.jpg would block its reader for ever.
        names = [name for name in files if Path(name).suffix.lower() in PHOTO_SUFFIXES and (here / name).is_file()]
        # By name first: asking all ten thousand photographs of an archive would read it twice.
        results = [name for name in names if (COLORIZED in name or SUGGESTED in name) and is_result(here / name)]
        others = len(files) - len(names)
        # Sorted and with forward slashes: the plan is the same on every disk and system.
        yield here.relative_to(source).as_posix(), sorted({*names} - {*results}), len(results), len(links), others


def _output_names(names: list[str], taken: set[str], file_format: str) -> list[tuple[str, str]]:
    """A name for every output of a folder; what would collide keeps the ending of its input as well.

    Compared without case, because some disks do not tell ``A.png`` from ``a.png``.
    """
    wishes = {name: str(Path(name).with_suffix(_suffix(name, file_format))) for name in names}
    wished = Counter(wish.casefold() for wish in wishes.values())
    used = {name.casefold() for name in taken}
    pairs = []
    for name in sorted(names, key=lambda name: (wishes[name] != name, name)):  # who keeps its name comes first
        suffix = Path(wishes[name]).suffix
        choices = [wishes[name]] if wished[wishes[name].casefold()] == 1 or wishes[name] == name else []
        numbered = (f"{name}.{number}{suffix}" for number in count(2))
        output = next(
            choice for choice in chain(choices, [f"{name}{suffix}"], numbered) if choice.casefold() not in used
        )
        used.add(output.casefold())
        pairs.append((name, output))
    return pairs


def _suffix(name: str, file_format: str) -> str:
    if file_format != "keep":
        return f".{file_format}"
    suffix = Path(name).suffix
    return suffix if suffix.lower() in OUTPUT_FORMATS else ".png"
