"""Every link, anchor, picture, command and option of README and docs is right, and the reference leaves nothing out."""

from __future__ import annotations

import ast
import importlib
import re
import shlex
import sys
from pathlib import Path

import click
import pytest

import colorize
from colorize.cli import main

from .markdown import ROOT, blocks, commands, links, pages, prose, spans

pytestmark = pytest.mark.extras

PAGES = pages()
sys.path[:0] = [str(ROOT / "docs" / "_ext"), str(ROOT / "scripts")]


def anchors(name: str) -> set[str]:
    """What a link into a page can point to: its headings as code hosts spell them, and named places."""
    text = PAGES[name]
    headings = re.findall(r"^#+ +(.+?)\s*$", prose(text), re.MULTILINE)
    plain = (re.sub(r"[`*]|\]\([^)]*\)|\[", "", heading).lower() for heading in headings)
    slugs = {re.sub(r"[^\w\- ]", "", heading).replace(" ", "-") for heading in plain}
    return slugs | set(re.findall(r"^\(([\w-]+)\)=$", text, re.MULTILINE))


@pytest.mark.parametrize("page", PAGES)
def test_links_and_pictures_are_there(page):
    for target in links(PAGES[page]):
        if target.startswith(("http:", "https:", "mailto:")):
            continue
        path, _, anchor = target.partition("#")
        place = (ROOT / page).parent / path if path else ROOT / page
        assert place.exists(), f"{page} links to {target}"
        if anchor:
            name = place.resolve().relative_to(ROOT).as_posix()
            assert anchor in anchors(name), f"{page} links to {target}, a heading that {name} does not have"


def test_a_dead_link_would_be_noticed(monkeypatch):
    assert links("See [there](gone.md) and ![this](gone.png), not `[x](y)`.\n```\n[z](z)\n```\n") == [
        "gone.md",
        "gone.png",
    ]
    monkeypatch.setitem(PAGES, "docs/index.md", "[gone](tutorial.md#no-such-heading)")
    with pytest.raises(AssertionError, match="does not have"):
        test_links_and_pictures_are_there("docs/index.md")


def resolve(arguments: list[str]) -> tuple[click.Context, list[str]]:
    """The command that arguments name, and what is left of them."""
    context = click.Context(main, info_name="colorize")
    while isinstance(context.command, click.Group) and arguments and not arguments[0].startswith("-"):
        command = context.command.get_command(context, arguments[0])
        if command is None:
            raise click.UsageError(f"no command {arguments[0]}")
        context = click.Context(command, info_name=arguments[0], parent=context)
        arguments = arguments[1:]
    return context, arguments


def check_command(arguments: list[str]) -> None:
    """Raise a usage error for a command, option or choice that is not there."""
    context, rest = resolve(arguments)
    if isinstance(context.command, click.Group):
        raise click.UsageError(f"{arguments} names no command")
    values, _, _ = context.command.make_parser(context).parse_args(list(rest))
    for parameter in context.command.params:
        checked = isinstance(parameter.type, (click.Choice, click.IntRange, click.FloatRange))
        if checked and values.get(parameter.name) is not None and parameter.name in values:
            value = values[parameter.name]
            if isinstance(value, (str, list, tuple)):
                parameter.type_cast_value(context, value)


CALLS = [(name, call) for name, text in PAGES.items() for block in blocks(name, text) for call in commands(block)]


@pytest.mark.parametrize(
    ("page", "call"), CALLS, ids=lambda value: " ".join(value) if isinstance(value, list) else value
)
def test_commands_in_blocks_exist(page, call):
    check_command(call)


@pytest.mark.parametrize("page", PAGES)
def test_no_command_of_a_page_finds_its_output_there_already(page):
    """Without --force nothing is overwritten: whoever follows a page from top to bottom would be stopped."""
    written = []
    for call in (call for name, call in CALLS if name == page):
        context, rest = resolve(call)
        values, _, _ = context.command.make_parser(context).parse_args(list(rest))
        target = values.get("output") or (str(values["inputs"]) if context.info_name == "photo" else None)
        if "alternatives" in values:
            written.append(f"{target}, numbered")
        if target is not None and ("alternatives" not in values or "sheet" in values):
            written.append(target)
    assert sorted(set(written)) == sorted(written)


@pytest.mark.parametrize(
    "call",
    [["foto", "a.jpg"], ["photo", "a.jpg", "--vivid", "1"], ["photo", "a.jpg", "--vividness", "7"], ["study"]],
)
def test_wrong_commands_would_be_noticed(call):
    with pytest.raises(click.UsageError):
        check_command(call)


def options_of(command: click.Command) -> set[str]:
    """Option names of a command and of all commands below it."""
    names = {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}
    return names.union(*(options_of(child) for child in getattr(command, "commands", {}).values()), {"-h", "--help"})


@pytest.mark.parametrize("page", [name for name in PAGES if name not in ("CHANGELOG.md", "CONTRIBUTING.md")])
def test_commands_and_options_in_the_text_exist(page):
    options = options_of(main)
    for span in spans(PAGES[page]):
        if span.startswith("--"):
            assert re.split(r"[ =]", span)[0] in options, f"{page}: {span}"
        elif span.startswith("colorize "):
            context, rest = resolve(shlex.split(span)[1:])
            wanted = {word.partition("=")[0] for word in rest if word.startswith("--")}
            assert wanted <= options_of(context.command), f"{page}: {span}"


def test_the_page_of_the_command_line_leaves_nothing_out():
    from make_cli_page import cli_page, contexts

    parts = re.split(r"^## ", cli_page(), flags=re.MULTILINE)[1:]
    by_command = {part.partition("\n")[0]: part for part in parts}
    found = list(contexts(click.Context(main, info_name="colorize")))
    assert list(by_command) == [context.command_path for context in found]
    assert set(main.commands) <= {path.split()[1] for path in list(by_command)[1:]}
    for context in found:
        text = by_command[context.command_path]
        assert " ".join((context.command.help or "").split()).split(". ")[0][:40] in " ".join(text.split())
        for parameter in context.command.params:
            for name in (*parameter.opts, *parameter.secondary_opts):
                if isinstance(parameter, click.Option) and not parameter.hidden:
                    assert re.search(rf"`[^`\n]*{re.escape(name)}[ ,/`]", text), f"{context.command_path} {name}"


def real_name(role: str) -> str:
    """Where something is defined, given a name by which it can be reached."""
    module, _, name = role.rpartition(".")
    return f"{getattr(getattr(importlib.import_module(module), name), '__module__', module)}.{name}"


def test_the_reference_has_every_public_name_and_every_stage():
    from public_modules import HIDDEN, public_modules

    listed = set(public_modules())
    page = PAGES["docs/api.md"]
    roles = re.findall(r"\{py:(?:func|class|mod)\}`~?(colorize[\w.]*)`", page)
    for role in roles:
        module, _, name = role.rpartition(".")
        home = importlib.import_module(module)
        assert hasattr(home, name) or importlib.import_module(role), role
        assert module in listed or role in listed, f"{role} is in no module of the reference"
    public = {f"{getattr(colorize, name).__module__}.{name}" for name in colorize.__all__}
    assert public <= {real_name(role) for role in roles}
    package = Path(colorize.__file__).parent
    modules = {
        ".".join(("colorize", *path.relative_to(package).with_suffix("").parts)) for path in package.rglob("*.py")
    }
    modules = {name.removesuffix(".__init__") for name in modules}
    private = {name for name in modules if re.search(r"\._|\.cli(\.|$)", name)}
    assert modules - private == listed | set(HIDDEN)


def test_the_reference_is_the_same_where_a_package_cannot_be_imported(monkeypatch):
    from public_modules import public_modules

    listed = list(public_modules())
    monkeypatch.setitem(sys.modules, "colorize.refine", None)
    assert list(public_modules()) == listed


def test_the_architecture_page_names_every_module_and_the_doors_of_the_tests():
    text = PAGES["docs/architecture.md"]
    package = Path(colorize.__file__).parent
    for path in package.iterdir():
        if path.suffix == ".py" and path.name != "__init__.py":
            assert f"`{path.name}`" in text, path.name
        if (path / "__init__.py").exists():
            assert f"`{path.name}/`" in text, path.name
    rooms = next(
        node.value
        for node in ast.parse((ROOT / "tests" / "test_architecture.py").read_text(encoding="utf-8")).body
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "ROOMS"
    )
    table = PAGES["CONTRIBUTING.md"]
    for room, modules in ast.literal_eval(rooms).items():
        line = re.search(rf"^\| {room} \|(.*?)\|", table, re.MULTILINE)[1]
        for module in modules:
            assert module in line or module.partition(".")[0] in line, f"CONTRIBUTING.md: {room} lacks {module}"


@pytest.mark.parametrize("path", sorted((ROOT / "examples").glob("*.py")), ids=lambda path: path.stem)
def test_examples_run_where_no_extra_is_installed(path):
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module for node in nodes if isinstance(node, ast.ImportFrom)}
    assert {name.partition(".")[0] for name in names} - sys.stdlib_module_names <= {
        "colorize", "numpy", "scipy", "sklearn"
    }  # fmt: skip
