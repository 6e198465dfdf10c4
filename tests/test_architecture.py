"""The doors between the rooms of the package: who may import whom, and what must not be loaded by whom.

base <- stages <- assembly <- faces. A room may import from the rooms before it; stages never import each other.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

import colorize

pytestmark = pytest.mark.extras  # what may be loaded can be loaded only where it is

PACKAGE = Path(colorize.__file__).parent
ORDER = ("base", "stages", "assembly", "faces")
ROOMS = {
    "base": (
        "types",
        "exceptions",
        "_support",
        "color",
        "io",
        "models",
        "recipe.note",
        "recognition",
    ),
    "stages": (
        "features",
        "features.superpixels",
        "training.quantization",
        "training.classifier",
        "training.perceptrons",
        "recognition.decision",
        "recognition.belief",
        "guidance.hints",
        "optimization",
        "refine.networks",
        "refine.losses",
    ),
    "assembly": (
        "model",
        "models.format",
        "training",
        "guidance",
        "predictor",
        "colorizer",
        "explanation",
        "recipe",
        "batch",
        "film",
        "refine",
        "evaluation",
    ),
    "faces": ("app", "cli", "__main__"),
}
"""A part is a folder or a module; a module belongs to the part whose name fits it best."""

MOST_NAMES = 22
"""Folders and modules in the package: what a reader can take in at one look."""

OPENS_PHOTOGRAPHS = (
    "training.dataset",
    "recipe.work",
    "batch",
    "film",
    "cli",
    "app",
    "evaluation.pictures",
)  # it encodes thumbnails
LIBRARY_DOORS = {
    "sklearn": ("training", "features.extractor", "colorizer", "evaluation", "refine"),
    "torch": ("refine", "cli.environment"),
    "gradio": ("app",),
    "click": ("cli",),
    "rich": ("cli",),
    "PIL": ("io",),
    "tifffile": ("io",),
    "pillow_heif": ("io",),
    "matplotlib": ("evaluation",),
    "jinja2": ("evaluation", "app"),  # reports, and the pieces of the page
    "distributed": ("batch.cluster",),
    "dask": ("batch.cluster",),
    "av": ("film",),
    "pickle": (),
    "joblib": (),
    "marshal": (),
    "shelve": (),
}
FILE_CALLS = {"imread", "imreadmulti", "imdecode", "imdecodemulti", "imwrite", "imwritemulti", "imencode"}
OWN_CLASSES = frozenset(
    """base belief classifier colorizer committee description explainer explanation extractor gray learnt machine model
    palette partner photo prediction predictor recipe recognizer refiner rival scaler session
    superpixels""".split()  # noqa: SIM905  - a list of words
)
DYNAMIC_IMPORTS = {"import_module", "import_or_raise", "__import__"}


def read_sources() -> dict[str, str]:
    """Every module of the package by dotted name; `colorize` itself is the front door."""
    sources = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = ("colorize", *path.relative_to(PACKAGE).with_suffix("").parts)
        sources[".".join(parts).removesuffix(".__init__")] = path.read_text(encoding="utf-8")
    return sources


def imported_names(module: str, source: str, is_package: bool) -> Iterator[str]:
    """Dotted names that a module imports anywhere, also inside functions and by string."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parents = module.split(".")
            parents = parents[: len(parents) - node.level + is_package] if node.level else []
            start = ".".join([*parents, *([node.module] if node.module else [])])
            yield from (f"{start}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", None)
            if called in DYNAMIC_IMPORTS and isinstance(node.args[0].value, str):
                yield node.args[0].value


def import_graph(sources: Mapping[str, str]) -> dict[str, set[str]]:
    """Per module: the modules of the package and the outside names that it imports."""
    graph = {}
    for module, source in sources.items():
        is_package = any(other.startswith(module + ".") for other in sources)
        names = imported_names(module, source, is_package)
        graph[module] = {home_of(name, sources) for name in names if name != "colorize.__version__"}
    return graph


def home_of(name: str, sources: Mapping[str, str]) -> str:
    while name.startswith("colorize.") and name not in sources:
        name = name.rpartition(".")[0]
    return name


def within(module: str, places: tuple[str, ...]) -> bool:
    inside = module.removeprefix("colorize.")
    return any(inside == place or inside.startswith(place + ".") for place in places)


def room_of(module: str) -> tuple[str, str] | None:
    """The room of a module, and which part of that room it belongs to: the longest name that fits."""
    fitting = [(room, part) for room, parts in ROOMS.items() for part in parts if within(module, (part,))]
    return max(fitting, key=lambda found: len(found[1]), default=None)


def door_problems(sources: Mapping[str, str]) -> list[str]:
    problems = []
    for module, targets in import_graph(sources).items():
        if module == "colorize":
            continue
        if room_of(module) is None:
            problems.append(f"{module}: in no room; give it one in CONTRIBUTING.md and in this test")
            continue
        for target in sorted(targets):
            reason = refusal(module, target)
            if reason:
                problems.append(f"{module} imports {target}: {reason}")
        problems += [f"{module} calls {call}: photographs are opened in io" for call in file_calls(module, sources)]
    return problems


def refusal(module: str, target: str) -> str | None:
    library = target.partition(".")[0]
    if library != "colorize":
        allowed = LIBRARY_DOORS.get(library)
        return None if allowed is None or within(module, allowed) else f"only {allowed or 'nobody'} may"
    if target == "colorize":
        return "import from the module that defines the name"
    place, goal = room_of(module), room_of(target)
    if place is None or goal is None:
        return "a room is missing"
    if within(target, ("io",)) and not within(module, (*OPENS_PHOTOGRAPHS, "io")):
        return f"only {OPENS_PHOTOGRAPHS} open photographs"
    if ORDER.index(goal[0]) > ORDER.index(place[0]):
        return f"{place[0]} must not know {goal[0]}"
    if place[0] == goal[0] == "stages" and place[1] != goal[1]:
        return "stages never import each other"
    return None


def folder_graph(graph: Mapping[str, set[str]]) -> dict[str, set[str]]:
    """The same graph between the names on the top floor of the package."""
    folders: dict[str, set[str]] = {}
    for module, targets in graph.items():
        names = {target.split(".")[1] for target in targets if target.startswith("colorize.")}
        if module != "colorize":
            folder = module.split(".")[1]
            folders.setdefault(folder, set()).update(names - {folder})
    return folders


def file_calls(module: str, sources: Mapping[str, str]) -> list[str]:
    if within(module, ("io",)):
        return []
    nodes = ast.walk(ast.parse(sources[module]))
    return sorted({node.attr for node in nodes if isinstance(node, ast.Attribute) and node.attr in FILE_CALLS})


def untyped_own_classes(source: str) -> list[str]:
    """Parameters, attributes and functions called after an own class, but annotated `Any`."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            arguments = [argument for argument in ast.walk(node.args) if isinstance(argument, ast.arg)]
            pairs = [(argument.arg, argument.annotation) for argument in arguments] + [(node.name, node.returns)]
        elif isinstance(node, ast.AnnAssign):
            pairs = [(ast.unparse(node.target).rpartition(".")[2], node.annotation)]
        else:
            continue
        found += [name for name, annotation in pairs if is_any(annotation) and OWN_CLASSES & set(name.split("_"))]
    return sorted(found)


def is_any(annotation: ast.expr | None) -> bool:
    """Whether an annotation is `Any`, alone or beside others."""
    if isinstance(annotation, ast.BinOp):
        return is_any(annotation.left) or is_any(annotation.right)
    return annotation is not None and ast.unparse(annotation).strip("'\"") in ("Any", "typing.Any")


def find_circle(graph: Mapping[str, set[str]]) -> list[str]:
    """One circle of imports, or an empty list."""
    finished: set[str] = set()

    def visit(module: str, path: list[str]) -> list[str]:
        if module in path:
            return [*path[path.index(module) :], module]
        if module in finished or module not in graph:
            return []
        for target in sorted(graph[module]):
            circle = visit(target, [*path, module])
            if circle:
                return circle
        finished.add(module)
        return []

    return next(filter(None, (visit(module, []) for module in sorted(graph))), [])


def test_every_import_goes_through_a_door():
    assert door_problems(read_sources()) == []


def test_own_classes_are_named_where_they_are_taken_and_given():
    found = {module: untyped_own_classes(source) for module, source in read_sources().items()}
    assert {module: names for module, names in found.items() if names} == {}


@pytest.mark.parametrize(
    "line",
    [
        "def f(colorizer: Any): ...",
        "def f(*, base: Any | None = None): ...",
        "def load_any_model(path: str) -> Any: ...",
        "class Learnt:\n    model_: Any",
        "self._session: 'Any' = None",
    ],
)
def test_the_check_finds_an_own_class_without_its_name(line):
    assert len(untyped_own_classes(line)) == 1
    assert untyped_own_classes(line.replace("Any", "Model").replace("load_Model", "load_any")) == []


def test_no_circle():
    assert find_circle(import_graph(read_sources())) == []  # what is imported for type checkers counts too


def test_no_circle_between_folders():
    assert find_circle(folder_graph(import_graph(read_sources()))) == []


def test_the_top_floor_can_be_taken_in_at_one_look():
    names = {path.stem for path in PACKAGE.glob("*.py")} | {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    assert len(names - {"__init__", "__main__"}) <= MOST_NAMES  # neither is a name to learn


@pytest.mark.parametrize(
    ("module", "line", "expected"),
    [
        ("colorize.recognition.decision", "from colorize.features import extractor", "stages never import each other"),
        ("colorize.recognition.decision", "from colorize.optimization import propagate", "stages never import each"),
        (
            "colorize.training.classifier",
            "def f():\n    import colorize.recognition.decision",
            "stages never import each",
        ),
        ("colorize.training.classifier", "from .quantization import ColorPalette", "stages never import each other"),
        ("colorize.training.classifier", "from colorize.io import read_photo", "open photographs"),
        ("colorize.features.gabor", "from colorize.features import superpixels", "stages never import each other"),
        ("colorize.colorizer", "from colorize import io", "open photographs"),
        ("colorize.color", "from colorize.recognition.decision import dial", "base must not know stages"),
        ("colorize.recognition.palette", "from colorize.recognition.decision import dial", "base must not know stages"),
        ("colorize.models", "from colorize.models.format import unpack", "base must not know assembly"),
        ("colorize.color", "from colorize import Colorizer", "import from the module that defines"),
        ("colorize.training.dataset", "import colorize.cli", "assembly must not know faces"),
        ("colorize.refine.networks", "from .training import train", "stages must not know assembly"),
        ("colorize.features.gabor", "import torch.nn", "may"),
        ("colorize.features.gabor", "import_or_raise('torch', extra='refine')", "may"),
        ("colorize.colorizer", "from importlib import import_module\nimport_module('gradio')", "may"),
        ("colorize.training.dataset", "from PIL import Image", "may"),
        ("colorize.training.dataset", "import cv2\ncv2.imread('x')", "photographs are opened in io"),
        ("colorize.colorizer", "import click", "may"),
        ("colorize.recognition.decision", "from sklearn.base import clone", "may"),
        ("colorize.models.file", "import pickle", "nobody may"),
        ("colorize.newcomer", "", "in no room"),
    ],
)
def test_the_check_finds_a_planted_violation(module, line, expected):
    places = "types color io models models.file models.format recognition recognition.palette recognition.decision"
    places += " features features.extractor features.gabor features.superpixels optimization training"
    places += " training.quantization training.classifier training.dataset refine refine.networks refine.training"
    places += " colorizer cli"
    sources = {"colorize": ""} | {f"colorize.{place}": "" for place in places.split()}
    assert door_problems(sources) == []
    problems = door_problems(sources | {module: line})
    assert len(problems) == 1
    assert problems[0].startswith(module)
    assert expected in problems[0]


def test_the_check_finds_a_planted_circle():
    sources = {"colorize.a": "from colorize import b", "colorize.b": "def f():\n    from colorize.c import x"}
    assert find_circle(import_graph(sources | {"colorize.c": ""})) == []
    assert find_circle(import_graph(sources | {"colorize.c": "import colorize.a"})) == [
        *("colorize.a", "colorize.b", "colorize.c", "colorize.a")
    ]
    hidden = {"colorize.c": "if TYPE_CHECKING:\n    import colorize.a"}
    assert find_circle(import_graph(sources | hidden)) != []


def test_the_check_finds_a_planted_circle_between_folders():
    sources = {"colorize.a": "", "colorize.a.low": "", "colorize.a.high": "from colorize.b import x", "colorize.b": ""}
    assert find_circle(folder_graph(import_graph(sources))) == []
    graph = import_graph(sources | {"colorize.b": "from colorize.a import low"})
    assert find_circle(graph) == []
    assert find_circle(folder_graph(graph)) == ["a", "b", "a"]


def loaded_by(code: str) -> set[str]:
    """Top-level names of the modules that a fresh interpreter loads for this code, the standard library left out."""
    script = (
        f"import sys\nbefore = set(sys.modules)\n{code}\nprint(*sorted(set(sys.modules) - before), file=sys.stderr)"
    )
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    names = {name.partition(".")[0] for name in result.stderr.split()}
    return names - set(sys.stdlib_module_names)


def test_importing_the_package_loads_nothing_else():
    assert loaded_by("import colorize") == {"colorize"}


@pytest.mark.parametrize(
    "arguments",
    [
        *([name] for name in "photo explain suggest batch film replay train learn evaluate compare".split()),  # noqa: SIM905
        *([name] for name in ("importance", "models", "app", "info")),
        [],
        ["study", "curve"],
    ],
)
def test_help_is_light(arguments):
    loaded = loaded_by(f"from colorize.cli import main\nmain({[*arguments, '--help']}, standalone_mode=False)")
    assert "click" in loaded
    assert loaded <= {"colorize", "click", "colorama"}


@pytest.mark.parametrize(
    "arguments",
    [
        ["photo", "a.png", "-o", "out.xyz"],
        ["photo", "a.png", "-o", "out.png", "--all-frames"],
        ["photo", "a.png", "--confidence-map", "out.xyz"],
        ["suggest", "a.png", "-o", "out.xyz"],
        ["film", "a.mp4", "out.xyz"],
    ],
)
def test_an_ending_that_cannot_be_written_is_refused_before_anything_is_loaded(arguments, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code = "from click.testing import CliRunner\nfrom colorize.cli import main"
    loaded = loaded_by(f"{code}\nassert CliRunner().invoke(main, {arguments}).exit_code == 1")
    assert loaded <= {"colorize", "click", "colorama"}


def test_the_library_loads_no_optional_package_and_no_command_line():
    loaded = loaded_by("import colorize\nfor name in colorize.__all__: getattr(colorize, name)")
    assert "numpy" in loaded
    assert not loaded & {"torch", "gradio", "matplotlib", "click", "pyamg", "dask", "distributed", "av"}


def test_who_colorizes_does_not_wait_for_the_measures_to_be_compiled():
    script = "import sys, colorize.recipe.work, colorize.predictor, colorize.optimization.multigrid\n"
    script += "print(*(name for name in sys.modules if name.endswith('kernels')))"
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert sorted(result.stdout.split()) == ["colorize.color.kernels", "colorize.optimization.kernels"]


def test_who_colorizes_does_not_wait_for_scikit_learn():
    loaded = loaded_by("import colorize.recipe.work, colorize.predictor, colorize.explanation")
    assert "numpy" in loaded
    assert not loaded & {"sklearn", "pandas", "joblib"}


def test_the_page_of_the_app_does_not_wait_for_what_colorizes():
    loaded = loaded_by("import colorize.app.serve, colorize.app.service, colorize.app.pages, colorize.app.shelf")
    assert "numpy" in loaded
    assert not loaded & {"numba", "scipy", "sklearn", "skimage", "mahotas", "gradio"}


def test_who_colorizes_waits_for_no_part_of_scipy_that_only_others_need():
    def loaded(modules):
        script = f"import sys, {modules}\nprint(*sys.modules)"
        result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
        return set(result.stdout.split())

    found, needed = loaded("colorize.recipe.work, colorize.predictor"), loaded("scipy.linalg, scipy.sparse.linalg")
    assert "scipy.sparse" in found
    parts = {"ndimage", "sparse.csgraph", "spatial", "special", "stats"}
    # Older versions of SciPy load more by themselves.
    assert not {f"scipy.{part}" for part in parts} & (found - needed)


def test_who_colorizes_waits_for_nothing_that_talks_to_servers():
    script = "import sys, colorize.recipe.work, colorize.predictor\nprint(*sys.modules)"
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert not {"ssl", "http.client", "urllib.request"} & set(result.stdout.split())


def test_measuring_needs_no_library_of_the_reports():
    loaded = loaded_by("import colorize.evaluation.run, colorize.evaluation.importance, colorize.evaluation.study")
    assert "sklearn" in loaded
    assert not loaded & {"matplotlib", "jinja2", "click"}


def test_public_names_are_all_there():
    assert sorted(colorize._HOMES) == sorted(colorize.__all__)
    for name in colorize.__all__:
        assert getattr(colorize, name).__name__ == name
        assert name in dir(colorize)
    with pytest.raises(AttributeError, match="nonsense"):
        _ = colorize.nonsense
