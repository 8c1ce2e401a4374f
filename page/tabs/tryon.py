"""The second tab: a mask put on a bare face and taken off again, truth beside guess."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr

from page.show import GUESS, fitted
from page.tabs.parts import (
    BARE_EXAMPLES,
    HEAVY,
    LIGHT,
    PRIVATE,
    SAVE,
    before_after,
    compared,
    file_url,
    photo_path,
    photo_place,
    results_folder,
    scroll_to,
    told,
)
from page.tryon import Trials, make_style, saved_strip
from page.visit import LONGEST, own_folder, preview
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
            bare = photo_place(
                "bare",
                "Add a photo of yourself without a mask",
                "Drop, choose, paste or take one.",
                "The photo of a bare face that was added",
                BARE_EXAMPLES,
            )
            with gr.Column(elem_id="style"):
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
                format="jpeg",
                interactive=False,
                buttons=["fullscreen"],
                height=380,
                elem_id="masked",
                alt_text="Your photo with a drawn mask",
            )
            off = gr.Button(
                "Take it off again", variant="primary", elem_id="off", elem_classes="after-mask"
            )
            with gr.Row(elem_classes="after-guess"):
                truth, hidden, guess = (_face(label) for label in ("Truth", "Mask", "Guess"))
            with gr.Row(elem_classes="after-guess"):
                save = gr.Button("Download these three", elem_id="save-trial")
            gr.Markdown(f"**{GUESS}**", elem_classes=["hint", "after-guess"])
            whole = before_after("truth", "Truth and guess", "Truth", "Guess")
            score = gr.Markdown(elem_id="score", elem_classes="after-guess")
    strip = gr.State(None, time_to_live=3600)
    file = gr.JSON(visible="hidden")
    outputs = [masked, score, truth, hidden, guess, whole, strip]
    style = [kind, colour, fit, wear, seed]
    nothing = (None,) * len(outputs)

    def put(given: Any, *chosen: Any) -> tuple[Any, ...]:
        path = photo_path(given, BARE_EXAMPLES)
        if path is None:
            return nothing
        shown = trials.masked(path, make_style(*chosen)).masked
        return fitted(shown, min(LONGEST, max(shown.shape))), *nothing[1:]

    def take(given: Any, *chosen: Any) -> tuple[Any, ...]:
        path = photo_path(given, BARE_EXAMPLES)
        if path is None:
            raise ImageError("add a photo of a bare face first")
        trial = trials.run(path, make_style(*chosen))
        folder = own_folder(results_folder())
        before = preview(trial.truth, folder / "truth.jpg")
        after = preview(trial.guess, folder / "guess.jpg")
        height, width = trial.truth.shape[:2]
        pair = compared(before, after, (width, height))
        return trial.words, *trial.faces, pair, saved_strip(trial, folder)

    def prepare(strip: Path | None) -> dict[str, str]:
        if strip is None or not strip.is_file():
            raise ImageError("the pictures were deleted after a few minutes: take it off again")
        return {"url": file_url(strip), "name": strip.name}

    put_on = gr.on(
        [bare.upload, kind.input, colour.input, fit.release, wear.input, seed.release],
        told(put),
        [bare, *style],
        outputs,
        show_progress_on=[masked],
        trigger_mode="always_last",
        **LIGHT,
        **PRIVATE,
    )
    put_on.failure(lambda: nothing, None, outputs, queue=False, **PRIVATE)
    bare.clear(lambda: nothing, None, outputs, queue=False, **PRIVATE)
    off.click(
        told(take),
        [bare, *style],
        outputs[1:],
        show_progress_on=[masked],
        **HEAVY,
        **PRIVATE,
    )
    made = save.click(told(prepare), strip, file, **LIGHT, **PRIVATE)
    made.success(None, file, None, js=SAVE, **PRIVATE)
    scroll_to(bare.upload, bare, "masked")
    scroll_to(off.click, bare, "off")


def _face(label: str) -> gr.Image:
    return gr.Image(
        label=label,
        format="jpeg",
        interactive=False,
        buttons=[],
        min_width=80,
        elem_id=f"face-{label.lower()}",
        alt_text=f"The face: {label.lower()}",
    )
