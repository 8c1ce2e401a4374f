"""The page as a whole: built from its tabs, and served.

`uncover page`, or `python app.py` as a Space does it; with `--mcp` (or $GRADIO_MCP_SERVER=True) the
three public functions are served as MCP tools too. $UNCOVER_WEIGHTS (a folder or "user/repo") and
$UNCOVER_REVISION choose the weights.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import signal
import sys
from html import escape
from typing import Any

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
# gradio's table of all calls, made anew after each: a call with half a letter in it broke all later
# ones' end.
os.environ.setdefault("GRADIO_ANALYTICS_CACHE_FREQUENCY", str(2**62))
os.environ.setdefault("GRADIO_ANALYTICS_MAX_EVENTS", "1")

import gradio as gr

from page.api import add_api
from page.calls import HANDLERS, Page
from page.ending import finish
from page.sessions import name_sessions
from page.show import GUESS, describe_weights, read_card
from page.tabs import ASSETS, BARE, MINUTES_KEPT, good_tab, try_tab, uncover_tab
from page.tryon import Trials
from page.visit import Chosen, choose, keep_sweeping, own_upload_folder, return_large_blocks
from uncover.errors import UncoverError, without_torch
from uncover.weights import wanted


def build(chosen: Chosen) -> gr.Blocks:
    """The whole page for loaded weights."""
    uncoverer = chosen.uncoverer
    with Page(
        title="uncover", analytics_enabled=False, delete_cache=(60, 60 * MINUTES_KEPT)
    ) as page:
        gr.HTML(
            "<h1>uncover</h1><p>Add a photo of someone in a face mask. You get the same photo "
            "with a plausible face painted where the mask was; nothing else changes. "
            f"<span class='guess'>{GUESS}</span></p>",
            elem_classes="intro",
        )
        if chosen.banner:
            notice = f"<div class='banner' role='status'>{escape(chosen.banner)}</div>"
            gr.HTML(notice, elem_id="banner")
        with gr.Tabs(overflow_behavior="wrap"):
            with gr.Tab("Uncover", id="uncover"):
                uncover_tab(uncoverer)
            with gr.Tab("Try it on yourself", id="try"):
                try_tab(Trials(uncoverer, BARE))
            card = read_card(chosen.folder)
            with gr.Tab("How good is it?", id="good") as good:
                good_tab(good, uncoverer, card)
            with gr.Tab("About these weights", id="weights"):
                gr.Markdown(describe_weights(card, chosen.name, chosen.link), elem_id="loaded")
                with gr.Accordion("The card", open=False):
                    gr.Markdown(card.text or "These weights have no card.", sanitize_html=True)
        add_api(uncoverer)
    for function in page.fns.values():
        if function.api_visibility != "public":
            function.api_visibility = "private"
    return page


LONE_DOT = "<style>@media (max-width: 640px) { footer > div { display: none !important; } }</style>"
"""On phones gradio leaves the API link out but not the dot behind it; page.css ends above it."""


def page_theme() -> gr.themes.Base:
    """The machine's own fonts, and words and empty boxes dark (or light) enough to be read."""
    fonts = ["system-ui", "-apple-system", "Segoe UI", "Roboto", "sans-serif"]
    theme = gr.themes.Soft(font=fonts, font_mono=["ui-monospace", "Consolas", "monospace"])
    return theme.set(
        background_fill_primary="*neutral_50",  # else `set` loses this one of the theme
        block_info_text_color="*neutral_600",
        block_info_text_color_dark="*neutral_300",
        body_text_color_subdued="*neutral_600",
        body_text_color_subdued_dark="*neutral_300",
        block_label_text_color="*primary_700",
        block_title_text_color="*primary_700",
        button_primary_background_fill="*primary_600",
        button_primary_background_fill_hover="*primary_700",
        button_primary_background_fill_hover_dark="*primary_700",
        checkbox_label_background_fill_selected="*primary_600",
        color_accent="*primary_600",
        link_text_color_dark="*primary_300",
        link_text_color_hover_dark="*primary_200",
        link_text_color_visited_dark="*primary_300",
        checkbox_border_color="*neutral_500",
        checkbox_border_color_dark="*neutral_400",
    )


def serve(page: gr.Blocks, **options: Any) -> Any:
    """Launch the page; options go to gradio's `launch`."""
    page.queue(max_size=64, default_concurrency_limit=2)
    name_sessions(page)
    return page.launch(
        theme=page_theme(),
        css_paths=[ASSETS / "page.css"],
        head=LONE_DOT,
        js=(ASSETS / "page.js").read_text("utf-8"),
        max_file_size="60mb",
        ssr_mode=False,
        run_history=False,
        app_kwargs={"exception_handlers": HANDLERS},
        footer_links=["api", "settings"],
        _frontend=False,  # leaves out one check, which gives up on a machine busy for 3 seconds
        **options,
    )


def main(argv: list[str] | None = None) -> int:
    """Start the page; returns an exit code."""
    options = _parser().parse_args(argv)
    mcp = options.mcp or os.environ.get("GRADIO_MCP_SERVER", "").lower() == "true"
    if mcp and importlib.util.find_spec("mcp") is None:
        print("error: MCP tools need an extra: pip install 'gradio[mcp]'", file=sys.stderr)
        return 2
    return_large_blocks()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # ends as Ctrl-C does, and cleans up
    uploads = own_upload_folder()
    source, revision = (options.weights, None) if options.weights else wanted()
    try:
        chosen = choose(source, revision, device=options.device, backend=options.backend)
    except (UncoverError, ModuleNotFoundError) as error:
        if isinstance(error, ModuleNotFoundError):
            error = without_torch(error)
        print(f"error: {' '.join(str(error).split())}", file=sys.stderr)
        return 1
    if chosen.banner:
        print(f"warning: {chosen.banner}", file=sys.stderr)
    page = build(chosen)

    def told_to_end(number: int, frame: object) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)  # told twice, it ends at once
        finish(page)

    signal.signal(signal.SIGTERM, told_to_end)
    keep_sweeping(uploads, 60 * MINUTES_KEPT)
    try:
        serve(page, mcp_server=mcp, **{"server_port": options.port} if options.port else {})
    except OSError as error:  # gradio's own words, such as that the port is taken
        print(f"error: {' '.join(str(error).split())}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="uncover page",
        description="Serve the page on this machine: http://127.0.0.1:7860.",
        epilog="For photos in a folder that is called page: uncover ./page",
    )
    add = parser.add_argument
    add("--port", type=int, metavar="N", help="default: 7860, or the next one that is free")
    add("--weights", metavar="REPO|DIR", help="a Hub repository or folder; default: embedded")
    add("--device", choices=("auto", "cpu", "cuda"), default="auto", help="default: auto")
    backends = ("torch", "onnx", "openvino")
    add("--backend", choices=backends, default="torch", help="default: torch")
    add("--mcp", action="store_true", help="also serve MCP tools")
    return parser
