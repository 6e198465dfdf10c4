"""How the page answers: errors in words, long work with its progress, files to be fetched; and what waits for what."""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable, Generator, Iterator
from functools import wraps
from html import escape
from pathlib import Path
from typing import Any, TypeVar

import gradio as gr

from colorize.app.core import Core
from colorize.app.pages import pieces
from colorize.app.stages import Work
from colorize.exceptions import RequestError

_Result = TypeVar("_Result")

_FETCH = "(file) => document.dispatchEvent(new CustomEvent('colorize-download', {detail: file}))"
"""JavaScript that fetches the file of a button."""

_EMPTY = """() => new Promise((done) => setTimeout(() => {
  done(null);
  setTimeout(() => { delete document.getElementById('%s').dataset.busy; }, 200);
}, 300))"""
"""Empties a zone. An answer that is quicker than the zone's own knowledge of its file could not."""

_PACE = 0.3
"""Seconds between two looks at how far long work has come; what is quicker shows no line."""

# Work on photographs goes on side by side, long work one piece at a time; progress and cards wait for neither.
# Eight pieces of long work may be begun: the lock of the core lets one of them work, and the
# others say that they wait, as a queue of Gradio's would not.
HEAVY: dict[str, Any] = {"concurrency_id": "work", "concurrency_limit": 4}
LONG: dict[str, Any] = {"concurrency_id": "long", "concurrency_limit": 8, "show_progress": "hidden"}
LIGHT: dict[str, Any] = {"concurrency_id": "light", "concurrency_limit": 8, "show_progress": "hidden"}


def on(
    event: Callable[..., Any],
    inputs: list[Any],
    outputs: list[Any],
    *,
    refused: list[Any] | Callable[..., list[Any]] | None = None,
    empties: Any = None,
    fetches: Any = None,
    then: str | None = None,
    thanks: Callable[..., Any] | None = None,
    **options: Any,
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Let a function answer an event; what the visitor cannot have is said in a box.

    The outputs become `refused` then, or what that makes of the function's arguments, or stay as they are. After the
    answer, good or bad, the zone `empties` is ready for the next file, the browser fetches the file of the button
    `fetches`, the first output, which is hidden if there is none, and `then` is JavaScript for it to run. `thanks` is
    called once it has got the whole answer.
    """
    if fetches is not None:
        refused = [gr.update(value=None, visible=False), *(None for _ in outputs[1:])]

    def say(error: RequestError, *asked: Any) -> Any:
        # Gradio shows the words of a box as HTML, and names of visitors' files are among them. `desk.js` closes it.
        gr.Warning(escape(str(error)), duration=None)
        values = refused(*asked) if callable(refused) else refused
        # Gradio takes a list only where there are several outputs.
        return gr.skip() if values is None else values[0] if len(values) == 1 else values

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def answer(*arguments: Any, **named: Any) -> Any:
            try:
                return function(*arguments, **named)
            except RequestError as error:
                return say(error, *arguments)

        @wraps(function)
        def answers(*arguments: Any, **named: Any) -> Iterator[Any]:
            try:
                yield from function(*arguments, **named)
            except RequestError as error:
                yield say(error, *arguments)

        # Gradio looks at a function, before calling it, to know whether
        # it yields: one wrapper for both kinds would hide that.
        chosen = answers if inspect.isgeneratorfunction(function) else answer
        step = event(chosen, inputs, outputs, **options)
        if empties is not None:
            step.then(None, None, [empties], js=_EMPTY % empties.elem_id)
        if fetches is not None:
            step.then(None, [fetches], js=_FETCH)
        if then is not None:
            step.then(None, js=then)
        if thanks is not None:
            step.then(thanks, None, None, **LIGHT)
        return chosen

    return decorate


def followed(work: Work[_Result], outputs: Callable[[str], Any]) -> Generator[Any, None, _Result]:
    """The result of long work; until then `outputs` of a line on how far it has come, when that changes."""
    shown = ""
    while not work.wait(_PACE):
        line = pieces.progress(*work.now, time.monotonic() - work.start)
        if line != shown:
            yield outputs(line)
        shown = line
    return work.result()


def zone(label: str, elem_id: str, *classes: str, **options: Any) -> Any:
    """A place to drop files into."""
    return gr.File(
        label=label, type="filepath", height=110, elem_id=elem_id, elem_classes=["zone", *classes], **options
    )


def news() -> str:
    """A value that is new each time: the shelf is to be read again."""
    return str(time.monotonic())


def sent(core: Core, request: Any, paths: list[str] | None) -> list[Path]:
    """Files that were sent, under the names that the visitor knows; they are removed when the visitor leaves.

    After a day one may be gone.
    """
    # Gradio names uploads after their content: the same file of two visitors is one, and only
    # `Visits` knows when nobody needs it.
    sent = [Path(path) for path in paths or ()]
    for path in sent:
        if not path.is_file():
            raise RequestError(f"{path.name} is no longer here; choose it again")
    core.visits.keep(key_of(request), sent)
    return sent


def key_of(request: Any) -> str:
    """Which visitor asks."""
    return str(request.session_hash)


def ready_to_fetch(path: Path, *, visible: bool = True) -> Any:
    """A button to download a file that is there."""
    size = path.stat().st_size
    return gr.DownloadButton(f"Download {path.name} ({max(size / 1e6, 0.1):.1f} MB)", value=str(path), visible=visible)
