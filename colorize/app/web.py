"""The page: Gradio components, and which of them calls what. The work is done in `service`."""

from __future__ import annotations

import inspect
import os
import queue
import threading
import time
from collections.abc import Callable, Generator, Iterator
from functools import wraps
from html import escape
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

from colorize.app import pages
from colorize.app.service import (
    DEFAULT_REACH,
    N_REFERENCES,
    RULES,
    SAMPLES,
    SAVED_AS,
    Service,
    Told,
    View,
    data_uri,
    sample_path,
    shrunk,
)
from colorize.app.shelf import NameTakenError
from colorize.app.visits import Stroke
from colorize.color import lab_to_rgb, rgb_to_lightness
from colorize.exceptions import RequestError
from colorize.io import encode_screen, read_photo

os.environ["GRADIO_ANALYTICS_ENABLED"] = "0"  # read by gradio when it is imported
import gradio as gr

_GREENS = (
    "#eef6f4 #d5e9e6 #aed4cf #7fbab3 #4c9a92 #19655f #165a54 #124e49 #0e3f3b #0b312e #071f1d".split()  # noqa: SIM905
)
_SAMPLE_SIDE = 120
_NO_BASE = "nothing: these photographs alone"
_KEEP_SECONDS = 3600
_THUMBNAIL_BYTES = 2_700_000
_SET_MODE = "() => document.dispatchEvent(new CustomEvent('colorize-mode', {detail: '%s'}))"
_ANSWERED = "() => document.dispatchEvent(new CustomEvent('colorize-answered'))"
_FETCH = "(file) => document.dispatchEvent(new CustomEvent('colorize-download', {detail: file}))"
_TOKEN = """() => {
  const token = sessionStorage.getItem('colorize-visit') ?? '';
  sessionStorage.removeItem('colorize-visit');
  return token;
}"""

# Work on photographs goes on side by side, long work one piece at a time; progress and cards wait for neither.
_HEAVY: dict[str, Any] = {"concurrency_id": "work", "concurrency_limit": 4}
_LONG: dict[str, Any] = {"concurrency_id": "long", "concurrency_limit": 8, "show_progress": "hidden"}
_LIGHT: dict[str, Any] = {"concurrency_id": "light", "concurrency_limit": 8, "show_progress": "hidden"}


def build(service: Service) -> Any:
    """Make the page of a service.

    Parameters
    ----------
    service : Service

    Returns
    -------
    gradio.Blocks
    """
    with gr.Blocks(title="colorize", analytics_enabled=False, delete_cache=(600, _KEEP_SECONDS)) as page:
        gr.HTML(pages.HEADER)
        desk = gr.HTML("", html_template="", js_on_load=_static("desk.js"), elem_id="desk")
        shelf_changed = gr.State("")
        with gr.Tabs(elem_id="rooms"):
            with gr.Tab("Photograph", elem_id="room-photograph"):
                stage, settings = _photograph(service, page.load, shelf_changed)
            with gr.Tab("Train", elem_id="room-train"):
                base, shown_model, progress, told = _train(service, page.load, shelf_changed)
            with gr.Tab("Compare", elem_id="room-compare"):
                methods = _compare(service)
            with gr.Tab("Batch", elem_id="room-batch"):
                batch_model = _batch(service)
        pickers = [shown_model, batch_model]

        @gr.on([page.load, shelf_changed.change], outputs=[base, settings[0], *pickers, methods], **_LIGHT)
        def list_models() -> list[Any]:
            names = service.shelf.names()
            bases = gr.update(choices=[_NO_BASE, *names])
            return [bases, *(gr.update(choices=names) for _ in range(3)), gr.update(choices=service.methods())]

        def come_back(token: str, request: gr.Request) -> list[Any]:
            key = _key(request)
            view, chosen = service.come_back(key, str(token or ""))
            now = service.visits.get(key).token
            names = service.shelf.names()
            model = gr.Dropdown(value=chosen.model, choices=names) if chosen.model in names else gr.skip()
            return [now, _fresh(view) if view else gr.skip(), model, chosen.vividness, chosen.shows_sure]

        back = page.load(come_back, [desk], [desk, stage, *settings], js=_TOKEN, **_LIGHT)
        back.then(told, [], progress, **_LIGHT)

        def leave(request: gr.Request) -> None:
            service.visits.leave(str(request.session_hash))

        page.unload(leave)
    page.queue(max_size=200)
    return page


def look() -> dict[str, Any]:
    """Arguments of ``launch`` that make the page look as it should: colours, local fonts, no links elsewhere."""
    sans, mono = ["ui-sans-serif", "system-ui", "sans-serif"], ["ui-monospace", "Consolas", "monospace"]
    theme = gr.themes.Base(
        primary_hue=gr.themes.Color(*_GREENS), neutral_hue="stone", font=sans, font_mono=mono, text_size="lg"
    ).set(
        body_background_fill="#f8f5ef",
        body_background_fill_dark="#191613",
        block_background_fill="#fffdf9",
        block_background_fill_dark="#231f1b",
        block_border_width="1px",
        button_primary_background_fill="#19655f",
        button_primary_background_fill_hover="#124e49",
        button_primary_background_fill_dark="#1f7a72",
        button_primary_text_color="#ffffff",
        button_secondary_background_fill="#fffdf9",
        button_secondary_background_fill_hover="#efe9df",
        button_secondary_background_fill_dark="#2e2823",
        button_secondary_border_color="#cfc5b6",
        button_secondary_border_color_dark="#5a5047",
        button_border_width="1px",
        button_large_text_size="1rem",
        button_large_text_weight="500",
        button_large_padding="0.55rem 1rem",
        button_large_radius="6px",
        checkbox_label_text_size="1rem",
        block_info_text_color="#6b6259",
        block_info_text_color_dark="#b3a899",
        block_label_text_color="#4d453e",
        block_label_text_color_dark="#cfc5b6",
        block_title_text_color="#2b2622",
        block_title_text_color_dark="#ece5da",
        slider_color="#19655f",
        slider_color_dark="#62c3b6",
    )
    return {"theme": theme, "css": _static("style.css"), "footer_links": []}


def _photograph(service: Service, arrival: Any, shelf_changed: Any) -> tuple[Any, list[Any]]:
    """Upload, look, colorize, correct, lend colours, ask; returns the stage and what a visitor sets."""
    with gr.Row(elem_classes="workspace"):
        with gr.Column(scale=3, min_width=320):
            upload = gr.File(
                label="Your photograph", type="filepath", height=110, elem_id="upload", elem_classes="main-zone"
            )
            with gr.Row(elem_id="beginning"):
                samples = gr.HTML(
                    pages.samples(_sample_pictures()), js_on_load=_static("buttons.js"), elem_id="samples"
                )
                gr.HTML(pages.limits(service.limits, packed=False), elem_id="limits")
            stage = gr.HTML(
                None,
                html_template=_static("stage.html"),
                js_on_load="".join(_static(name) for name in ("stage.js", "zoom.js", "brush.js")),
                places=None,
                sure=None,
                reach=DEFAULT_REACH,
                elem_id="stage",
            )
        with gr.Column(scale=2, min_width=320):
            made = _saving(service)
            with gr.Tabs(elem_id="steps"):
                with gr.Tab("Colorize", elem_id="step-colorize") as colorize_tab:
                    settings, choices = _colorize_panel(service, arrival, stage)
                with gr.Tab("Correct", elem_id="step-correct") as correct_tab:
                    to_clear = [choices, *_correct_panel(service, stage, shelf_changed)]
                with gr.Tab("Reference", elem_id="step-reference") as reference_tab:
                    to_clear += _reference_panel(service, stage)
                with gr.Tab("Why?", elem_id="step-why") as why_tab:
                    to_clear += _why_panel(service, stage)
    modes = {"view": (colorize_tab, reference_tab), "paint": (correct_tab,), "ask": (why_tab,)}
    for mode, tabs in modes.items():
        for tab in tabs:
            tab.select(None, js=_SET_MODE % mode)
    outputs = [stage, upload, settings[2], *made, *to_clear]

    def opened(view: View) -> list[Any]:
        """The stage, the next upload, and what belonged to the photograph before."""
        belonged = [gr.DownloadButton(value=None, visible=False), None, *(None for _ in to_clear)]
        return [_fresh(view), gr.File(value=None, label="Another photograph"), False, *belonged]

    refused = [gr.skip(), gr.update(value=None), *(gr.skip() for _ in outputs[2:])]

    @_on(upload.upload, [upload], outputs, refused=refused, show_progress_on=[upload, stage], **_HEAVY)
    def open_photo(path: str, request: gr.Request) -> list[Any]:
        [(name, place)] = _sent(service, request, [path])
        return opened(service.open_photo(_key(request), place, name))

    @_on(samples.pick, [], outputs, show_progress_on=[upload, stage], **_HEAVY)
    def open_sample(event: gr.EventData, request: gr.Request) -> list[Any]:
        return opened(service.open_sample(_key(request), str(event.name)))

    return stage, settings


def _saving(service: Service) -> list[Any]:
    """What is made of the photograph, always in sight; returns what belongs to the photograph shown."""
    with gr.Row(elem_id="saving"):
        kind = gr.Radio(list(SAVED_AS), value="PNG", label="Save as", show_label=False, container=False, scale=3)
        save = gr.Button("Save", variant="primary", elem_id="save", scale=2, min_width=80)
        share = gr.Button("Before and after", elem_id="share", scale=2, min_width=120)
    saved = gr.HTML(None, elem_id="saved")
    ready = gr.DownloadButton("Download", visible=False, elem_id="ready")
    refused = [gr.update(value=None, visible=False), None]

    @_on(save.click, [kind], [ready, saved], refused=refused, then=_FETCH, then_inputs=[ready], **_LONG)
    def write(wanted: str, request: gr.Request) -> Iterator[list[Any]]:
        key = _key(request)
        path = yield from _told(lambda told: service.save(key, wanted, told))
        is_shown = service.is_shown(key, path)
        said = None if is_shown else f"<p class='hint'>{escape(path.name)} is saved.</p>"
        yield [_ready(path, visible=is_shown), said]

    @_on(share.click, [], [ready, saved], refused=refused, then=_FETCH, then_inputs=[ready], **_HEAVY)
    def write_both(request: gr.Request) -> list[Any]:
        return [_ready(service.share(_key(request))), None]

    return [ready, saved]


def _colorize_panel(service: Service, arrival: Any, stage: Any) -> tuple[list[Any], Any]:
    """Model, vividness, other versions; returns what the visitor sets, and the versions."""
    picker = gr.Dropdown(
        service.shelf.names(), value="default", label="Model", info="What it has seen, it can imagine."
    )
    vividness = gr.Slider(
        0,
        1,
        0.5,
        step=0.05,
        label="Vividness",
        info="0: faithful and a little pale. 1: bold, with more mistakes.",
        elem_id="vividness",
    )
    sure = gr.Checkbox(
        label="Show how sure the model is", info="Before you help, its own doubts are only a rough guide."
    )
    other = gr.Button("Other versions")
    choices = gr.HTML(None, js_on_load=_static("buttons.js"), elem_id="choices")
    card = gr.HTML(elem_id="card")

    @_on(picker.input, [picker], [stage, choices], **_HEAVY)
    def use_model(model: str, request: gr.Request) -> list[Any]:
        return [_shown(service.set_style(_key(request), model=model)), None]

    @_on(vividness.input, [vividness], [stage], trigger_mode="always_last", show_progress="hidden", **_HEAVY)
    def use_vividness(value: float, request: gr.Request) -> Any:
        return _shown(service.set_style(_key(request), vividness=value))

    @_on(sure.input, [sure], [stage], **_HEAVY)
    def show_sure(is_wanted: bool, request: gr.Request) -> Any:
        return _shown(service.set_style(_key(request), shows_sure=is_wanted))

    @_on(other.click, [], [choices], **_HEAVY)
    def offer(request: gr.Request) -> str:
        return pages.choices(service.alternatives(_key(request)))

    @_on(choices.pick, [], [stage], **_HEAVY)
    def choose(event: gr.EventData, request: gr.Request) -> Any:
        return _shown(service.choose(_key(request), int(event.name)))

    @gr.on([picker.change, arrival], inputs=[picker], outputs=[card], **_LIGHT)
    def show_card(model: str) -> str:
        return pages.card(service.shelf.card(model))

    return [picker, vividness, sure], choices


def _correct_panel(service: Service, stage: Any, shelf_changed: Any) -> list[Any]:
    """Hints; returns what a new photograph clears."""
    gr.HTML(
        "<p>You know what colour something was? <strong>Paint it on the photograph</strong>, roughly is enough: the "
        "pixels that you paint get exactly your colour, and the thing they lie on follows. Gray is a colour too. "
        "<strong>Protect</strong> what is right already.</p>"
    )
    strokes = gr.HTML("", html_template="<ol></ol>", js_on_load=_static("strokes.js"), elem_id="strokes")
    suggest = gr.Button("Where would a hint help most?")
    places = gr.HTML(None, js_on_load=_static("places.js"), elem_id="places")
    with gr.Row():
        keep = gr.Button("Keep these hints")
        ready = gr.DownloadButton("Download", visible=False, elem_id="hints-ready")
    load = gr.File(
        label="Hints from earlier (JSON)", file_types=[".json"], type="filepath", height=110, elem_id="hints-file"
    )
    with gr.Accordion("Learn from these corrections", open=False):
        gr.HTML(
            "<p class='hint'>Make a new model that remembers what you painted, here and in photographs like it. The "
            "model in use stays as it is.</p>"
        )
        name = gr.Textbox(label="Name of the model that learns", placeholder="grandfather", max_length=40)
        learn = gr.Button("Learn from these corrections", elem_id="learn")
        learnt = gr.HTML(None, elem_id="learnt")

    many: dict[str, Any] = {"then": _ANSWERED, "trigger_mode": "multiple", "show_progress": "hidden"} | _HEAVY

    @_on(stage.paint, [], [stage], **many)
    def paint(event: gr.EventData, request: gr.Request) -> Any:
        return _shown(service.add_hint(_key(request), dict(event._data)))

    @_on(stage.takeback, [], [stage], **many)
    def take_back(request: gr.Request) -> Any:
        return _shown(service.undo(_key(request)))

    @_on(stage.again, [], [stage], **many)
    def again(request: gr.Request) -> Any:
        return _shown(service.redo(_key(request)))

    @_on(stage.wipe, [], [stage], **many)
    def wipe(request: gr.Request) -> Any:
        return _shown(service.clear(_key(request)))

    @_on(stage.erase, [], [stage], **many)
    def erase(event: gr.EventData, request: gr.Request) -> Any:
        return _shown(service.erase_hint(_key(request), int(event.number)))

    @_on(strokes.erase, [], [stage], **_HEAVY)
    def erase_listed(event: gr.EventData, request: gr.Request) -> Any:
        return _shown(service.erase_hint(_key(request), int(event.number)))

    @_on(strokes.edit, [], [stage], **_HEAVY)
    def edit(event: gr.EventData, request: gr.Request) -> Any:
        asked = dict(event._data)
        number = int(asked["number"])
        return _shown(service.edit_hint(_key(request), number, color=asked.get("color"), reach=asked.get("reach")))

    @_on(suggest.click, [], [places, stage], **_HEAVY)
    def suggestions(request: gr.Request) -> list[Any]:
        found = service.suggestions(_key(request))
        return [pages.places(found), gr.HTML(places=[{"row": place.row, "col": place.col} for place in found])]

    refused = [gr.update(value=None, visible=False)]

    @_on(keep.click, [], [ready], refused=refused, then=_FETCH, then_inputs=[ready], **_LIGHT)
    def save_hints(request: gr.Request) -> Any:
        return _ready(service.save_hints(_key(request)))

    @_on(load.upload, [load], [stage, load], refused=[gr.skip(), gr.update(value=None)], **_HEAVY)
    def load_hints(path: str, request: gr.Request) -> list[Any]:
        [(_, place)] = _sent(service, request, [path])
        return [_shown(service.load_hints(_key(request), place)), None]

    @_on(learn.click, [name], [learnt, shelf_changed, name], **_HEAVY)
    def learn_corrections(wanted: str, request: gr.Request) -> list[Any]:
        model, words = service.learn(_key(request), wanted)
        return [pages.learnt(model, words), _news(), ""]

    return [places, learnt]


def _reference_panel(service: Service, stage: Any) -> list[Any]:
    """Photographs to look like; returns what a new photograph clears."""
    gr.HTML(
        "<p>Have you a <strong>colour photograph of the same place, people or kind</strong>? The old one will borrow "
        "its colours where the two resemble each other. One that does not resemble it does more harm than good.</p>"
    )
    files = gr.File(
        label=f"Colour photographs, up to {N_REFERENCES}",
        file_count="multiple",
        type="filepath",
        height=110,
        elem_id="references",
    )
    strength = gr.Slider(0, 1, 1, step=0.05, label="How much to borrow")
    with gr.Row():
        look_like = gr.Button("Colour it like these", variant="primary")
        drop = gr.Button("Without them")
    said = gr.HTML(None)

    @_on(look_like.click, [files, strength], [stage, said], **_HEAVY)
    def lend(paths: list[str] | None, amount: float, request: gr.Request) -> list[Any]:
        if not paths:
            raise RequestError("choose a colour photograph first")
        named = _sent(service, request, paths)
        view = service.set_references(_key(request), named, amount)
        return [_shown(view), f"<p class='hint'>Borrowed from {len(named)}.</p>"]

    @_on(drop.click, [], [stage, said, files], **_HEAVY)
    def without(request: gr.Request) -> list[Any]:
        return [_shown(service.set_references(_key(request), [])), None, None]

    return [said, files]


def _why_panel(service: Service, stage: Any) -> list[Any]:
    """Explanations; returns what a new photograph clears."""
    gr.HTML("<p><strong>Click a place of the photograph</strong> to see why it got its colour.</p>")
    answer = gr.HTML(None, elem_id="answer")

    @_on(stage.ask, [], [answer], **_HEAVY)
    def ask(event: gr.EventData, request: gr.Request) -> str:
        return pages.explanation(service.explain(_key(request), float(event.row), float(event.col)))

    return [answer]


def _train(service: Service, arrival: Any, shelf_changed: Any) -> tuple[Any, Any, list[Any], Callable[..., Any]]:
    """Training, and the shelf of models; returns the lists of bases and models, and what tells of the progress."""
    with gr.Row(elem_classes="workspace"):
        with gr.Column(scale=2, min_width=320):
            gr.HTML(
                "<p>About <strong>200 colour photographs of one kind</strong> (your mountains, your family, your "
                "street) make a model of your own in a few minutes. What it has not seen, it cannot know.</p>"
            )
            name = gr.Textbox(label="Name of the new model", placeholder="mountains", max_length=40)
            files = gr.File(
                label="Photographs, or a zip of them",
                file_count="multiple",
                type="filepath",
                height=110,
                elem_id="teachers",
                elem_classes="main-zone",
            )
            gr.HTML(pages.limits(service.limits, packed=True))
            folder = gr.Textbox(
                label="... or a folder on this machine",
                placeholder="/photographs/mountains",
                visible=service.folders_allowed,
            )
            base = gr.Dropdown(
                [_NO_BASE, *service.shelf.names()],
                value=_NO_BASE,
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
            status = gr.HTML(pages.training(None), elem_id="training")
    timer = gr.Timer(1, active=False)
    progress = [status, timer, stop, resume, shelf_changed]

    def told(request: gr.Request) -> list[Any]:
        found = service.training(_key(request))
        state = found.state if found else ""
        is_on = state in ("waiting", "running")
        return [
            pages.training(found),
            gr.Timer(active=is_on),
            gr.Button(visible=is_on),
            gr.Button(visible=state in ("stopped", "failed")),
            _news() if found and state == "done" else gr.skip(),
        ]

    @_on(
        start.click,
        [name, files, folder, base, pictures],
        [files, *progress],
        concurrency_id="uploads",
        concurrency_limit=2,
    )
    def begin(
        wanted: str, paths: list[str] | None, place: str, on: str, keep_pictures: bool, request: gr.Request
    ) -> list[Any]:
        service.train(
            _key(request),
            wanted,
            files=_sent(service, request, paths),
            folder=place,
            base="" if on == _NO_BASE else on,
            thumbnail_bytes=_THUMBNAIL_BYTES if keep_pictures else 0,
        )
        return [None, *told(request)]

    @_on(stop.click, [], progress, **_LIGHT)
    def stop_it(request: gr.Request) -> list[Any]:
        service.stop_training(_key(request))
        return told(request)

    @_on(resume.click, [], progress, **_LIGHT)
    def go_on(request: gr.Request) -> list[Any]:
        service.resume_training(_key(request))
        return told(request)

    _on(timer.tick, [], progress, **_LIGHT)(told)
    return base, _shelf(service, arrival, shelf_changed), progress, told


def _shelf(service: Service, arrival: Any, shelf_changed: Any) -> Any:
    """Look at models, take them along, rename and delete them, bring them; returns the picker."""
    gr.HTML("<h3>Models</h3>")
    with gr.Row(elem_classes="workspace"):
        with gr.Column(scale=2, min_width=320):
            picker = gr.Dropdown(service.shelf.names(), value="default", label="Model", elem_id="shelf")
            with gr.Row():
                take = gr.Button("Take it along")
                ready = gr.DownloadButton("Download", visible=False, elem_id="model-ready")
            with gr.Row(visible=service.folders_allowed, elem_classes="together"):
                new_name = gr.Textbox(label="Another name for it", max_length=40, scale=3, elem_id="new-name")
                rename = gr.Button("Rename", min_width=80, elem_id="rename-model")
                delete = gr.Button("Delete", min_width=80, elem_id="delete-model")
            bring = gr.File(
                label="Bring a model (.safetensors)",
                file_types=[".safetensors"],
                type="filepath",
                height=110,
                elem_id="bring",
            )
            brought = gr.State("")
            with gr.Row(visible=False, elem_classes="together") as clash:
                other_name = gr.Textbox(label="That name is taken. Bring it as", max_length=40, scale=3)
                again = gr.Button("Bring it", min_width=80, elem_id="bring-as")
        with gr.Column(scale=3, min_width=320):
            card = gr.HTML()

    refused = [gr.update(value=None, visible=False)]

    @_on(take.click, [picker], [ready], refused=refused, then=_FETCH, then_inputs=[ready], **_LIGHT)
    def take_along(name: str, request: gr.Request) -> Any:
        return _ready(service.copy_of_model(_key(request), name))

    @_on(rename.click, [picker, new_name], [picker, new_name, shelf_changed], **_LIGHT)
    def call_it(name: str, wanted: str) -> list[Any]:
        given = service.rename_model(name, wanted)
        return [gr.Dropdown(value=given, choices=service.shelf.names()), "", _news()]

    @_on(delete.click, [picker], [picker, shelf_changed], **_LIGHT)
    def delete_it(name: str) -> list[Any]:
        service.delete_model(name)
        return [gr.Dropdown(value="default", choices=service.shelf.names()), _news()]

    def add(place: Path, name: str) -> list[Any]:
        try:
            service.shelf.add(place, name)
        except NameTakenError:
            free = service.shelf.free_name(name)
            return [None, gr.Row(visible=True), free, str(place), gr.skip()]
        return [None, gr.Row(visible=False), "", "", _news()]

    outputs = [bring, clash, other_name, brought, shelf_changed]

    @_on(bring.upload, [bring], outputs, refused=[gr.update(value=None), *(gr.skip() for _ in outputs[1:])], **_HEAVY)
    def bring_it(path: str, request: gr.Request) -> list[Any]:
        [(name, place)] = _sent(service, request, [path])
        return add(place, Path(name).stem)

    @_on(again.click, [brought, other_name], outputs, **_HEAVY)
    def bring_as(path: str, name: str) -> list[Any]:
        return add(Path(path), name)

    @gr.on([picker.change, arrival], inputs=[picker], outputs=[card], **_LIGHT)
    def show_card(model: str) -> str:
        return pages.card(service.shelf.card(model))

    return picker


def _compare(service: Service) -> Any:
    """Several methods on one photograph; returns the list of methods."""
    with gr.Row(elem_classes="workspace"):
        with gr.Column(scale=2, min_width=280):
            photo = gr.File(
                label="A photograph, gray or in colour",
                type="filepath",
                height=110,
                elem_id="compared",
                elem_classes="main-zone",
            )
            methods = gr.CheckboxGroup(service.methods(), value=["default", *RULES], label="Colour it with")
            vividness = gr.Slider(0, 1, 0.5, step=0.05, label="Vividness of the models")
            run = gr.Button("Compare", variant="primary")
            gr.HTML(
                "<p class='hint'>If the photograph has colours, they are taken away first and compared with after.</p>"
            )
        with gr.Column(scale=3, min_width=320):
            shown = gr.HTML(None, elem_id="comparison")

    @_on(run.click, [photo, methods, vividness], [shown], **(_LONG | {"show_progress": "full"}))
    def compare(path: str | None, wanted: list[str], value: float, request: gr.Request) -> str:
        if not path:
            raise RequestError("choose a photograph first")
        [(name, photo_path)] = _sent(service, request, [path])
        return pages.comparison(*service.compare(_key(request), photo_path, name, wanted, value))

    return methods


def _batch(service: Service) -> Any:
    """Many photographs at once; returns the model picker."""
    with gr.Row(elem_classes="workspace"):
        with gr.Column(scale=2, min_width=320):
            files = gr.File(
                label="Photographs, or zips of them",
                file_count="multiple",
                type="filepath",
                height=110,
                elem_id="many",
                elem_classes="main-zone",
            )
            gr.HTML(pages.limits(service.limits, packed=True))
            folder = gr.Textbox(
                label="... or a folder on this machine",
                placeholder="/photographs/1938",
                visible=service.folders_allowed,
                elem_id="batch-folder",
            )
            picker = gr.Dropdown(service.shelf.names(), value="default", label="Model")
            vividness = gr.Slider(0, 1, 0.5, step=0.05, label="Vividness")
            kind = gr.Radio(list(SAVED_AS), value="JPEG", label="Save as")
            with gr.Row():
                run = gr.Button("Colour them all", variant="primary")
                stop = gr.Button("Stop, and keep what is done", elem_id="stop-batch")
        with gr.Column(scale=3, min_width=320):
            report = gr.HTML(
                "<p class='hint'>You get one zip with the pictures at full size, in the folders that they came in, and "
                "a report of what failed.</p>",
                min_height=120,
            )
            ready = gr.DownloadButton("Download", visible=False, variant="primary", elem_id="zip-ready")

    @_on(
        run.click,
        [files, folder, picker, vividness, kind],
        [report, ready, files],
        concurrency_id="batch",
        concurrency_limit=2,
    )
    def colour_all(
        paths: list[str] | None,
        place: str,
        model: str,
        value: float,
        wanted: str,
        request: gr.Request,
        bar: Any = gr.Progress(),  # noqa: B008  - Gradio looks for it among the defaults
    ) -> list[Any]:
        result = service.batch(
            _key(request),
            _sent(service, request, paths),
            folder=place,
            model=model,
            vividness=value,
            kind=wanted,
            progress=lambda done, total: bar((done, total), desc="Colouring", unit="photographs"),
        )
        return [pages.batch(result), _ready(result.archive), None]

    @_on(stop.click, [], [], **_LIGHT)
    def stop_it(request: gr.Request) -> None:
        service.stop_batch(_key(request))

    return picker


def _on(
    event: Callable[..., Any],
    inputs: list[Any],
    outputs: list[Any],
    *,
    refused: list[Any] | None = None,
    then: str | None = None,
    then_inputs: list[Any] | None = None,
    **options: Any,
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Let a function answer an event; what the visitor cannot have is said in a box.

    The outputs become `refused` then, or stay as they are. `then` is JavaScript for the browser to run after the
    answer, good or bad, on the values of `then_inputs`.
    """
    nothing: Any = gr.skip() if refused is None else refused[0] if len(refused) == 1 else refused

    def say(error: RequestError) -> Any:
        gr.Warning(escape(str(error)), title="That did not work", duration=20)
        return nothing

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def answer(*arguments: Any, **named: Any) -> Any:
            try:
                return function(*arguments, **named)
            except RequestError as error:
                return say(error)

        @wraps(function)
        def answers(*arguments: Any, **named: Any) -> Iterator[Any]:
            try:
                yield from function(*arguments, **named)
            except RequestError as error:
                yield say(error)

        chosen = answers if inspect.isgeneratorfunction(function) else answer
        step = event(chosen, inputs, outputs, **options)
        if then is not None:
            step.then(None, then_inputs, js=then)
        return chosen

    return decorate


def _told(work: Callable[[Told], Path]) -> Generator[Any, None, Path]:
    """Do long work, show every second how far it has come, and give its result."""
    said: queue.SimpleQueue[tuple[float, str]] = queue.SimpleQueue()
    found: list[Path | Exception] = []

    def run() -> None:
        try:
            found.append(work(lambda share, words: said.put((share, words))))
        except Exception as error:  # noqa: BLE001  - raised again where the visitor waits
            found.append(error)

    thread, start = threading.Thread(target=run, daemon=True), time.monotonic()
    thread.start()
    now = (0.0, "Beginning")
    while not found:
        try:
            now = said.get(timeout=1)
        except queue.Empty:
            thread.join(0)
        yield [gr.skip(), pages.progress(*now, time.monotonic() - start)]
    if isinstance(found[0], Exception):
        raise found[0]
    return found[0]


def _news() -> str:
    """A value that is new each time: the shelf is to be read again."""
    return str(time.monotonic())


def _sent(service: Service, request: Any, paths: list[str] | None) -> list[tuple[str, Path]]:
    """Names and places of files that were sent; they are removed when the visitor leaves."""
    sent = [Path(path) for path in paths or ()]
    service.visits.get(_key(request)).uploads.update(sent)
    return [(path.name, path) for path in sent]


def _key(request: Any) -> str:
    return str(request.session_hash)


def _ready(path: Path, *, visible: bool = True) -> Any:
    """A button to download a file that is there."""
    size = path.stat().st_size
    return gr.DownloadButton(f"Download {path.name} ({max(size / 1e6, 0.1):.1f} MB)", value=str(path), visible=visible)


def _fresh(view: View) -> Any:
    """A photograph that the page does not have yet, for the stage."""
    return _shown(view, gray=data_uri(view.gray), places=None)


def _shown(view: View, *, gray: str | None = None, **more: Any) -> Any:
    """A view, for the stage; the gray picture only if it is a new one."""
    height, width = view.shape
    value = {
        "name": view.name,
        "height": height,
        "width": width,
        "full": f"{view.full_shape[1]} x {view.full_shape[0]} pixels",
        "gray": gray,
        "color": data_uri(view.color),
        "strokes": [_plain(stroke) for stroke in view.strokes],
        "can_undo": view.can_undo,
        "can_redo": view.can_redo,
        "notes": list(view.notes),
    }
    return gr.HTML(value=value, sure=data_uri(view.sure) if view.sure else None, **more)


def _plain(stroke: Stroke) -> dict[str, Any]:
    """A stroke, for the stage."""
    return {
        "kind": stroke.mark.kind,
        "path": [[round(row, 1), round(col, 1)] for row, col in stroke.path],
        "color": "#" + bytes(stroke.mark.color).hex(),
        "radius": stroke.radius,
        "reach": stroke.mark.reach,
        "protects": stroke.protects,
    }


def _sample_pictures() -> dict[str, bytes]:
    """Thumbnails of the samples, gray."""
    found = {}
    for name in SAMPLES:
        pixels = shrunk(np.asarray(read_photo(sample_path(name)).pixels, np.uint8), _SAMPLE_SIDE)
        lightness = rgb_to_lightness(pixels)
        gray = lab_to_rgb(lightness, np.zeros((*lightness.shape, 2), np.float32))
        found[name] = encode_screen(np.asarray(gray, np.uint8))
    return found


def _static(name: str) -> str:
    return (resources.files(__package__) / "static" / name).read_text(encoding="utf-8")
