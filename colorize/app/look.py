"""How the page looks: colours and fonts, and the files beside it."""

from __future__ import annotations

from importlib import resources
from typing import Any

import gradio as gr

_GREENS = (
    "#eef6f4 #d5e9e6 #aed4cf #7fbab3 #4c9a92 #19655f #165a54 #124e49 #0e3f3b #0b312e #071f1d".split()  # noqa: SIM905
)


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
        input_placeholder_color_dark="#a89e91",
        slider_color="#19655f",
        slider_color_dark="#62c3b6",
    )
    # Names of icons, which Gradio gives to screen readers; two of them it has forgotten.
    words = gr.I18n(en={"common.upload": "Add files", "common.clear": "Remove all files", "common.complete": "Done"})
    return {"theme": theme, "css": static("style.css"), "footer_links": [], "i18n": words}


def static(name: str) -> str:
    """The text of a script or a style of the page."""
    return (resources.files(__package__) / "static" / name).read_text(encoding="utf-8")
