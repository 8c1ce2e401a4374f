"""The first tab: a photo in, faces found and filled, masks corrected, the result saved."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr

from page.tabs.look import NO_LOOK, look_part
from page.tabs.parts import (
    BUSY,
    HEAVY,
    IDLE,
    LIGHT,
    MASKED_EXAMPLES,
    MINUTES_KEPT,
    PRIVATE,
    REFUSED,
    SAVE,
    STOPPED,
    before_after,
    compared,
    file_url,
    guess_board,
    mask_editor,
    photo_path,
    photo_place,
    results_folder,
    scroll_to,
    told,
)
from page.visit import Shown, Visit, again, download, picture_url, start, take
from uncover.errors import ImageError
from uncover.pipeline import Uncoverer
from uncover.settings import Blend

BLENDS = [("Feathered edge", "feather"), ("Poisson", "poisson")]
OTHERS = [("Off", 0), *((str(count), count) for count in range(1, 5))]
Asked = dict[str, float]
ONE_ANSWER = "Other guesses: none, as these weights were trained to give one answer to a face."
FORGET = "() => { window.uncoverTell('photo', 'remove'); }"


def uncover_tab(uncoverer: Uncoverer) -> None:
    """Lay out the tab and wire its events."""
    visit = gr.State(None, time_to_live=3600)
    with gr.Row(elem_id="stage"):
        with gr.Column(scale=3, min_width=320, elem_id="pictures"):
            photo = photo_place(
                "photo",
                "Add a photo of someone in a mask",
                f"Drop, choose, paste or take one; it is gone after {MINUTES_KEPT + 1} minutes.",
                "The photo that was added",
                MASKED_EXAMPLES,
            )
            slider = before_after("slider", "Before and after", "Before", "After")
            with gr.Row(elem_id="working"):
                go = gr.Button("Uncover", variant="primary", elem_id="go", min_width=80)
                stop = gr.Button("Stop", elem_id="stop", min_width=80)
        with gr.Column(scale=2, min_width=300, elem_id="beside"):
            words = gr.Markdown("", elem_id="words")
            with gr.Column(elem_id="saving"):
                save = gr.Button("Download", variant="primary", elem_id="save")
                with gr.Row():
                    gr.Button("Another photo", elem_id="another", size="md", min_width=120)
                    forget = gr.Button("Remove photo", elem_id="forget", size="md", min_width=120)
                part = look_part(uncoverer)
                others = gr.Radio(
                    OTHERS,
                    value=0,
                    label="Other guesses",
                    info="Many faces fit under one mask. How many more shall be painted?",
                    visible=uncoverer.varied,
                    elem_id="others",
                )
                if not uncoverer.varied:
                    gr.Markdown(ONE_ANSWER, elem_id="one-answer", elem_classes="hint")
                with gr.Accordion("Options", open=False, elem_id="options"):
                    kind = gr.Radio(
                        ["PNG", "JPEG"],
                        value="PNG",
                        label="Save as",
                        info="PNG keeps every unpainted pixel exactly.",
                        elem_id="kind",
                    )
                    label = gr.Checkbox(
                        label="Visible label in the corner",
                        info="The note in the file's metadata is always there.",
                        elem_id="label",
                    )
                    blend = gr.Radio(
                        BLENDS,
                        value="feather",
                        label="Blend",
                        info="How the painted part meets the skin. Poisson matches colours.",
                        elem_id="blend",
                    )
                    chin = gr.Checkbox(
                        label="Also masks worn on the chin",
                        info="Paint under masks that are pulled down and leave the mouth free.",
                        elem_id="chin",
                    )
                    if not part.sliders:
                        gr.Markdown(NO_LOOK, elem_id="no-look", elem_classes="hint")
    with gr.Column(elem_id="more"):
        guesses = guess_board("guesses")
        pairs = gr.Gallery(
            label="Each face, before and after",
            format="jpeg",
            columns=2,
            object_fit="contain",
            elem_id="pairs",
            interactive=False,
            buttons=["fullscreen"],
        )
        with gr.Accordion("Correct the masks", open=False, elem_id="correct"):
            gr.Markdown(
                "Choose a face, repaint its mask or leave the face out, then fill again. In the "
                "last picture, the whole photo, you can mark a mask that was missed.",
                elem_classes="hint",
            )
            editor = mask_editor("editor")
            refill = gr.Button("Fill again", variant="primary", elem_id="again")
    file = gr.JSON(visible="hidden")

    shown = [visit, words, slider, pairs, guesses]
    settings = [blend, others]
    corrections = [visit, editor, *settings]

    def added(given: Any, chin: bool, blend: Blend, others: int) -> tuple[Any, ...]:
        path = photo_path(given, MASKED_EXAMPLES)
        if path is None:
            raise ImageError("add a photo first")
        state, view = start(uncoverer, path, results_folder(), blend, chin, 1 + others)
        return *_values(state, view), view.editor, *part.as_guessed()

    def look_again(
        state: Visit | None, chin: bool, blend: Blend, others: int, asked: Asked
    ) -> tuple[Any, ...]:
        path = _there(state).path
        state, view = start(uncoverer, path, results_folder(), blend, chin, 1 + others, asked)
        return *_values(state, view), view.editor

    def correct(
        state: Visit | None, answer: Any, blend: Blend, others: int, asked: Asked
    ) -> tuple[Any, ...]:
        place, count = results_folder(), 1 + others
        state, view = again(uncoverer, _there(state), answer, place, blend, count, asked)
        return _values(state, view)

    def pick(state: Visit | None, board: Any) -> tuple[Any, ...]:
        state, view = take(_there(state), *_picked(board), results_folder())
        return _values(state, view)

    def prepare(state: Visit | None, kind: str, label: bool) -> dict[str, str]:
        path = download(_there(state), results_folder(), kind, label)
        return {"url": file_url(path), "name": path.name}

    def prepare_one(state: Visit | None, board: Any, kind: str, label: bool) -> dict[str, str]:
        picked, _ = take(_there(state), *_picked(board), results_folder())
        return prepare(picked, kind, label)

    heavy: dict[str, Any] = {"trigger_mode": "always_last", "js": BUSY, **HEAVY, **PRIVATE}
    looked = gr.on(
        [photo.upload, go.click],
        told(added),
        [photo, chin, *settings],
        [*shown, editor, *part.shown],
        show_progress_on=[photo, slider],
        **heavy,
    )
    looked.failure(None, js=REFUSED, **PRIVATE)
    once_more = chin.input(
        told(look_again),
        [visit, chin, *settings, part.asked],
        [*shown, editor],
        show_progress_on=[slider],
        **heavy,
    )
    corrected = gr.on(
        [refill.click, blend.input, others.input],
        told(correct),
        [*corrections, part.asked],
        shown,
        show_progress_on=[slider, guesses],
        **heavy,
    )
    running = [looked, once_more, corrected]
    repainted = {"show_progress_on": [slider], **heavy}
    for name, slid in part.sliders.items():

        def asked_for(*given: Any, name: str = name) -> tuple[Any, ...]:
            *rest, asked, value = given
            asked = {**asked, name: float(value)}
            return *correct(*rest, asked), *part.as_asked(asked)

        inputs = [*corrections, part.asked, slid]
        running.append(slid.input(told(asked_for), inputs, [*shown, *part.shown], **repainted))
    if part.reset:

        def unasked(*rest: Any) -> tuple[Any, ...]:
            return *correct(*rest, {}), *part.as_guessed()

        inputs, outputs = corrections, [*shown, *part.shown]
        running.append(part.reset.click(told(unasked), inputs, outputs, **repainted))
    light: dict[str, Any] = {**LIGHT, **PRIVATE}
    guesses.select(told(pick), [visit, guesses], shown, show_progress_on=[slider], **light)
    for event, function, inputs in (
        (save.click, prepare, [visit, kind, label]),
        (guesses.download, prepare_one, [visit, guesses, kind, label]),
    ):
        made = event(told(function), inputs, file, show_progress_on=[save], **light)
        made.success(None, file, None, js=SAVE, **PRIVATE)
    for one in running:  # the one does not come after a failure, the other only then
        one.then(None, js=IDLE, **PRIVATE)
        one.failure(None, js=IDLE, **PRIVATE)
    stop.click(None, js=STOPPED, cancels=running, **PRIVATE)
    nothing = [None, "", None, None, None, None]
    gr.on(
        [forget.click, photo.clear], lambda: nothing, None, [*shown, editor], queue=False, **PRIVATE
    )
    forget.click(None, js=FORGET, **PRIVATE)
    scroll_to(refill.click, photo, "slider")


def _there(state: Visit | None) -> Visit:
    if state is None:
        raise ImageError("add a photo first")
    return state


def _picked(board: Any) -> tuple[int, int]:
    """Which face and which guess was picked on the board."""
    try:
        return int(board["pick"]["face"]), int(board["pick"]["guess"])
    except (KeyError, TypeError, ValueError):
        raise ImageError("this guess is gone: ask for other guesses anew") from None


def _values(state: Visit, view: Shown) -> tuple[Any, ...]:
    """What a result puts into visit, words, slider, pairs and guesses."""
    pictures = compared(Path(view.before), view.after, view.size, view.boxes)
    board: Any = gr.skip()
    if view.guesses is not None:
        items = [
            {"picture": picture_url(p), "caption": words, "face": face, "guess": guess}
            for p, words, face, guess in view.guesses
        ]
        board = {"token": state.token, "items": items} if items else None
    return state, view.words, pictures, view.pairs, board
