"""What this installation is: versions, devices, caches and models, for a person who has to find out what is wrong."""

from __future__ import annotations

import json
import os
import platform
import re
import tempfile
from contextlib import suppress
from importlib import metadata, util
from pathlib import Path
from typing import Any

from colorize import __version__
from colorize._support.optional import DISTRIBUTION, import_or_raise
from colorize._support.threads import usable_cores
from colorize.exceptions import ModelFileError
from colorize.models import available_models, user_folder
from colorize.models.file import check_file

SETTINGS = (
    *("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"),
    *("NUMBA_CACHE_DIR", "NUMBA_DISABLE_JIT", "CUDA_VISIBLE_DEVICES", "PYTHONDONTWRITEBYTECODE"),
)
"""Variables that change how fast the program is or where it writes; no others are told."""

_REQUIREMENT = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)[^;]*(?:;.*extra\s*==\s*['\"]([^'\"]+)['\"])?.*")
_PACKAGE = Path(__file__).parents[1]


def describe_environment() -> dict[str, Any]:
    """Tell what a report of a fault should tell, as values that JSON knows; memory is in bytes, problems are sentences.

    Of the optional libraries none is imported but torch, which alone knows the GPUs, and only if it is installed.
    """
    libraries, extras = _libraries()
    facts = {
        "colorize": {"version": __version__, "folder": str(_PACKAGE)},
        "python": {"version": platform.python_version(), "implementation": platform.python_implementation()},
        "system": _system(),
        "settings": {name: os.environ[name] for name in SETTINGS if name in os.environ},
        "libraries": libraries,
        "extras": extras,
        "cuda": _cuda(),
        "caches": _caches(),
        "models": _models(),
    }
    # As one text, because the home folder may stand anywhere in it: it often is the name of a person. A home
    # of `/`, as in some containers, would put one in place of every slash.
    text, home = json.dumps(facts | {"problems": _problems(libraries)}), json.dumps(str(Path.home()))[1:-1]
    return dict(json.loads(text.replace(home, "~") if len(home) > 1 else text))


def _libraries() -> tuple[dict[str, str | None], dict[str, dict[str, str | None]]]:
    """Versions of what the package needs, and of what each of its extras needs."""
    libraries: dict[str, str | None] = {}
    extras: dict[str, dict[str, str | None]] = {}
    try:
        requirements = metadata.requires(DISTRIBUTION) or []
    except metadata.PackageNotFoundError:
        return libraries, extras
    for requirement in requirements:
        match = _REQUIREMENT.fullmatch(requirement)
        if match is not None and match[1] != DISTRIBUTION:
            table = libraries if match[2] is None else extras.setdefault(match[2], {})
            table[match[1]] = None
            with suppress(metadata.PackageNotFoundError):
                table[match[1]] = metadata.version(match[1])
    return libraries, extras


def _system() -> dict[str, Any]:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") if hasattr(os, "sysconf") else None
    return {
        "platform": platform.platform(),
        "machine": platform.machine(),
        "cores": os.cpu_count() or 1,
        "usable_cores": usable_cores(),
        "memory": memory,
    }


def _cuda() -> str | list[str]:
    """Names of the GPUs that torch can use, or why there are none."""
    # Found without being imported, which takes seconds and is what may be broken.
    if util.find_spec("torch") is None:
        return "not looked for: torch is not installed"
    try:
        torch = import_or_raise("torch", extra="refine")
    # A library of CUDA that is missing or does not fit shows as OSError.
    except (ImportError, OSError) as error:
        return f"not looked for: torch is broken ({' '.join(str(error).split())[:200]})"
    return [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())] or "none found by torch"


def _caches() -> list[dict[str, Any]]:
    """Folders that the program fills by itself."""
    kernels = _kernel_folder()
    # An app that was killed could not remove its folder, and nobody else knows of it.
    apps = sorted(Path(tempfile.gettempdir()).glob("colorize-app-*"))
    found = [("compiled kernels (numba)", kernels, "*.nb[ci]")]
    found += [("working folder of an app", app, "*") for app in apps]
    return [{"what": what, "folder": str(folder), **_size(folder, pattern)} for what, folder, pattern in found]


def _kernel_folder() -> Path:
    """Where numba keeps compiled code: where it is told to, else in the package, else in the user's cache folder."""
    if os.environ.get("NUMBA_CACHE_DIR"):
        return Path(os.environ["NUMBA_CACHE_DIR"])
    # The order in which numba looks for a place.
    if os.access(_PACKAGE, os.W_OK):
        return _PACKAGE
    from numba.misc.appdirs import AppDirs

    return Path(AppDirs(appname="numba", appauthor=False).user_cache_dir)


def _size(folder: Path, pattern: str) -> dict[str, int]:
    sizes = [path.stat().st_size for path in folder.rglob(pattern) if path.is_file()]
    return {"files": len(sizes), "bytes": sum(sizes)}


def _models() -> list[dict[str, Any]]:
    """Models of the package and of the user's own folder, each with what a check of its file says."""
    paths = [model.path for model in available_models()] + sorted(user_folder().glob("*.safetensors"))
    models = []
    for path in paths:
        try:
            said = check_file(path)
        except ModelFileError as error:
            said = {"problem": str(error)}
        models.append({"name": path.stem, "file": str(path), "bytes": path.stat().st_size, **said})
    return models


def _problems(libraries: dict[str, str | None]) -> list[str]:
    problems = [f"{name} is missing: install colorize again" for name, version in libraries.items() if version is None]
    if not libraries:
        problems.append("colorize is not installed as a package: it was imported from a folder")
    opencv = sorted(set(metadata.packages_distributions().get("cv2", [])))
    # Two wheels unpack into one folder: the files of the one replace those of the other.
    if len(opencv) > 1:
        problems.append(f"{' and '.join(opencv)} write to the same folder: uninstall all, then install colorize again")
    return problems
