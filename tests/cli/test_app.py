"""`colorize app`: who may come in, and what is asked of the library."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def served(monkeypatch):
    """What the command asks for, instead of doing it."""
    calls = []
    monkeypatch.setattr("colorize.app.serve.serve", lambda **options: calls.append(options))
    return calls


def test_it_is_for_this_machine_alone(run, served):
    run("app", "--no-browser", "--models", "mine")
    options = served[0]
    assert options["host"] == "127.0.0.1"
    assert options["max_upload"] == 50_000_000
    assert options["folders_allowed"]
    assert not options["open_browser"]
    assert options["models"] == Path("mine")


def test_other_addresses_need_a_word_about_who_may_come_in(run, served):
    result = run("app", "--host", "0.0.0.0", status=2)
    assert "--auth USER:PASSWORD, or --no-auth" in result.output
    assert not served
    run("app", "--host", "0.0.0.0", "--auth", "anna:secret:1")
    run("app", "--host", "0.0.0.0", "--no-auth")
    assert [options["login"] for options in served] == [("anna", "secret:1"), None]
    assert not any(options["folders_allowed"] for options in served)


@pytest.mark.parametrize(
    "arguments",
    [
        ["--auth", "anna"],
        ["--auth", ":x"],
        ["--auth", "anna:x", "--no-auth"],
        ["--max-upload", "3"],
        ["--port", "70000"],
    ],
)
def test_bad_usage_is_refused(run, served, arguments):
    run("app", *arguments, status=2)
    assert not served


@pytest.mark.parametrize(("text", "expected"), [("1.5GB", 1_500_000_000), ("20mb", 20_000_000), ("5000", 5000)])
def test_sizes(run, served, text, expected):
    run("app", "--max-upload", text)
    assert served[0]["max_upload"] == expected


def test_without_gradio_the_extra_is_named(run, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "gradio", None)
    assert "'.[app]'" in run("app", "--no-browser", status=1).output
