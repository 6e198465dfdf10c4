"""The page: Gradio components, and which of them calls what. The work is done in `service`."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import wraps
from html import escape
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

from colorize.app import pages
from colorize.app.service import N_REFERENCES, RULES, SAMPLES, SAVED_AS, Service, View, data_uri, shrunk
from colorize.color import lab_to_rgb, rgb_to_lightness
from colorize.exceptions import RequestError
from colorize.io import encode_screen, read_photo

os.environ["GRADIO_ANALYTICS_ENABLED"] = "0"  # read by gradio when it is imported
import gradio as gr

_GREENS = (
    "#eef6f4 #d5e9e6 #aed4cf #7fbab3 #4c9a92 #19655f #165a54 #124e49 #0e3f3b #0b312e #071f1d".split()  # noqa: SIM905
)
_SAMPLE_SIDE = 120
_KEEP_SECONDS = 3600
_THUMBNAIL_BYTES = 2_700_000
_SET_MODE = "() => document.dispatchEvent(new CustomEvent('colorize-mode', {detail: '%s'}))"
_ANSWERED = "() => document.dispatchEvent(new CustomEvent('colorize-answered'))"
_FETCH = "() => setTimeout(() => document.querySelector('#%s')?.click(), 200)"

# Heavy work of visitors waits in line; progress and cards do not.
_HEAVY: dict[str, Any] = {"concurrency_id": "work", "concurrency_limit": 1}
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
        shelf_changed = gr.State("")
        with gr.Tabs(elem_id="rooms"):
            with gr.Tab("Photograph", elem_id="room-photograph"):
                photo_model = _photograph(service, page.load)
            with gr.Tab("Train", elem_id="room-train"):
                shown_model = _train(service, page.load, shelf_changed)
            with gr.Tab("Compare", elem_id="room-compare"):
                methods = _compare(service)
            with gr.Tab("Batch", elem_id="room-batch"):
                batch_model = _batch(service)
        pickers = [photo_model, shown_model, batch_model]

        @gr.on([page.load, shelf_changed.change], outputs=[*pickers, methods], **_LIGHT)
        def list_models() -> list[Any]:
            names = service.shelf.names()
            return [*(gr.update(choices=names) for _ in pickers), gr.update(choices=service.methods())]

        def leave(request: gr.Request) -> None:
            service.visits.close(str(request.session_hash))

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


def _photograph(service: Service, arrival: Any) -> Any:
    """Upload, look, colorize, correct, lend colours, ask; returns the model picker."""
    with gr.Row(elem_classes="workspace"):
        with gr.Column(scale=3, min_width=320):
            upload = gr.File(label="Your photograph", type="filepath", height=110, elem_id="upload")
            samples = gr.HTML(pages.samples(_sample_pictures()), js_on_load=_static("buttons.js"), elem_id="samples")
            stage = gr.HTML(
                None,
                html_template=_static("stage.html"),
                js_on_load=_static("stage.js"),
                places=None,
                sure=None,
                elem_id="stage",
            )
        with gr.Column(scale=2, min_width=320), gr.Tabs(elem_id="steps"):
            with gr.Tab("Colorize", elem_id="step-colorize") as colorize_tab:
                picker, *to_clear = _colorize_panel(service, arrival, stage)
            with gr.Tab("Correct", elem_id="step-correct") as correct_tab:
                to_clear += _correct_panel(service, stage)
            with gr.Tab("Reference", elem_id="step-reference") as reference_tab:
                to_clear += _reference_panel(service, stage)
            with gr.Tab("Why?", elem_id="step-why") as why_tab:
                to_clear += _why_panel(service, stage)
    modes = {"view": (colorize_tab, reference_tab), "paint": (correct_tab,), "ask": (why_tab,)}
    for mode, tabs in modes.items():
        for tab in tabs:
            tab.select(None, js=_SET_MODE % mode)

    def opened(view: View) -> list[Any]:
        """The stage, the next upload, and what belonged to the photograph before."""
        stage_now = gr.HTML(value=_shown(view, fresh=True), places=None, sure=None)
        return [stage_now, gr.File(value=None, label="Another photograph"), *(None for _ in to_clear)]

    @_on(upload.upload, [upload], [stage, upload, *to_clear], show_progress_on=[upload, stage], **_HEAVY)
    def open_photo(path: str, request: gr.Request) -> list[Any]:
        [(name, place)] = _sent(service, request, [path])
        return opened(service.open_photo(_key(request), place, name))

    @_on(samples.pick, [], [stage, upload, *to_clear], show_progress_on=[upload, stage], **_HEAVY)
    def open_sample(event: gr.EventData, request: gr.Request) -> list[Any]:
        return opened(service.open_sample(_key(request), str(event.name)))

    return picker


def _colorize_panel(service: Service, arrival: Any, stage: Any) -> list[Any]:
    """Model, vividness, other versions, saving; returns the picker and what a new photograph clears."""
    picker = gr.Dropdown(
        service.shelf.names(), value="default", label="Model", info="What it has seen, it can imagine."
    )
    vividness = gr.Slider(
        0, 1, 0.5, step=0.05, label="Vividness", info="0: faithful and a little pale. 1: bold, with more mistakes."
    )
    sure = gr.Checkbox(
        label="Show how sure the model is", info="Before you help, its own doubts are only a rough guide."
    )
    other = gr.Button("Other versions")
    choices = gr.HTML(None, js_on_load=_static("buttons.js"), elem_id="choices")
    kind = gr.Radio(list(SAVED_AS), value="PNG", label="Save at full size, with the photograph's own details")
    save = gr.Button("Save", variant="primary", elem_id="save")
    ready = gr.DownloadButton("Download", visible=False, elem_id="ready")
    card = gr.HTML(elem_id="card")

    @_on(picker.input, [picker], [stage, choices], **_HEAVY)
    def use_model(model: str, request: gr.Request) -> list[Any]:
        return [gr.HTML(value=_shown(service.set_style(_key(request), model=model)), sure=None), None]

    @_on(vividness.release, [vividness], [stage], **_HEAVY)
    def use_vividness(value: float, request: gr.Request) -> Any:
        return gr.HTML(value=_shown(service.set_style(_key(request), vividness=value)), sure=None)

    @_on(sure.input, [sure], [stage], **_HEAVY)
    def show_sure(is_wanted: bool, request: gr.Request) -> Any:
        return gr.HTML(sure=data_uri(service.confidence_map(_key(request))) if is_wanted else None)

    @_on(other.click, [], [choices], **_HEAVY)
    def offer(request: gr.Request) -> str:
        return pages.choices(service.alternatives(_key(request)))

    @_on(choices.pick, [], [stage], **_HEAVY)
    def choose(event: gr.EventData, request: gr.Request) -> Any:
        return gr.HTML(value=_shown(service.choose(_key(request), int(event.name))), sure=None)

    @_on(save.click, [kind], [ready], then=_FETCH % "ready", **_HEAVY)
    def write(wanted: str, request: gr.Request) -> Any:
        return _ready(service.save(_key(request), wanted))

    @gr.on([picker.change, arrival], inputs=[picker], outputs=[card], **_LIGHT)
    def show_card(model: str) -> str:
        return pages.card(service.shelf.card(model))

    return [picker, choices, sure]


def _correct_panel(service: Service, stage: Any) -> list[Any]:
    """Hints; returns what a new photograph clears."""
    gr.HTML(
        "<p>You know what colour something was? <strong>Paint it on the photograph</strong>, roughly is enough: the "
        "pixels that you paint get exactly your colour, and what resembles them follows. Gray is a colour too.</p>"
    )
    suggest = gr.Button("Where would a hint help most?")
    places = gr.HTML(None, js_on_load=_static("places.js"), elem_id="places")
    with gr.Row():
        keep = gr.Button("Keep these hints")
        ready = gr.DownloadButton("Download", visible=False, elem_id="hints-ready")
    load = gr.File(label="Hints from earlier (JSON)", file_types=[".json"], type="filepath", height=110)

    def painted(view: View) -> Any:
        return gr.HTML(value=_shown(view), sure=None)

    @_on(stage.paint, [], [stage], then=_ANSWERED, trigger_mode="multiple", show_progress="hidden", **_HEAVY)
    def paint(event: gr.EventData, request: gr.Request) -> Any:
        return painted(service.add_hint(_key(request), dict(event._data)))

    @_on(stage.takeback, [], [stage], then=_ANSWERED, trigger_mode="multiple", show_progress="hidden", **_HEAVY)
    def take_back(request: gr.Request) -> Any:
        return painted(service.undo(_key(request)))

    @_on(stage.wipe, [], [stage], then=_ANSWERED, show_progress="hidden", **_HEAVY)
    def wipe(request: gr.Request) -> Any:
        return painted(service.clear(_key(request)))

    @_on(suggest.click, [], [places, stage], **_HEAVY)
    def suggestions(request: gr.Request) -> list[Any]:
        found = service.suggestions(_key(request))
        return [pages.places(found), gr.HTML(places=[{"row": place.row, "col": place.col} for place in found])]

    @_on(keep.click, [], [ready], then=_FETCH % "hints-ready", **_LIGHT)
    def save_hints(request: gr.Request) -> Any:
        return _ready(service.save_hints(_key(request)))

    @_on(load.upload, [load], [stage, load], **_HEAVY)
    def load_hints(path: str, request: gr.Request) -> list[Any]:
        [(_, place)] = _sent(service, request, [path])
        return [painted(service.load_hints(_key(request), place)), None]

    return [places]


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
        return [gr.HTML(value=_shown(view), sure=None), f"<p class='hint'>Borrowed from {len(named)}.</p>"]

    @_on(drop.click, [], [stage, said, files], **_HEAVY)
    def without(request: gr.Request) -> list[Any]:
        return [gr.HTML(value=_shown(service.set_references(_key(request), [])), sure=None), None, None]

    return [said, files]


def _why_panel(service: Service, stage: Any) -> list[Any]:
    """Explanations; returns what a new photograph clears."""
    gr.HTML("<p><strong>Click a place of the photograph</strong> to see why it got its colour.</p>")
    answer = gr.HTML(None, elem_id="answer")

    @_on(stage.ask, [], [answer], **_HEAVY)
    def ask(event: gr.EventData, request: gr.Request) -> str:
        return pages.explanation(service.explain(_key(request), float(event.row), float(event.col)))

    return [answer]


def _train(service: Service, arrival: Any, shelf_changed: Any) -> Any:
    """Training, and the shelf of models; returns the picker of the shelf."""
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
            )
            folder = gr.Textbox(
                label="... or a folder on this machine",
                placeholder="/photographs/mountains",
                visible=service.folders_allowed,
            )
            pictures = gr.Checkbox(
                label="Keep tiny pictures in the model",
                info="“Why?” can then show what it remembers. Whoever gets the model sees them.",
            )
            with gr.Row():
                start = gr.Button("Train", variant="primary")
                stop = gr.Button("Stop", visible=False)
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
            found.message if found and state == "done" else gr.skip(),
        ]

    @_on(
        start.click, [name, files, folder, pictures], [files, *progress], concurrency_id="uploads", concurrency_limit=2
    )
    def begin(wanted: str, paths: list[str] | None, place: str, keep_pictures: bool, request: gr.Request) -> list[Any]:
        named = _sent(service, request, paths)
        service.train(
            _key(request), wanted, files=named, folder=place, thumbnail_bytes=_THUMBNAIL_BYTES if keep_pictures else 0
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
    return _shelf(service, arrival, shelf_changed)


def _shelf(service: Service, arrival: Any, shelf_changed: Any) -> Any:
    """Look at models, take them along, bring them; returns the picker."""
    gr.HTML("<h3>Models</h3>")
    with gr.Row(elem_classes="workspace"):
        with gr.Column(scale=2, min_width=320):
            picker = gr.Dropdown(service.shelf.names(), value="default", label="Model", elem_id="shelf")
            with gr.Row():
                take = gr.Button("Take it along")
                ready = gr.DownloadButton("Download", visible=False, elem_id="model-ready")
            bring = gr.File(
                label="Bring a model (.safetensors)", file_types=[".safetensors"], type="filepath", height=110
            )
        with gr.Column(scale=3, min_width=320):
            card = gr.HTML()

    @_on(take.click, [picker], [ready], then=_FETCH % "model-ready", **_LIGHT)
    def take_along(name: str, request: gr.Request) -> Any:
        return _ready(service.copy_of_model(_key(request), name))

    @_on(bring.upload, [bring], [bring, shelf_changed], **_HEAVY)
    def add(path: str, request: gr.Request) -> list[Any]:
        [(name, place)] = _sent(service, request, [path])
        return [None, service.shelf.add(place, Path(name).stem)]

    @gr.on([picker.change, arrival], inputs=[picker], outputs=[card], **_LIGHT)
    def show_card(model: str) -> str:
        return pages.card(service.shelf.card(model))

    return picker


def _compare(service: Service) -> Any:
    """Several methods on one photograph; returns the list of methods."""
    with gr.Row(elem_classes="workspace"):
        with gr.Column(scale=2, min_width=280):
            photo = gr.File(label="A photograph, gray or in colour", type="filepath", height=110, elem_id="compared")
            methods = gr.CheckboxGroup(service.methods(), value=["default", *RULES], label="Colour it with")
            vividness = gr.Slider(0, 1, 0.5, step=0.05, label="Vividness of the models")
            run = gr.Button("Compare", variant="primary")
            gr.HTML(
                "<p class='hint'>If the photograph has colours, they are taken away first and compared with after.</p>"
            )
        with gr.Column(scale=3, min_width=320):
            shown = gr.HTML(None, elem_id="comparison")

    @_on(run.click, [photo, methods, vividness], [shown], **_HEAVY)
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
                label="Photographs, or zips of them", file_count="multiple", type="filepath", height=110, elem_id="many"
            )
            picker = gr.Dropdown(service.shelf.names(), value="default", label="Model")
            vividness = gr.Slider(0, 1, 0.5, step=0.05, label="Vividness")
            kind = gr.Radio(list(SAVED_AS), value="JPEG", label="Save as")
            run = gr.Button("Colour them all", variant="primary")
        with gr.Column(scale=3, min_width=320):
            report = gr.HTML(
                "<p class='hint'>You get one zip with the pictures at full size and a report of what failed.</p>",
                min_height=120,
            )
            ready = gr.DownloadButton("Download", visible=False, variant="primary", elem_id="zip-ready")

    @_on(
        run.click, [files, picker, vividness, kind], [report, ready, files], concurrency_id="batch", concurrency_limit=1
    )
    def colour_all(
        paths: list[str] | None,
        model: str,
        value: float,
        wanted: str,
        request: gr.Request,
        bar: Any = gr.Progress(),  # noqa: B008  - Gradio looks for it among the defaults
    ) -> list[Any]:
        result = service.batch(
            _key(request),
            _sent(service, request, paths),
            model=model,
            vividness=value,
            kind=wanted,
            progress=lambda done, total: bar((done, total), desc="Colouring", unit="photographs"),
        )
        return [pages.batch(result), _ready(result.archive), None]

    return picker


def _on(
    event: Callable[..., Any], inputs: list[Any], outputs: list[Any], *, then: str | None = None, **options: Any
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Let a function answer an event; what the visitor cannot have is said in a box, and nothing changes.

    `then` is JavaScript for the browser to run after the answer, good or bad.
    """

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def answer(*arguments: Any, **named: Any) -> Any:
            try:
                return function(*arguments, **named)
            except RequestError as error:
                gr.Warning(escape(str(error)), title="That did not work", duration=20)
                return gr.skip()

        step = event(answer, inputs, outputs, **options)
        if then is not None:
            step.then(None, js=then)
        return answer

    return decorate


def _sent(service: Service, request: Any, paths: list[str] | None) -> list[tuple[str, Path]]:
    """Names and places of files that were sent; they are removed when the visitor leaves."""
    sent = [Path(path) for path in paths or ()]
    service.visits.get(_key(request)).uploads.update(sent)
    return [(path.name, path) for path in sent]


def _key(request: Any) -> str:
    return str(request.session_hash)


def _ready(path: Path) -> Any:
    """A button to download a file that is there."""
    size = path.stat().st_size
    return gr.DownloadButton(f"Download {path.name} ({max(size / 1e6, 0.1):.1f} MB)", value=str(path), visible=True)


def _shown(view: View, *, fresh: bool = False) -> dict[str, Any]:
    """A view as the stage takes it; the gray picture only if it is a new one."""
    height, width = view.shape
    full = f"{view.full_shape[1]} x {view.full_shape[0]} pixels"
    return {
        "name": view.name,
        "height": height,
        "width": width,
        "full": full,
        "gray": data_uri(view.gray) if fresh else None,
        "color": data_uri(view.color),
        "n_marks": view.n_marks,
        "notes": list(view.notes),
    }


def _sample_pictures() -> dict[str, bytes]:
    """Thumbnails of the samples, gray."""
    found = {}
    for name, (package, inner) in SAMPLES.items():
        pixels = shrunk(
            np.asarray(read_photo(Path(str(resources.files(package) / inner))).pixels, np.uint8), _SAMPLE_SIDE
        )
        lightness = rgb_to_lightness(pixels)
        gray = lab_to_rgb(lightness, np.zeros((*lightness.shape, 2), np.float32))
        found[name] = encode_screen(np.asarray(gray, np.uint8))
    return found


def _static(name: str) -> str:
    return (resources.files(__package__) / "static" / name).read_text(encoding="utf-8")
