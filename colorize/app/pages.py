"""Pieces of the page as HTML text: cards, progress, tables, explanations. Everything from outside is escaped."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

from colorize.app.service import Place, data_uri
from colorize.app.shelf import Card
from colorize.app.training import Status
from colorize.app.uploads import Limits

if TYPE_CHECKING:
    from colorize.app.errands import BatchResult, Compared

HEADER = """
<header class="masthead">
  <h1>colorize</h1>
  <p>Drop in a black-and-white photograph and see it in colour.
  <strong>The colours are imagined</strong>: plausible, not true. Nobody can know the colour of a coat from its gray,
  but you may, and then you can <em>correct</em> it.</p>
  <p class="fine">Photographs stay on the machine that runs this page; nothing is sent anywhere else.</p>
</header>
"""

WORKING = '<p class="hint" role="status">Working ...</p>'

STATES = {
    "waiting": "Waiting for its turn",
    "running": "Training",
    "stopped": "Stopped. Nothing is lost: go on whenever you like.",
    "failed": "This did not work",
    "done": "Done",
}


def limits(allowed: Limits, *, packed: bool) -> str:
    """What may be sent, for photographs alone or for zips too."""
    one = f"A photograph may have {_bytes(allowed.file_bytes)} and {allowed.pixels / 1e6:.0f} megapixels"
    many = f", a zip {_bytes(allowed.total_bytes)}; at most {allowed.n_files} photographs at a time" if packed else ""
    return f'<p class="hint">{one}{many}.</p>'


def progress(share: float, words: str, seconds: float) -> str:
    """How far a long piece of work has come."""
    return (
        f'<div class="progress" role="status"><progress max="1" value="{share:.2f}" aria-label="{escape(words)}">'
        f"</progress><p>{escape(words)}{f' ({seconds:.0f} s)' if seconds >= 1 else ''}</p></div>"
    )


def learnt(name: str, words: str) -> str:
    """A model has learnt corrections."""
    return f'<p class="hint">The model “{escape(name)}” is in the list of models now. {escape(words)}</p>'


def samples(pictures: Mapping[str, bytes]) -> str:
    """Thumbnails of sample photographs, as buttons."""
    buttons = (
        f'<button type="button" data-pick="{escape(name)}" title="{escape(name)}">'
        f'<img src="{data_uri(picture)}" alt="sample photograph: {escape(name)}"></button>'
        for name, picture in pictures.items()
    )
    return (
        "<details open><summary>No photograph at hand? Try one of these</summary>"
        f'<div class="strip">{"".join(buttons)}</div></details>'
    )


def choices(pictures: Sequence[bytes]) -> str:
    """Alternatives, as buttons."""
    from colorize.guidance.alternatives import MOODS

    names = ["as it is now", *MOODS]
    buttons = (
        f'<button type="button" data-pick="{number}"><img src="{data_uri(picture)}" alt="the photograph, {name}">'
        f"<span>{name}</span></button>"
        for number, (name, picture) in enumerate(zip(names, pictures, strict=True))
    )
    back = '<button type="button" class="plain" data-pick="-1">Back to the model\'s own colours</button>'
    return f'<div class="strip wide">{"".join(buttons)}</div>{back}'


def references(found: Sequence[tuple[str, bytes]]) -> str | None:
    """Photographs that lend their colours, as buttons that take them away."""
    if not found:
        return None
    buttons = (
        f'<button type="button" data-pick="{number}" title="Take {escape(name)} away">'
        f'<img src="{data_uri(picture)}" alt=""><span>\u2715 {escape(name)}</span></button>'
        for number, (name, picture) in enumerate(found)
    )
    said = '<p class="hint">It borrows from these. Click one to take it away.</p>'
    return f'{said}<div class="strip">{"".join(buttons)}</div>'


def places(found: Sequence[Place]) -> str:
    """Suggested places with their likely colours, as buttons."""
    rows = []
    for number, place in enumerate(found, start=1):
        swatches = (
            f'<button type="button" class="swatch" style="background: {color}" data-row="{place.row}" '
            f'data-col="{place.col}" data-color="{color}" title="{escape(name)}, {_percent(chance)}" '
            f'aria-label="paint place {number} {escape(name)}, {_percent(chance)} likely"></button>'
            for color, name, chance in zip(place.colors, place.names, place.chances, strict=True)
        )
        rows.append(f'<li><span class="pin still">{number}</span>{"".join(swatches)}</li>')
    return (
        '<p class="hint">Tell the colour of these places and the rest will follow best. Click the swatch that is right '
        "(they are ordered by how likely the model finds them), or paint there yourself.</p>"
        f'<ol class="places">{"".join(rows)}</ol>'
    )


def card(model: Card) -> str:
    """What a model has seen, with its palette."""
    bars = "".join(
        # A colour that was seen once must still be wide enough to point at.
        f'<i style="background: {swatch.css}; flex-grow: {max(swatch.share, 0.004):.4f}" '
        f'title="{escape(swatch.name)}: {_percent(swatch.share)}"></i>'
        for swatch in model.swatches
    )
    rows = "".join(
        f'<li><i class="swatch" style="background: {swatch.css}"></i>{escape(swatch.name)}'
        f"<b>{_percent(swatch.share)}</b></li>"
        for swatch in model.swatches
    )
    facts = [f"Learnt from {model.n_photos} photographs; {model.n_bytes / 1e6:.1f} MB."]
    figures = model.figures
    if {"gray", "lookup", "model", "n_photos"} <= set(figures):
        facts.append(
            f"On {figures['n_photos']:.0f} photographs that it had not seen its colours were off by "
            f"{figures['model']:.1f} on average (no colour at all: {figures['gray']:.1f}; a simple table: "
            f"{figures['lookup']:.1f}; 1 is just visible, less is better)."
        )
    said = "".join(f"<p>{fact}</p>" for fact in facts)
    text = f"<details><summary>The whole card</summary>{markdown(model.text)}</details>" if model.text else ""
    return (
        f'<article class="card"><h3>Model “{escape(model.name)}”</h3>{said}'
        '<p class="hint">Colours it has seen, the wider the more often. It can imagine no others.</p>'
        f'<div class="palette" role="img" aria-label="the colours of the model by how often it saw them">{bars}</div>'
        f'<details><summary>All {len(model.swatches)} colours</summary><ul class="swatches">{rows}</ul></details>'
        f"{text}</article>"
    )


def no_card(reason: str) -> str:
    """Why nothing can be told of a model."""
    return f'<article class="card"><p class="wrong">{escape(reason)}</p></article>'


def explanation(found: Mapping[str, Any]) -> str:
    """Why a place got its colour; from `place_in_words`."""
    crops = "".join(f'<img src="{crop["uri"]}" alt="{escape(crop["alt"])}">' for crop in found["crops"])
    said = "".join(f"<p>{escape(sentence)}</p>" for sentence in found["sentences"])
    return (
        f'<article class="card why"><h3><i class="swatch" style="background: {found["given"]}"></i>'
        f"{escape(found['title']).capitalize()}</h3>"
        f'<div class="crops">{crops}</div>{said}{_hint_effect(found["hints"])}{_steps(found)}{_memories(found)}'
        '<p class="hint">This tells why the model chose the colour, not that it is right.</p></article>'
    )


def training(status: Status | None) -> str:
    """How a training stands."""
    if status is None:
        return '<p class="hint">Progress and first pictures will appear here.</p>'
    parts = [f"<h3>{STATES[status.state]}</h3>"]
    if status.state == "done":
        parts.append(f"<p>The model is called “{escape(status.message)}” and is in the list of models now.</p>")
    elif status.message:
        parts.append(f'<p class="wrong">{escape(status.message)}</p>')
    if status.state in ("running", "stopped", "waiting"):
        left = "" if status.remaining is None else f", about {_duration(status.remaining)} left"
        parts.append(
            f'<progress max="1" value="{status.fraction:.3f}" aria-label="progress of the training"></progress>'
            f"<p>{escape(status.stage)} ({_percent(status.fraction)}{left})</p>"
        )
    return f'<article class="card">{"".join(parts)}{_trained_samples(status)}{_left_out(status)}</article>'


def comparison(found: Sequence[Compared], gray: bytes, true: bytes | None) -> str:
    """Pictures side by side, with figures where the truth is known."""
    shots = [_shot("gray, as it was given to all", gray, "")]
    if true is not None:
        shots.append(_shot("the true colours", true, ""))
    best = min((item.figures["ciede2000"] for item in found if "ciede2000" in item.figures), default=None)
    for item in found:
        facts = f"{item.seconds:.1f} s" if item.seconds >= 0.05 else "at once"
        if "ciede2000" in item.figures:
            mark = " · <b>nearest to the truth</b>" if item.figures["ciede2000"] == best and len(found) > 1 else ""
            facts = f"off by {item.figures['ciede2000']:.1f}{mark} · {item.figures['psnr_rgb']:.1f} dB · {facts}"
        shots.append(_shot(item.name, item.picture, facts))
    hint = (
        "“Off by” is the mean colour difference as the eye weighs it (CIEDE2000; 1 is just visible), dB the signal to "
        "noise ratio of the pixels (PSNR; more is better)."
        if true is not None
        else "This photograph has no colours of its own, so nothing can be measured: judge by eye."
    )
    return f'<p class="hint">{hint}</p><div class="shots">{"".join(shots)}</div>'


def batch(result: BatchResult) -> str:
    """What became of many photographs."""
    rows = "".join(f"<tr><th>{escape(name)}</th><td>{escape(why)}</td></tr>" for name, why in result.failures.items())
    table = f"<h4>{len(result.failures)} left out</h4><table>{rows}</table>" if rows else ""
    were = "was" if result.n_left == 1 else "were"
    left = f"<p>Stopped: {result.n_left} {were} not begun.</p>" if result.n_left else ""
    return f'<article class="card"><h3>{result.n_done} coloured</h3>{left}{table}{_noted(result)}</article>'


def _noted(result: BatchResult) -> str:
    """What coloured photographs lost or what was changed in them, each with their names."""
    return "".join(
        f"<details open><summary>{len(names)} × {escape(note)}</summary>"
        f'<ul class="names">{"".join(f"<li>{escape(name)}</li>" for name in names)}</ul></details>'
        for note, names in result.notes.items()
    )


def markdown(text: str) -> str:
    """The few forms of Markdown that model cards use, as HTML."""
    blocks = []
    for block in re.split(r"\n\s*\n", escape(text)):
        lines = block.splitlines()
        if lines[0].startswith("#"):
            blocks.append(f"<h4>{lines[0].lstrip('# ')}</h4>")
        elif lines[0].startswith("|"):
            blocks.append(_table([line for line in lines if not re.fullmatch(r"[|\s:-]+", line)]))
        else:
            blocks.append(f"<p>{' '.join(lines)}</p>")
    html = re.sub(r"\*\*(.+?)\*\*", r"<strong>\1</strong>", "".join(blocks))
    return re.sub(r"`(.+?)`", r"<code>\1</code>", html)


def _table(lines: Sequence[str]) -> str:
    rows = ([cell.strip() for cell in line.strip("| ").split("|")] for line in lines)
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f'<div class="scroll"><table>{body}</table></div>'


def _hint_effect(hints: Mapping[str, Any] | None) -> str:
    if hints is None:
        return ""
    return (
        f'<p><i class="swatch" style="background: {hints["before"]}"></i> without your hints, '
        f'<i class="swatch" style="background: {hints["after"]}"></i> with them. {escape(hints["text"])}</p>'
    )


def _steps(found: Mapping[str, Any]) -> str:
    rows = "".join(
        f"<tr><th>{escape(step['title'])}</th><td class='track'><i class='{'for' if step['for'] else 'against'}' "
        f"style='width: {step['width']}%; background: {found['winner' if step['for'] else 'rival']['paint']}'></i></td>"
        f"<td>{escape(step['odds'])}</td></tr>"
        for step in found["steps"]
    )
    return (
        "<h4>What spoke for it, and against</h4>"
        f'<p class="hint">How many times more likely each step made <i class="swatch" '
        f'style="background: {found["winner"]["paint"]}"></i>{escape(found["winner"]["name"])} (×, to the right) or '
        f'<i class="swatch" style="background: {found["rival"]["paint"]}"></i>{escape(found["rival"]["name"])} '
        f'(÷, to the left).</p><table class="steps">{rows}</table>'
    )


def _memories(found: Mapping[str, Any]) -> str:
    if not found["memories"]:
        return ""
    items = []
    for item in found["memories"]:
        picture = (
            f'<img src="{item["uri"]}" alt="a training region, {escape(item["color"])}">'
            if item["uri"]
            else f'<i style="background: {item["paint"]}"></i>'
        )
        title = f"{escape(item['color'])}, {escape(item['photo'])}, distance {item['distance']}"
        items.append(f'<li title="{title}">{picture}<span class="unseen">{title}</span></li>')
    return (
        "<h4>What it reminds the model of</h4>"
        '<p class="hint">The places of its training photographs most like this one, the nearest first.</p>'
        f'<ul class="memories">{"".join(items)}</ul>'
    )


def _trained_samples(status: Status) -> str:
    if not status.samples:
        return ""
    rows = "".join(
        '<div class="trio">'
        + "".join(
            f'<figure><img src="{uri}" alt="held-out photograph {number}, {kind}">'
            f"<figcaption>{kind}</figcaption></figure>"
            for kind, uri in zip(("gray", "the model now", "true"), row, strict=True)
        )
        + "</div>"
        for number, row in enumerate(status.samples["pictures"], start=1)
    )
    early = '<p class="hint">Early pictures come from a quick sketch of the model.</p>'
    return (
        f"<h4>Photographs it has not seen, after learning from {status.samples['n_photos']}</h4>"
        f"{'' if status.state == 'done' else early}{rows}"
    )


def _left_out(status: Status) -> str:
    from colorize.training.dataset import FEW_PHOTOS

    rows = list(status.not_photos.items())
    rows += [(name, f"{reason}: {detail}") for name, reason, detail in status.report.get("left_out", [])]
    n_used = status.report.get("n_used", 0)
    used = f"{n_used} photographs can teach colours. " if status.report else ""
    if 0 < n_used < FEW_PHOTOS and not status.has_base:
        used += f"With fewer than {FEW_PHOTOS} it is better to build on another model, or to take one as it is. "
    if not rows:
        return f'<p class="hint">{used}</p>' if used else ""
    body = "".join(f"<tr><th>{escape(name)}</th><td>{escape(why)}</td></tr>" for name, why in rows)
    return (
        f"<details open><summary>{used}{len(rows)} left out</summary>"
        f'<div class="scroll"><table>{body}</table></div></details>'
    )


def _shot(name: str, picture: bytes, facts: str) -> str:
    return (
        f'<figure><img src="{data_uri(picture)}" alt="{escape(name)}"><figcaption><b>{escape(name)}</b>'
        f"<span>{facts}</span></figcaption></figure>"
    )


def _bytes(number: int) -> str:
    return f"{number / 1e9:g} GB" if number >= 1e9 else f"{number / 1e6:g} MB"


def _percent(share: float) -> str:
    return "under 1\u00a0%" if 0 < share < 0.01 else f"{share:.0%}".replace("%", "\u00a0%")


def _duration(seconds: float) -> str:
    return f"{max(1, round(seconds))} s" if seconds < 90 else f"{round(seconds / 60)} minutes"
