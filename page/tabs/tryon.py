"""The second tab: a mask put on a bare face and taken off again, truth beside guess."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr

from page.show import GUESS
from page.tabs.parts import (
    BARE,
    HEAVY,
    LIGHT,
    PRIVATE,
    results_folder,
    scroll_to,
    told,
    visitors_photo,
)
from page.tryon import Trials, make_style, saved_pair
from page.visit import own_folder
from uncover.errors import ImageError
from uncover.masking import KINDS, WEAR

KIND_NAMES = dict(
    zip(KINDS, ("Surgical", "N95 / KN95", "Duckbill", "Cloth", "Gaiter"), strict=True)
)
WEAR_NAMES = dict(zip(WEAR, ("Over the nose", "Nose out", "On the chin"), strict=True))


def try_tab(trials: Trials) -> None:
    """Lay out the tab and wire its events."""
    gr.Markdown(
        "Add a photo of yourself without a mask. One is drawn on, the model takes it off again, "
        "and you see the truth beside the guess.",
        elem_classes="hint",
    )
    with gr.Row():
        with gr.Column(scale=2, min_width=300):
            bare = visitors_photo(
                "bare",
                BARE,
                label="A photo of a bare face",
                alt_text="The photo of a bare face that was added",
                placeholder="Drop a photo of yourself without a mask, or click to choose one",
            )
            kind = gr.Dropdown(
                [(name, kind) for kind, name in KIND_NAMES.items()],
                value=KINDS[0],
                label="Mask",
                info="What kind of mask to put on.",
            )
            colour = gr.ColorPicker("#8fbfdc", label="Colour", info="Of the fabric.")
            fit = gr.Slider(0, 1, 0.4, step=0.05, label="Fit", info="0 is snug, 1 is baggy.")
            wear = gr.Radio(
                [(name, wear) for wear, name in WEAR_NAMES.items()],
                value=WEAR[0],
                label="How it is worn",
                info="Masks are often worn wrongly; try that too.",
            )
            seed = gr.Slider(
                0, 50, 0, step=1, label="Variant", info="Folds, print and straps differ."
            )
        with gr.Column(scale=3, min_width=300):
            masked = gr.Image(
                label="With the mask on",
                format="png",
                interactive=False,
                buttons=["fullscreen"],
                height=380,
                elem_id="masked",
                alt_text="Your photo with a drawn mask",
            )
            off = gr.Button(
                "Take it off again", variant="primary", elem_id="off", elem_classes="after-mask"
            )
            score = gr.Markdown(elem_id="score")
            with gr.Row(elem_classes="after-guess"):
                truth, hidden, guess = (_face(label) for label in ("Truth", "Mask", "Guess"))
            gr.Markdown(f"**{GUESS}**", elem_classes=["hint", "after-guess"])
            whole = gr.ImageSlider(
                label="Truth and guess",
                type="filepath",
                format="png",
                interactive=False,
                max_height=480,
                buttons=["fullscreen"],
                elem_id="truth",
                elem_classes="after-guess",
            )
    outputs = [masked, score, truth, hidden, guess, whole]
    style = [kind, colour, fit, wear, seed]
    before = "Press *Take it off again* to see the guess."

    def put(path: str | None, *chosen: Any) -> tuple[Any, ...]:
        if path is None:
            return (None,) * 6
        masked = trials.masked(Path(path), make_style(*chosen)).masked
        return masked, before, *(None,) * 4

    def take(path: str | None, *chosen: Any) -> tuple[Any, ...]:
        if path is None:
            raise ImageError("add a photo of a bare face first")
        trial = trials.run(Path(path), make_style(*chosen))
        pair = saved_pair(trial, own_folder(results_folder()))
        return trial.words, *trial.faces, tuple(str(part) for part in pair)

    put_on = gr.on(
        [bare.change, kind.input, colour.input, fit.release, wear.input, seed.release],
        told(put),
        [bare, *style],
        outputs,
        show_progress_on=[masked],
        trigger_mode="always_last",
        **LIGHT,
        **PRIVATE,
    )
    put_on.failure(lambda: (None,) * 6, None, outputs, queue=False, **PRIVATE)
    off.click(
        told(take),
        [bare, *style],
        outputs[1:],
        show_progress_on=[masked],
        **HEAVY,
        **PRIVATE,
    )
    scroll_to(bare.change, bare, "masked")
    scroll_to(off.click, bare, "off")


def _face(label: str) -> gr.Image:
    return gr.Image(
        label=label,
        format="png",
        interactive=False,
        buttons=[],
        min_width=80,
        elem_id=f"face-{label.lower()}",
        alt_text=f"The face: {label.lower()}",
    )
