"""The first tab: a photo in, faces found and filled, masks corrected, the result saved."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr

from page.show import GUESS
from page.tabs.parts import (
    ASSETS,
    HEAVY,
    LIGHT,
    MASKED,
    MINUTES_KEPT,
    PRIVATE,
    results_folder,
    scroll_to,
    told,
    visitors_photo,
)
from page.visit import Shown, Visit, again, download, for_editor, start
from uncover.errors import ImageError
from uncover.pipeline import Uncoverer

BEGIN = "Add a photo to begin: the result will appear here."
BLENDS = [("Feathered edge", "feather"), ("Poisson", "poisson")]
OTHERS = [("Off", 0), *((str(count), count) for count in range(1, 5))]
ONE_ANSWER = "Other guesses: none, as these weights were trained to give one answer to a face."


def uncover_tab(uncoverer: Uncoverer) -> None:
    """Lay out the tab and wire its events."""
    visit = gr.State(None, time_to_live=3600)
    with gr.Row():
        with gr.Column(scale=2, min_width=300):
            photo = visitors_photo(
                "photo",
                MASKED,
                "Drop, choose, paste or take a photo; the faces are found at once. It is deleted "
                f"within {MINUTES_KEPT + 1} minutes.",
                label="Your photo",
                alt_text="The photo that was added",
                placeholder="Drop a photo of someone in a mask, or click to choose one",
            )
            with gr.Row():
                go = gr.Button("Uncover", variant="primary", elem_id="go", min_width=120)
                stop = gr.Button("Stop", elem_id="stop", min_width=80)
            gr.Markdown("*Uncover* looks again. *Stop* ends the wait.", elem_classes="hint")
            with gr.Accordion("Options", open=False):
                blend = gr.Radio(
                    BLENDS,
                    value="feather",
                    label="Blend",
                    info="How the painted part meets the skin. Poisson matches colours exactly.",
                    elem_id="blend",
                )
                chin = gr.Checkbox(
                    label="Also masks worn on the chin",
                    info="Paint under masks that are pulled down and leave the mouth free.",
                )
        with gr.Column(scale=3, min_width=300):
            words = gr.Markdown(BEGIN, elem_id="words")
            slider = gr.ImageSlider(
                label="Before and after",
                type="filepath",
                format="png",
                interactive=False,
                max_height=560,
                elem_id="slider",
                buttons=["fullscreen"],
            )
            gr.Markdown(f"**{GUESS}** Nothing outside the mask is changed.", elem_classes="hint")
            with gr.Row(elem_id="saving"):
                kind = gr.Radio(
                    ["PNG", "JPEG"],
                    value="PNG",
                    label="Save as",
                    info="PNG keeps every unpainted pixel exactly.",
                    elem_id="kind",
                    min_width=220,
                )
                label = gr.Checkbox(
                    label="Visible label in the corner",
                    info="The note in the file's metadata is always there.",
                    elem_id="label",
                    min_width=220,
                )
            save = gr.DownloadButton("Download", interactive=False, elem_id="save")
    with gr.Row(elem_id="more"):
        with gr.Column(min_width=300):
            found = gr.Image(
                label="Faces found",
                format="png",
                interactive=False,
                buttons=["fullscreen"],
                elem_id="found",
                alt_text="The photo with a numbered box around each face",
            )
        with gr.Column(min_width=300):
            pairs = gr.Gallery(
                label="Each face, before and after",
                format="png",
                columns=1,
                object_fit="contain",
                elem_id="pairs",
                interactive=False,
                buttons=["fullscreen"],
            )
    with gr.Column(elem_id="guessing"):
        others = gr.Radio(
            OTHERS,
            value=0,
            label="Other guesses",
            info="Many faces fit under one mask. Paints so many more, with a map of where they "
            "differ. None is an identification.",
            visible=uncoverer.varied,
            elem_id="others",
        )
        if not uncoverer.varied:
            gr.Markdown(ONE_ANSWER, elem_id="one-answer", elem_classes="hint")
        guesses = gr.Gallery(
            label="Guesses side by side",
            format="png",
            object_fit="contain",
            elem_id="guesses",
            interactive=False,
            buttons=["fullscreen"],
        )
    with gr.Accordion("Correct the masks", open=False, elem_id="correct"):
        gr.Markdown(
            "Choose a face, repaint its mask or leave the face out, then fill again. In the last "
            "picture, the whole photo, you can mark a mask that was missed.",
            elem_classes="hint",
        )
        editor = gr.HTML(
            value=None,
            html_template=(ASSETS / "mask_editor.html").read_text("utf-8"),
            js_on_load=(ASSETS / "mask_editor.js").read_text("utf-8"),
            apply_default_css=False,
            elem_id="editor",
        )
        refill = gr.Button("Fill again", variant="primary", elem_id="again")

    shown = [visit, words, slider, found, pairs, guesses]
    nothing = (None, BEGIN, None, None, None, None, None)

    def look(path: str | None, blend: str, chin: bool, others: int) -> tuple[Any, ...]:
        if path is None:
            return nothing
        state, view = start(uncoverer, Path(path), results_folder(), blend, chin, 1 + others)
        return *_shown(state, view, others), for_editor(state)

    def correct(state: Visit | None, answer: Any, blend: str, others: int) -> tuple[Any, ...]:
        if state is None:
            raise ImageError("add a photo first")
        state, view = again(uncoverer, state, answer, results_folder(), blend, 1 + others)
        return _shown(state, view, others)

    def _shown(state: Visit, view: Shown, others: int) -> tuple[Any, ...]:
        pair = str(view.before), str(view.after)
        side_by_side = gr.update(value=view.guesses, columns=2 + others)
        return state, view.words, pair, view.found, view.pairs, side_by_side

    def prepare(state: Visit | None, kind: str, label: bool) -> Any:
        if state is None:
            return _no_file()
        path = download(state, results_folder(), kind, label)
        return gr.update(value=str(path), interactive=True)

    looked = gr.on(
        [photo.change, go.click, chin.input],
        told(look),
        [photo, blend, chin, others],
        [*shown, editor],
        show_progress_on=[slider, words],
        trigger_mode="always_last",
        **HEAVY,
        **PRIVATE,
    )
    empty = {"inputs": None, "outputs": [*shown, editor, save], "queue": False}
    looked.failure(lambda: (*nothing, _no_file()), **empty, **PRIVATE)
    corrected = gr.on(
        [refill.click],
        told(correct),
        [visit, editor, blend, others],
        shown,
        show_progress_on=[slider],
        **HEAVY,
        **PRIVATE,
    )
    chosen = gr.on(
        [blend.input, others.input],
        told(lambda state, *rest: correct(state, *rest) if state else nothing[:-1]),
        [visit, editor, blend, others],
        shown,
        show_progress_on=[slider, guesses],
        trigger_mode="always_last",
        **HEAVY,
        **PRIVATE,
    )
    ready: dict[str, Any] = {"inputs": [visit, kind, label], "outputs": save, **LIGHT, **PRIVATE}
    for event in (looked, corrected, chosen):
        event.success(told(prepare), **ready)
    gr.on([kind.input, label.input], told(prepare), **ready)
    for event in (photo.change, refill.click):
        scroll_to(event, photo, "words")
    stop.click(None, cancels=[looked, corrected, chosen], **PRIVATE)


def _no_file() -> Any:
    return gr.update(value=None, interactive=False)
