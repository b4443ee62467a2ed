"""Colours, type and the page's head. System fonts only: the page asks no other host."""

from __future__ import annotations

from base64 import b64encode
from pathlib import Path

import gradio as gr
from gradio.themes.utils.colors import Color
from gradio.themes.utils.sizes import Size

ORIGINAL = "#808080"
UNLEARNED = "#1F77B4"
FORGET = "#D55E00"
HEALTHY = "#009E73"
ATTACK = "#CC79A7"
FIFTH = "#9A6A00"
"""Lines have 3:1 contrast on both panels; text never takes these colours."""

PAGE_ASSETS = Path(__file__).resolve().parents[1] / "assets" / "page"

SANS = ("system-ui", "-apple-system", "Segoe UI", "Roboto", "Noto Sans", "sans-serif")
MONO = ("ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "DejaVu Sans Mono", "monospace")

BLUE = Color(
    "#f0f6fb", "#dbeaf5", "#b7d5eb", "#86b9dc", "#4d97c9", "#1f77b4", "#1a689e", "#165784",
    "#12466a", "#0e3652", "#09243a",
)  # fmt: skip
TEXT = Size("10px", "11px", "13px", "14px", "16px", "20px", "26px")


def theme() -> gr.themes.Base:
    """The theme: hairlines instead of boxes, one blue, text at 4.5:1 or more."""
    return gr.themes.Base(
        primary_hue=BLUE,
        secondary_hue=BLUE,
        neutral_hue=gr.themes.colors.zinc,
        text_size=TEXT,
        spacing_size=gr.themes.sizes.spacing_md,
        radius_size=gr.themes.sizes.radius_md,
        font=SANS,
        font_mono=MONO,
    ).set(
        body_background_fill="white",
        body_background_fill_dark="*neutral_900",
        background_fill_primary="white",
        background_fill_primary_dark="*neutral_900",
        background_fill_secondary="*neutral_50",
        background_fill_secondary_dark="*neutral_800",
        body_text_color="*neutral_900",
        body_text_color_dark="*neutral_100",
        body_text_color_subdued="*neutral_600",
        body_text_color_subdued_dark="*neutral_400",
        border_color_primary="*neutral_200",
        border_color_primary_dark="*neutral_700",
        block_background_fill="transparent",
        block_background_fill_dark="transparent",
        block_border_width="0px",
        block_shadow="none",
        block_padding="0px",
        block_title_text_weight="600",
        block_title_text_color="*body_text_color",
        block_title_text_color_dark="*body_text_color",
        block_label_text_color="*body_text_color",
        block_label_text_color_dark="*body_text_color",
        block_info_text_color="*body_text_color_subdued",
        block_info_text_color_dark="*body_text_color_subdued",
        block_info_text_size="*text_sm",
        input_background_fill="white",
        input_background_fill_dark="*neutral_800",
        input_border_width="1px",
        input_border_color="*neutral_300",
        input_border_color_dark="*neutral_600",
        input_border_color_focus="*primary_500",
        input_border_color_focus_dark="*primary_400",
        input_placeholder_color="*neutral_500",
        input_placeholder_color_dark="*neutral_400",
        button_primary_background_fill="*primary_600",
        button_primary_background_fill_dark="*primary_600",
        button_primary_background_fill_hover="*primary_700",
        button_primary_background_fill_hover_dark="*primary_500",
        button_primary_text_color="white",
        button_primary_text_color_dark="white",
        button_secondary_background_fill="*neutral_100",
        button_secondary_background_fill_dark="*neutral_700",
        button_secondary_background_fill_hover="*neutral_200",
        button_secondary_background_fill_hover_dark="*neutral_600",
        button_secondary_text_color="*neutral_900",
        button_secondary_text_color_dark="*neutral_100",
        button_transition="none",
        table_even_background_fill="transparent",
        table_even_background_fill_dark="transparent",
        table_odd_background_fill="transparent",
        table_odd_background_fill_dark="transparent",
        link_text_color="*primary_700",
        link_text_color_dark="*primary_300",
        checkbox_label_background_fill="transparent",
        checkbox_label_background_fill_dark="transparent",
        checkbox_label_background_fill_selected="*primary_50",
        checkbox_label_background_fill_selected_dark="*primary_900",
        checkbox_label_border_color="*neutral_300",
        checkbox_label_border_color_dark="*neutral_600",
        checkbox_label_border_width="1px",
        slider_color="*primary_500",
        layout_gap="14px",
    )


def _read(name: str) -> str:
    return (PAGE_ASSETS / name).read_text(encoding="utf-8")


SHEETS = (
    "style", "words", "compare", "stress", "requests", "setup", "live", "curves", "runs", "present",
    "learn", "memory", "membership", "language",
)  # fmt: skip
SCRIPTS = ("page", "words", "travel", "trajectory", "curves", "runs", "present", "membership")
CSS = "".join(_read(f"{name}.css") for name in SHEETS)
LOGO = _read("logo.svg")
HEAD = (
    '<meta name="description" content="Make a language model forget, live.">'
    '<link rel="icon" type="image/svg+xml" href="data:image/svg+xml;base64,'
    f'{b64encode(LOGO.encode()).decode()}">'
    f"<script>{''.join(_read(f'{name}.js') for name in SCRIPTS)}</script>"
)
"""For `launch(head=...)`: icon, and what every tab's markup relies on."""
