"""The rooms of the page beside the photograph: training and the shelf of models, comparing, many at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr

from colorize.app.answers import HEAVY, LIGHT, LONG, followed, key_of, news, on, ready_to_fetch, sent, zone
from colorize.app.core import SAVED_AS, Core
from colorize.app.errands import RULES, BatchResult, Errands
from colorize.app.models import Models
from colorize.app.pages import pieces
from colorize.app.shelf import NameTakenError, Shelf
from colorize.app.stages import Work
from colorize.exceptions import RequestError

NO_BASE = "no other model"
_THUMBNAIL_BYTES = 2_700_000


def _training_form(core: Core) -> tuple[list[Any], list[Any], Any]:
    """What a training is asked for (name, files, folder, base, pictures), its buttons, and where it tells its state."""
    with gr.Row(elem_classes="workspace"):
        with gr.Column(scale=2, min_width=320):
            gr.HTML(
                "<p>About <strong>200 colour photographs of one kind</strong> (your mountains, your family, your "
                "street) make a model of your own in a few minutes. What it has not seen, it cannot know.</p>"
            )
            name = gr.Textbox(label="Name of the new model", placeholder="mountains", max_length=40)
            files = zone("Photographs, or a zip of them", "teachers", "main-zone", file_count="multiple")
            gr.HTML(pieces.limits(core.limits, True))
            folder = gr.Textbox(
                label="... or a folder on this machine",
                placeholder="/photographs/mountains",
                visible=core.folders_allowed,
            )
            base = gr.Dropdown(
                [NO_BASE, *core.shelf.names()],
                value=NO_BASE,
                label="Build on",
                info="Better with few photographs: what another model knows is kept where that helps. It must not have "
                "been trained on these.",
                elem_id="base",
            )
            pictures = gr.Checkbox(
                label="Keep tiny pictures in the model",
                info="“Why?” can then show what it remembers. Whoever gets the model sees them.",
            )
            with gr.Row():
                start = gr.Button("Train", variant="primary")
                stop = gr.Button("Stop", visible=False, elem_id="stop-training")
                resume = gr.Button("Go on", visible=False)
        with gr.Column(scale=3, min_width=320):
            status = gr.HTML(pieces.training(None), elem_id="training")
    return [name, files, folder, base, pictures], [start, stop, resume], status


def train_room(models: Models, arrival: Any, shelf_changed: Any) -> tuple[Any, Any, list[Any], Callable[..., Any]]:
    """Training, and the shelf of models; returns the lists of bases and models, and what tells of the progress."""
    asked, (start, stop, resume), status = _training_form(models.core)
    _, files, _, base, _ = asked
    # It runs only while a training does: an idle page asks nothing.
    timer = gr.Timer(1, active=False)
    progress = [status, timer, stop, resume, shelf_changed]

    def stand(request: gr.Request) -> list[Any]:
        found = models.status(key_of(request))
        is_on, state = (found.is_on, found.state) if found else (False, "")
        return [
            pieces.training(found),
            gr.Timer(active=is_on),
            gr.Button(visible=is_on),
            gr.Button(visible=state in ("stopped", "failed")),
            news() if state == "done" else gr.skip(),
        ]

    @on(
        start.click,
        asked,
        [files, *progress],
        # Unpacking a large zip takes a while, and must not take a place from the strokes of others.
        concurrency_id="uploads",
        concurrency_limit=2,
    )
    def begin(
        wanted: str, paths: list[str] | None, place: str, built_on: str, keep_pictures: bool, request: gr.Request
    ) -> list[Any]:
        models.train(
            key_of(request),
            wanted,
            files=sent(models.core, request, paths),
            folder=place,
            base="" if built_on == NO_BASE else built_on,
            thumbnail_bytes=_THUMBNAIL_BYTES if keep_pictures else 0,
        )
        return [None, *stand(request)]

    @on(stop.click, [], progress, **LIGHT)
    def stop_it(request: gr.Request) -> list[Any]:
        models.stop(key_of(request))
        return stand(request)

    @on(resume.click, [], progress, **LIGHT)
    def go_on(request: gr.Request) -> list[Any]:
        models.resume(key_of(request))
        return stand(request)

    @on(timer.tick, [], progress, **LIGHT)
    def look(request: gr.Request) -> list[Any]:
        found = models.status(key_of(request))
        # Its place may be out of sight: below on a phone, or in another room.
        if found and found.state == "done":
            gr.Success(f"The model “{escape(found.message)}” is ready.", duration=20)
        elif found and found.state == "failed":
            gr.Warning(f"The training failed: {escape(found.message)}", duration=20)
        return stand(request)

    return base, _shelf(models, arrival, shelf_changed), progress, stand


def _shelf(models: Models, arrival: Any, shelf_changed: Any) -> Any:
    """Look at models, take them along, rename and delete them, bring them; returns the picker."""
    shelf = models.core.shelf
    gr.HTML("<h3>Models</h3>")
    with gr.Row(elem_classes="workspace"):
        with gr.Column(scale=2, min_width=320):
            picker = gr.Dropdown(shelf.names(), value="default", label="Model", elem_id="shelf")
            take = gr.Button("Take it along")
            ready = gr.DownloadButton("Download", visible=False, elem_id="model-ready")
            with gr.Row(visible=models.core.folders_allowed, elem_classes="together"):
                new_name = gr.Textbox(label="Another name for it", max_length=40, scale=3, elem_id="new-name")
                rename = gr.Button("Rename", min_width=80, elem_id="rename-model")
                delete = gr.Button("Delete", min_width=80, elem_id="delete-model")
            bring = zone("Bring a model (.safetensors)", "bring", "emptied", file_types=[".safetensors"])
            brought = gr.State("")
            with gr.Row(visible=False, elem_classes="together") as clash:
                other_name = gr.Textbox(label="That name is taken. Bring it as", max_length=40, scale=3)
                again = gr.Button("Bring it", min_width=80, elem_id="bring-as")
        with gr.Column(scale=3, min_width=320):
            card = gr.HTML()

    @on(take.click, [picker], [ready], fetches=ready, **LIGHT)
    def take_along(name: str, request: gr.Request) -> Any:
        return ready_to_fetch(models.copy(key_of(request), name))

    @on(rename.click, [picker, new_name], [picker, new_name, shelf_changed], **LIGHT)
    def call_it(name: str, wanted: str) -> list[Any]:
        given = models.rename(name, wanted)
        return [gr.Dropdown(value=given, choices=shelf.names()), "", news()]

    @on(delete.click, [picker], [picker, shelf_changed], **LIGHT)
    def delete_it(name: str) -> list[Any]:
        models.delete(name)
        return [gr.Dropdown(value="default", choices=shelf.names()), news()]

    def add(place: Path, name: str) -> list[Any]:
        try:
            given = shelf.add(place, name)
        # The file is here already and good: only its name is asked for once more.
        except NameTakenError:
            free = shelf.free_name(name)
            return [gr.Row(visible=True), free, str(place), gr.skip(), gr.skip()]
        return [gr.Row(visible=False), "", "", gr.Dropdown(value=given, choices=shelf.names()), news()]

    outputs = [clash, other_name, brought, picker, shelf_changed]

    @on(bring.upload, [bring], outputs, empties=bring, **HEAVY)
    def bring_it(path: str, request: gr.Request) -> list[Any]:
        [place] = sent(models.core, request, [path])
        return add(place, place.stem)

    @on(again.click, [brought, other_name], outputs, **HEAVY)
    def bring_as(path: str, name: str) -> list[Any]:
        return add(Path(path), name)

    show_card(shelf, picker, arrival, card)
    return picker


def show_card(shelf: Shelf, picker: Any, arrival: Any, card: Any) -> None:
    """Show the card of the model that is picked, or why there is none."""

    @on(partial(gr.on, [picker.change, arrival]), [picker], [card], **LIGHT)
    def show(model: str | None) -> str | None:
        try:
            return pieces.card(shelf.card(model)) if model else None
        # In its place, and not in a box: of a model that is picked for a photograph a box tells already.
        except RequestError as error:
            return pieces.no_card(str(error))


def compare_room(errands: Errands) -> Any:
    """Several methods on one photograph; returns the list of methods."""
    with gr.Row(elem_classes="workspace"):
        with gr.Column(scale=2, min_width=280):
            photo = zone("A photograph, gray or in colour", "compared", "main-zone")
            methods = gr.CheckboxGroup(errands.methods(), value=["default", *RULES], label="Colour it with")
            vividness = gr.Slider(0, 1, 0.5, step=0.05, label="Vividness of the models")
            run = gr.Button("Compare", variant="primary")
            gr.HTML(
                "<p class='hint'>If the photograph has colours, they are taken away first and compared with after.</p>"
            )
        with gr.Column(scale=3, min_width=320):
            shown = gr.HTML(None, elem_id="comparison")

    @on(run.click, [photo, methods, vividness], [shown], refused=[None], **LONG)
    def compare(path: str | None, wanted: list[str], value: float, request: gr.Request) -> Iterator[Any]:
        if not path:
            raise RequestError("choose a photograph first")
        [place] = sent(errands.core, request, [path])
        key = key_of(request)
        work = Work(lambda told: errands.compare(key, place, wanted, value, told))
        yield pieces.comparison(*(yield from followed(work, lambda line: line)))

    return methods


def batch_room(errands: Errands, returned: Any) -> Any:
    """Many photographs at once, also after a page has `returned`; returns the model picker."""
    with gr.Row(elem_classes="workspace"):
        with gr.Column(scale=2, min_width=320):
            files = zone("Photographs, or zips of them", "many", "main-zone", file_count="multiple")
            gr.HTML(pieces.limits(errands.core.limits, True))
            folder = gr.Textbox(
                label="... or a folder on this machine",
                placeholder="/photographs/1938",
                visible=errands.core.folders_allowed,
                elem_id="batch-folder",
            )
            picker = gr.Dropdown(errands.core.shelf.names(), value="default", label="Model", elem_id="batch-model")
            vividness = gr.Slider(0, 1, 0.5, step=0.05, label="Vividness")
            kind = gr.Radio(list(SAVED_AS), value="JPEG", label="Save as")
            with gr.Row():
                run = gr.Button("Colour them all", variant="primary")
                stop = gr.Button("Stop", visible=False, elem_id="stop-batch")
        with gr.Column(scale=3, min_width=320):
            report = gr.HTML(
                "<p class='hint'>You get one zip with the pictures at full size, in the folders that they came in, and "
                "a report of what failed.</p>",
                min_height=120,
            )
            ready = gr.DownloadButton("Download", visible=False, variant="primary", elem_id="zip-ready")

    outputs = [report, ready, files, run, stop]
    begun = [gr.update(interactive=False), gr.update(visible=True)]
    ended = [gr.update(interactive=True), gr.update(visible=False)]
    refused = [None, gr.skip(), gr.skip(), *ended]
    # A queue of its own: a batch may take hours, and would hold a place of saving and comparing.
    waiting: dict[str, Any] = LONG | {"concurrency_id": "batch"}

    def know(request: gr.Request) -> None:
        errands.know_batch(key_of(request))

    def awaited(work: Work[BatchResult]) -> Iterator[list[Any]]:
        result = yield from followed(work, lambda line: [line, gr.skip(), gr.skip(), *begun])
        yield [pieces.batch(result), ready_to_fetch(result.archive), None, *ended]

    @on(run.click, [files, folder, picker, vividness, kind], outputs, refused=refused, thanks=know, **waiting)
    def colour_all(
        paths: list[str] | None, place: str, model: str, value: float, wanted: str, request: gr.Request
    ) -> Iterator[list[Any]]:
        options = {"folder": place, "model": model, "vividness": value, "kind": wanted}
        yield from awaited(errands.start_batch(key_of(request), sent(errands.core, request, paths), **options))

    @on(returned, [], outputs, refused=refused, thanks=know, **waiting)
    def go_on_waiting(request: gr.Request) -> Iterator[list[Any]]:
        work = errands.batch_of(key_of(request))
        # To a generator that yields nothing Gradio gives an answer of its own: nothing in every place.
        yield gr.skip()
        if work is not None:
            yield from awaited(work)

    @on(stop.click, [], [], **LIGHT)
    def stop_it(request: gr.Request) -> None:
        errands.stop_batch(key_of(request))

    return picker
