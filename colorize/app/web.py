"""The page: Gradio components, and which of them calls what. The work is done in `service`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from html import escape
from typing import Any

import gradio as gr

from colorize.app.answers import HEAVY, LIGHT, LONG, followed, key_of, news, on, ready_to_fetch, sent, zone
from colorize.app.brush import Brush
from colorize.app.core import SAVED_AS, View
from colorize.app.editor import N_REFERENCES, Editor
from colorize.app.look import static
from colorize.app.pages import pieces
from colorize.app.pictures import data_uri, gray_pixels, jpeg, sample_pictures
from colorize.app.rooms import NO_BASE, batch_room, compare_room, show_card, train_room
from colorize.app.service import Service
from colorize.app.stages import Told, Work
from colorize.app.strokes import Stroke
from colorize.app.visits import IDLE_SECONDS
from colorize.guidance.hints import DEFAULT_REACH

_SET_MODE = "() => document.dispatchEvent(new CustomEvent('colorize-mode', {detail: '%s'}))"
_ANSWERED = "() => document.dispatchEvent(new CustomEvent('colorize-answered'))"
_FORGOTTEN = (
    "What was open here is gone: the page was away for more than five minutes, or the app was started again. Please "
    "open the photograph again."
)
_EXPLAINED = """() => {
  document.dispatchEvent(new CustomEvent('colorize-explained'));
  const answer = document.getElementById('answer');
  // On a phone it is below all that is in sight, and the photograph with its words, which stays there.
  if (answer.getBoundingClientRect().top < 0.8 * innerHeight) return;
  answer.style.scrollMarginTop = document.getElementById('stage').offsetHeight + 'px';
  answer.scrollIntoView({behavior: 'smooth'});
}"""
_TOKEN = """() => {
  const [token] = [sessionStorage, localStorage].map((storage) => storage.getItem('colorize-visit')).filter(Boolean);
  for (const storage of [sessionStorage, localStorage]) storage.removeItem('colorize-visit');
  return token ?? '';
}"""


def build(service: Service) -> Any:
    """Make the page of a service, a `gradio.Blocks`."""
    core, editor = service.core, service.editor
    # As long as a zip that nobody has seen: Gradio offers a copy of it, made when the batch ended. What was sent for a
    # comparison or a batch may wait as long for the button to be pressed.
    with gr.Blocks(title="colorize", analytics_enabled=False, delete_cache=(600, IDLE_SECONDS)) as page:
        gr.HTML(pieces.header())
        returned = gr.HTML("", html_template="", js_on_load=static("desk.js"), elem_id="desk")
        shelf_changed = gr.State("")
        with gr.Tabs(elem_id="rooms"):
            with gr.Tab("Photograph", elem_id="room-photograph"):
                stage, upload, settings = _photograph(service, page.load, shelf_changed)
            with gr.Tab("Train", elem_id="room-train") as train_tab:
                base, shown_model, progress, stand = train_room(service.models, page.load, shelf_changed)
            with gr.Tab("Compare", elem_id="room-compare") as compare_tab:
                methods = compare_room(service.errands)
            with gr.Tab("Batch", elem_id="room-batch") as batch_tab:
                batch_model = batch_room(service.errands, returned.change)
        # The page is built once for all visitors: without this its lists would be those of that time. And another page
        # may have renamed a model since this one was loaded.
        read_anew = [page.load, shelf_changed.change, *(tab.select for tab in (train_tab, compare_tab, batch_tab))]
        lists = [base, shown_model, batch_model, methods]

        @on(partial(gr.on, read_anew), lists, [*lists, settings[0], stage], **LIGHT)
        def list_models(built_on: str, looked_at: str, of_batch: str, compared: list[str], request: gr.Request) -> Any:
            key, names, all_methods = key_of(request), core.shelf.names(), service.errands.methods()
            is_lost = _say_lost(editor, key)
            known = [name for name in compared if name in all_methods]
            return [
                _list([NO_BASE, *names], built_on),
                _list(names, looked_at),
                _list(names, of_batch),
                gr.CheckboxGroup(choices=all_methods, **({} if known == compared else {"value": known})),
                _picker(names, core.visits.get(key).model),
                _shown(editor.view(key)) if is_lost else gr.skip(),
            ]

        @on(page.load, [returned], [returned, stage, upload, *settings, *progress], js=_TOKEN, **LIGHT)
        def come_back(token: str, request: gr.Request) -> list[Any]:
            key = key_of(request)
            visit = core.visits.come_back(key, str(token or ""))
            if token and token != visit.token:
                gr.Info(_FORGOTTEN, duration=20)
            _say_lost(editor, key)
            view = editor.view(key)
            shown = _fresh(view) if view else [gr.skip(), gr.skip()]
            model, lenders = _picker(core.shelf.names(), visit.model), _lenders(editor, request)
            settings = [model, visit.vividness, visit.shows_sure, lenders, visit.wishes.strength]
            settings.append(_offered(editor.offered(key)))
            return [visit.token, *shown, *settings, *stand(request)]

        def leave(request: gr.Request) -> None:
            core.visits.leave(key_of(request))

        page.unload(leave)
    # Whoever comes after so many is told at once, instead of waiting for long without a word.
    page.queue(max_size=200)
    return page


def _photograph(service: Service, arrival: Any, shelf_changed: Any) -> tuple[Any, Any, list[Any]]:
    """Upload, look, colorize, correct, lend colours, ask; returns what comes back: the stage, its zone, settings."""
    with gr.Row(elem_classes="workspace"):
        with gr.Column(scale=3, min_width=320):
            upload = zone("Your photograph", "upload", "main-zone", "emptied")
            opening = gr.HTML(None, elem_id="opening")
            with gr.Row(elem_id="beginning"):
                samples = gr.HTML(pieces.samples(sample_pictures()), js_on_load=static("buttons.js"), elem_id="samples")
                gr.HTML(pieces.limits(service.core.limits, False), elem_id="limits")
            stage = gr.HTML(
                None,
                html_template=static("stage.html"),
                js_on_load="".join(static(name) for name in ("stage.js", "zoom.js", "brush.js")),
                places=None,
                sure=None,
                reach=DEFAULT_REACH,
                elem_id="stage",
            )
        with gr.Column(scale=2, min_width=320):
            made = _saving(service.editor)
            with gr.Tabs(elem_id="steps"):
                with gr.Tab("Colorize", elem_id="step-colorize") as colorize_tab:
                    settings, choices = _colorize_panel(service.editor, arrival, stage)
                with gr.Tab("Correct", elem_id="step-correct") as correct_tab:
                    places, learnt, kept = _correct_panel(service.brush, stage, shelf_changed)
                with gr.Tab("Reference", elem_id="step-reference") as reference_tab:
                    lent, chosen = _reference_panel(service.editor, stage, choices)
                    to_clear = [choices, places, learnt, lent[0], *chosen]
                with gr.Tab("Why?", elem_id="step-why") as why_tab:
                    to_clear += _why_panel(service.editor, stage)
    modes = {"view": (colorize_tab, reference_tab), "paint": (correct_tab,), "ask": (why_tab,)}
    for mode, tabs in modes.items():
        for tab in tabs:
            tab.select(None, js=_SET_MODE % mode)
    outputs = [opening, stage, upload, settings[2], *made, kept, *to_clear]
    nothing = [gr.skip() for _ in outputs[1:]]
    come: dict[str, Any] = {"refused": [None, *nothing], "show_progress": "hidden"} | HEAVY

    def opened(open_it: Callable[[Told], View]) -> Iterator[list[Any]]:
        """How far it has come; then the stage, the next upload, and what belonged to the photograph before."""
        view = yield from followed(Work(open_it), lambda line: [line, *nothing])
        button = gr.DownloadButton(value=None, visible=False)
        belonged = [button, None, button, *(None for _ in to_clear)]
        yield [None, *_fresh(view), False, *belonged]

    @on(stage.altered, [], [made[0], kept], **LIGHT)
    def forget_files() -> list[Any]:
        return [gr.DownloadButton(value=None, visible=False) for _ in range(2)]

    @on(upload.upload, [upload], outputs, empties=upload, **come)
    def open_photo(path: str, request: gr.Request) -> Iterator[list[Any]]:
        [place] = sent(service.core, request, [path])
        yield from opened(lambda told: service.editor.open_photo(key_of(request), place, told))

    @on(samples.pick, [], outputs, **come)
    def open_sample(event: gr.EventData, request: gr.Request) -> Iterator[list[Any]]:
        yield from opened(lambda told: service.editor.open_sample(key_of(request), str(event.name), told))

    return stage, upload, [*settings, *lent, choices]


def _saving(editor: Editor) -> list[Any]:
    """What is made of the photograph, always in sight; returns what belongs to the photograph shown."""
    with gr.Row(elem_id="saving"):
        kind = gr.Radio(list(SAVED_AS), value="PNG", label="Save as", show_label=False, container=False, scale=3)
        save = gr.Button("Save", variant="primary", elem_id="save", scale=2, min_width=80)
        share = gr.Button("Before and after", elem_id="share", scale=2, min_width=120)
    saved = gr.HTML(None, elem_id="saved")
    ready = gr.DownloadButton("Download", visible=False, elem_id="ready")

    @on(save.click, [kind], [ready, saved], fetches=ready, **LONG)
    def write(wanted: str, request: gr.Request) -> Iterator[list[Any]]:
        key = key_of(request)
        work = Work(lambda told: editor.save(key, wanted, told))
        path = yield from followed(work, lambda line: [gr.skip(), line])
        is_shown = editor.is_shown(key, path)
        said = None if is_shown else f"<p class='hint'>{escape(path.name)} is saved.</p>"
        yield [ready_to_fetch(path, visible=is_shown), said]

    @on(share.click, [], [ready, saved], fetches=ready, **HEAVY)
    def write_both(request: gr.Request) -> list[Any]:
        return [ready_to_fetch(editor.share(key_of(request))), None]

    return [ready, saved]


def _colorize_panel(editor: Editor, arrival: Any, stage: Any) -> tuple[list[Any], Any]:
    """Model, vividness, other versions; returns what the visitor sets, and the versions."""
    core = editor.core
    picker = gr.Dropdown(core.shelf.names(), value="default", label="Model", info="What it has seen, it can imagine.")
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
    choices = gr.HTML(None, js_on_load=static("buttons.js"), elem_id="choices")
    card = gr.HTML(elem_id="card")

    # `input`, not `change`: what a page sets when it comes back must not be computed again.
    def go_back(model: str, request: gr.Request) -> list[Any]:
        return [gr.skip(), gr.skip(), _picker(core.shelf.names(), core.visits.get(key_of(request)).model)]

    @on(picker.input, [picker], [stage, choices, picker], refused=go_back, **HEAVY)
    def use_model(model: str, request: gr.Request) -> list[Any]:
        return [_shown(editor.set_style(key_of(request), model=model)), None, gr.skip()]

    # Of a slider that is dragged only the last value is worth a computation.
    @on(vividness.input, [vividness], [stage], trigger_mode="always_last", show_progress="hidden", **HEAVY)
    def use_vividness(value: float, request: gr.Request) -> Any:
        return _shown(editor.set_style(key_of(request), vividness=value))

    @on(sure.input, [sure], [stage], **HEAVY)
    def show_sure(is_wanted: bool, request: gr.Request) -> Any:
        return _shown(editor.set_style(key_of(request), shows_sure=is_wanted))

    @on(other.click, [], [choices], refused=[None], show_progress="hidden", **HEAVY)
    def offer(request: gr.Request) -> Iterator[str | None]:
        yield pieces.working()
        yield _offered(editor.alternatives(key_of(request)))

    @on(choices.pick, [], [stage], **HEAVY)
    def choose(event: gr.EventData, request: gr.Request) -> Any:
        return _shown(editor.choose(key_of(request), int(event.name)))

    show_card(core.shelf, picker, arrival, card)
    return [picker, vividness, sure], choices


def _offered(pictures: list[bytes]) -> str | None:
    """Other versions to choose from, for the page."""
    from colorize.guidance.alternatives import MOODS

    return pieces.choices(list(zip(["as it is now", *MOODS], pictures, strict=True))) if pictures else None


def _correct_panel(brush: Brush, stage: Any, shelf_changed: Any) -> list[Any]:
    """Hints; returns what belongs to a photograph: places, what was learnt, the button of the kept hints."""
    gr.HTML(
        "<p>You know what colour something was? <strong>Paint it on the photograph</strong>, roughly is enough: the "
        "pixels that you paint get exactly your colour, and the thing they lie on follows. Gray is a colour too. "
        "<strong>Protect</strong> what is right already.</p>"
    )
    strokes = gr.HTML("", html_template="<ol></ol>", js_on_load=static("strokes.js"), elem_id="strokes")
    suggest = gr.Button("Where would a hint help most?")
    places = gr.HTML(None, js_on_load=static("places.js"), elem_id="places")
    keep = gr.Button("Keep these hints")
    ready = gr.DownloadButton("Download", visible=False, elem_id="hints-ready")
    load = zone("Hints from earlier (JSON)", "hints-file", "emptied", file_types=[".json"])
    with gr.Accordion("Learn from these corrections", open=False):
        gr.HTML(
            "<p class='hint'>Make a new model that remembers what you painted, here and in photographs like it. The "
            "model in use stays as it is.</p>"
        )
        name = gr.Textbox(label="Name of the model that learns", placeholder="grandfather", max_length=40)
        learn = gr.Button("Learn from these corrections", elem_id="learn")
        learnt = gr.HTML(None, elem_id="learnt")

    _follow_strokes(brush, stage, strokes)

    @on(suggest.click, [], [places, stage], refused=[None, gr.skip()], show_progress="hidden", **HEAVY)
    def suggestions(request: gr.Request) -> Iterator[list[Any]]:
        yield [pieces.working(), gr.skip()]
        found = brush.suggestions(key_of(request))
        yield [pieces.places(found), gr.HTML(places=[{"row": place.row, "col": place.col} for place in found])]

    @on(keep.click, [], [ready], fetches=ready, **LIGHT)
    def save_hints(request: gr.Request) -> Any:
        return ready_to_fetch(brush.save(key_of(request)))

    @on(load.upload, [load], [stage], empties=load, **HEAVY)
    def load_hints(path: str, request: gr.Request) -> Any:
        [place] = sent(brush.core, request, [path])
        return _shown(brush.load(key_of(request), place))

    @on(learn.click, [name], [learnt, shelf_changed, name], **HEAVY)
    def learn_corrections(wanted: str, request: gr.Request) -> list[Any]:
        model, words = brush.learn(key_of(request), wanted)
        return [pieces.learnt(model, words), news(), ""]

    return [places, learnt, ready]


def _follow_strokes(brush: Brush, stage: Any, strokes: Any) -> None:
    """Do what is painted, taken back and erased on the stage, or changed in the list of strokes."""

    # Gradio drops an event while the one before is being answered, unless told "multiple": strokes
    # painted in haste would be lost. `then` comes after failures too, so that the stage, which
    # counts what it asked, never waits for ever.
    many: dict[str, Any] = {"then": _ANSWERED, "trigger_mode": "multiple", "show_progress": "hidden"} | HEAVY

    def follow(event: Any, change: Callable[[str, dict[str, Any]], View]) -> None:
        @on(event, [], [stage], **many)
        def answer(said: gr.EventData, request: gr.Request) -> Any:
            return _shown(change(key_of(request), dict(said._data or {})))

    follow(stage.paint, brush.paint)
    follow(stage.takeback, lambda key, _: brush.undo(key))
    follow(stage.again, lambda key, _: brush.redo(key))
    follow(stage.wipe, lambda key, _: brush.clear(key))
    for erased in (stage.erase, strokes.erase):
        follow(erased, lambda key, said: brush.erase(key, int(said["number"])))

    def edit(key: str, said: dict[str, Any]) -> View:
        return brush.edit(key, int(said["number"]), color=said.get("color"), reach=said.get("reach"))

    follow(strokes.edit, edit)


def _reference_panel(editor: Editor, stage: Any, choices: Any) -> tuple[list[Any], list[Any]]:
    """Photographs to look like; returns what lends and how much, and what a new photograph clears besides."""
    gr.HTML(
        "<p>Have you a <strong>colour photograph of the same place, people or kind</strong>? The old one will borrow "
        "its colours where the two resemble each other. One that does not resemble it does more harm than good.</p>"
    )
    files = zone(f"Colour photographs, up to {N_REFERENCES}", "references", file_count="multiple")
    strength = gr.Slider(0, 1, 1, step=0.05, label="How much to borrow")
    with gr.Row():
        look_like = gr.Button("Colour it like these", variant="primary")
        drop = gr.Button("Without them")
    lenders = gr.HTML(None, js_on_load=static("buttons.js"), elem_id="lenders")
    outputs = [stage, choices, lenders]

    @on(look_like.click, [files, strength], [*outputs, files], **HEAVY)
    def lend(paths: list[str] | None, amount: float, request: gr.Request) -> list[Any]:
        view = editor.add_references(key_of(request), sent(editor.core, request, paths), amount)
        return [_shown(view), None, _lenders(editor, request), None]

    @on(lenders.pick, [], outputs, **HEAVY)
    def drop_one(event: gr.EventData, request: gr.Request) -> list[Any]:
        view = editor.drop_references(key_of(request), int(event.name))
        return [_shown(view), None, _lenders(editor, request)]

    @on(drop.click, [], [*outputs, files], **HEAVY)
    def without(request: gr.Request) -> list[Any]:
        return [_shown(editor.drop_references(key_of(request))), None, None, None]

    return [lenders, strength], [files]


def _lenders(editor: Editor, request: gr.Request) -> str | None:
    """The photographs that lend their colours, for the page."""
    found = editor.references(key_of(request))
    return pieces.references(found) if found else None


def _why_panel(editor: Editor, stage: Any) -> list[Any]:
    """Explanations; returns what a new photograph clears."""
    gr.HTML("<p><strong>Click a place of the photograph</strong> to see why it got its colour.</p>")
    answer = gr.HTML(None, elem_id="answer")

    @on(stage.ask, [], [answer], then=_EXPLAINED, trigger_mode="multiple", **HEAVY)
    def ask(event: gr.EventData, request: gr.Request) -> str:
        return pieces.explanation(editor.explain(key_of(request), float(event.row), float(event.col)))

    return [answer]


def _fresh(view: View) -> list[Any]:
    """A photograph that the page does not have yet, for the stage; and its zone, which is for another one now."""
    gray = data_uri(jpeg(gray_pixels(view.photo.gray)))
    return [_shown(view, gray=gray, places=None), gr.File(label="Another photograph")]


def _list(names: list[str], picked: str) -> Any:
    """A list as it is now; what is picked stays, or what was picked meanwhile, unless it is gone."""
    return gr.Dropdown(choices=names) if picked in names else _picker(names, picked)


def _picker(names: list[str], picked: str) -> Any:
    """A list at what is picked, or at its first if that is gone: Gradio refuses what is not among the choices."""
    return gr.Dropdown(value=picked if picked in names else names[0], choices=names)


def _say_lost(editor: Editor, key: str) -> bool:
    """Whether the model in use is gone, which is said."""
    model = editor.lost_model(key)
    if model:
        gr.Info(f"The model “{escape(model)}” is gone. The colours are those of “default” now.", duration=20)
    return bool(model)


def _shown(view: View | None, *, gray: str | None = None, **more: Any) -> Any:
    """A view, for the stage, if there is one; the gray picture only if it is a new one."""
    if view is None:
        return gr.skip()
    photo = view.photo
    height, width = photo.gray.shape
    value = {
        "name": photo.path.name,
        "height": height,
        "width": width,
        "full": f"{photo.shape[1]} x {photo.shape[0]} pixels",
        "gray": gray,
        "color": data_uri(view.color),
        "strokes": [_plain(stroke) for stroke in view.strokes],
        "can_undo": view.can_undo,
        "can_redo": view.can_redo,
        "notes": list(view.notes),
    }
    return gr.HTML(value=value, sure=data_uri(view.sure) if view.sure else None, **more)


def _plain(stroke: Stroke) -> dict[str, Any]:
    return {
        "number": stroke.number,
        "kind": stroke.mark.kind,
        # All strokes go with every answer, and nobody paints finer than a tenth of a pixel.
        "path": [[round(row, 1), round(col, 1)] for row, col in stroke.path],
        "color": "#" + bytes(stroke.mark.color).hex(),
        "radius": stroke.radius,
        "reach": stroke.mark.reach,
        "protects": stroke.protects,
    }
