"""What the build does beyond its extensions: pages made from other files, links into the repository, pictures."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from types import GenericAlias
from typing import Any

import matplotlib.pyplot as plt
from make_cli_page import cli_page
from public_modules import public_modules
from sphinx_gallery.scrapers import figure_rst

# Links that are right on a code host, and where they lead on the site.
LINKS = (
    (r"\.\./CONTRIBUTING\.md", "contributing.md"),
    (r"\.\./CHANGELOG\.md", "changelog.md"),
    (r"\.\./colorize/models/(?:default|classic|encoder)\.md", "card.md"),
    (r"\.\./benchmarks/results/([\w-]+\.md)", r"results/\1"),
    (r"\.\./benchmarks/results", "results/index.md"),
    (r"\.\./examples", "gallery/index.rst"),
    (r"\.\./examples/(\w+)\.py", r"gallery/\1.rst"),
    (r"stages", "guide/index.rst"),
    (r"stages/(\w+)\.py", r"guide/\1.rst"),
)


def setup(app: Any) -> dict[str, bool]:
    """Register with Sphinx."""
    app.connect("config-inited", make_pages)
    app.connect("source-read", turn_links)
    app.connect("source-read", drop_empty_patterns)
    app.connect("autodoc-skip-member", skip_member)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def make_pages(app: Any, _: Any) -> None:
    """Write the page of the command line and take in the results of the benchmarks."""
    docs = Path(app.srcdir)
    write_if_changed(docs / "cli.md", cli_page())
    (docs / "api").mkdir(exist_ok=True)
    write_if_changed(docs / "api" / "index.rst", api_page())
    found = docs.parent / "benchmarks" / "results"
    (docs / "results").mkdir(exist_ok=True)
    pages = sorted(found.glob("*.md"), reverse=True)
    for page in pages:
        write_if_changed(docs / "results" / page.name, page.read_text(encoding="utf-8"))
    entries = "\n".join(page.stem for page in pages)
    write_if_changed(
        docs / "results" / "index.md",
        "# Results of the benchmarks\n\nAs the programs in `benchmarks/` printed them, with their dates.\n\n"
        f"```{{toctree}}\n:maxdepth: 1\n\n{entries}\n```\n",
    )


def api_page() -> str:
    """A table of all public modules, each with a page of its own."""
    lines = ["All modules", "===========", "", ".. autosummary::", "   :toctree: .", "   :template: module.rst", ""]
    return "\n".join([*lines, *(f"   {name}" for name in public_modules())]) + "\n"


def write_if_changed(path: Path, text: str) -> None:
    """Keep the time of a file whose text stays the same, so that its page is not built again."""
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")


def turn_links(_: Any, name: str, source: list[str]) -> None:
    """Lead links out of ``docs`` to the pages that stand for those files here."""
    for pattern, target in LINKS:
        source[0] = re.sub(rf"\]\({pattern}\)", f"]({target})", source[0])


def drop_empty_patterns(app: Any, name: str, source: list[str]) -> None:
    """Patterns in the table of contents may wait for pages that are not there yet."""
    if name == "index":
        lines = source[0].splitlines()
        kept = [
            line for line in lines if not re.fullmatch(r"[\w/]+\*", line) or any(Path(app.srcdir).glob(f"{line}.md"))
        ]
        source[0] = "\n".join(kept) + "\n"


def skip_member(_app: Any, _what: str, name: str, member: Any, _skip: bool, _options: Any) -> bool | None:
    """Leave out short names for types, and what scikit-learn adds to every estimator and explains elsewhere."""
    routing = re.fullmatch(r"set_\w+_request|get_metadata_routing", name)
    return True if routing or isinstance(member, GenericAlias) else None


def written_pictures(block: Any, variables: dict[str, Any], conf: dict[str, Any]) -> str:
    """Show the pictures that an example has written into its folder since its last block."""
    folder = Path(variables["src_file"]).parent
    places = variables["image_path_iterator"]
    shown = []
    for picture in sorted(folder.glob("*.png"), key=lambda path: path.stat().st_mtime_ns):
        shown.append(str(next(places)))
        shutil.move(picture, shown[-1])
    return figure_rst(shown, conf["src_dir"])


def larger_text(_conf: dict[str, Any], _name: str) -> None:
    """Pictures of twelve inches are shown at half their size: let their text be read all the same."""
    plt.rcParams.update({"font.size": 14, "axes.titlesize": 14})


class ByDepth:
    """Order of the examples: from paths over stages to the matrix, then the rest; the guide by its numbers."""

    ORDER = ("simple", "advanced", "expert", "hints", "reference", "alternatives", "explain", "own_family")

    def __init__(self, folder: str) -> None:
        self.folder = folder

    def __call__(self, name: str) -> tuple[int, str]:
        """Key to sort a file name by."""
        stem = Path(name).stem
        return (self.ORDER.index(stem) if stem in self.ORDER else len(self.ORDER)), stem

    def __repr__(self) -> str:
        return "<ByDepth>"
