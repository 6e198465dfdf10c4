"""`colorize info`: versions, devices, caches and models."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import click


@click.command("info", short_help="Tell versions, devices, caches and models.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(as_json: bool) -> None:
    """Tell versions, devices, caches and models: what to paste into a report of a fault.

    Your home folder is written ~, and no environment variable is told but those that set threads, caches and GPUs.
    """
    from colorize.cli.environment import describe_environment

    facts = describe_environment()
    click.echo(json.dumps(facts, indent=2) if as_json else "\n".join(lines(facts)))


def lines(facts: Mapping[str, Any]) -> Iterator[str]:
    """The facts for a person."""
    system, python = facts["system"], facts["python"]
    yield f"colorize {facts['colorize']['version']} in {facts['colorize']['folder']}"
    yield f"Python {python['version']} ({python['implementation']}) on {system['platform']}"
    memory = "unknown" if system["memory"] is None else f"{system['memory'] / 1e9:.1f} GB"
    yield f"{system['cores']} processor cores, {system['usable_cores']} usable; memory {memory}"
    yield f"CUDA: {facts['cuda'] if isinstance(facts['cuda'], str) else ', '.join(facts['cuda'])}"
    yield from (f"{name}={value}" for name, value in facts["settings"].items())
    yield f"libraries: {versions(facts['libraries'])}"
    yield from (f"extra {name}: {versions(table)}" for name, table in facts["extras"].items())
    for cache in facts["caches"]:
        yield f"{cache['what']}: {cache['folder']}, {cache['files']} files, {cache['bytes'] / 1e6:.1f} MB"
    yield from (model_line(model) for model in facts["models"])
    yield from (f"problem: {problem}" for problem in facts["problems"])


def versions(table: Mapping[str, str | None]) -> str:
    """Names with versions, in one line."""
    return ", ".join(f"{name} {version or '(absent)'}" for name, version in table.items())


def model_line(model: Mapping[str, Any]) -> str:
    """One model: what it is, or what is wrong with it."""
    if "problem" in model:
        return f"model {model['name']}: {model['problem']}"
    what = f"{model['kind']}, format {model['format_version']}, {model['bytes'] / 1e6:.1f} MB"
    return f"model {model['name']}: {what}, sha256 {model['sha256'][:12]}, {model['file']}"
