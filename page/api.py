"""The public functions: for gradio_client, and as MCP tools."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr

from page.show import GUESS, draw_faces
from page.tabs import HEAVY, photo_input, results_folder, told
from page.visit import open_photo, write_result
from uncover.errors import ImageError
from uncover.pipeline import Uncoverer


def add_api(uncoverer: Uncoverer) -> None:
    """Add the endpoints /uncover, /detect and /fill to the page; nothing of them is shown."""

    def uncover(photo: str, blend: str, fill_chin: bool, kind: str, label: bool) -> Any:
        """Find face masks in a photo and paint a plausible face under each. It is a guess, never
        an identification; pixels outside the masks do not change.

        Args:
            photo: the photo, as a file.
            blend: "feather" (soft edge) or "poisson" (gradients match the skin).
            fill_chin: also paint under masks worn on the chin.
            kind: "PNG" keeps unpainted pixels exactly, "JPEG" is smaller.
            label: draw a visible label into the corner.

        Returns:
            The painted photo, and what was found: size, faces (box, label, score, whether and why
            not filled), warnings.
        """
        result = uncoverer(open_photo(_given(photo)), blend=blend, fill_chin=fill_chin)
        path = write_result(result, Path(photo), results_folder(), kind, label)
        return str(path), {**result.to_dict(), "note": GUESS}

    def detect(photo: str, fill_chin: bool) -> Any:
        """Find the faces in a photo and say of each whether it wears a mask, without painting.

        Args:
            photo: the photo, as a file.
            fill_chin: count masks worn on the chin as masks to be filled.

        Returns:
            Faces, each with box (x0, y0, x1, y1 in pixels), label, score and mask outline, and
            the photo with the boxes drawn in.
        """
        opened = open_photo(_given(photo))
        faces = uncoverer.detect(opened, fill_chin=fill_chin)
        return [face.to_dict() for face in faces], draw_faces(opened.rgb, faces)

    def fill(photo: str, mask: str, blend: str) -> Any:
        """Paint a plausible face exactly where a mask picture is white. It is a guess.

        Args:
            photo: the photo, as a file.
            mask: a picture of the photo's size, white where to paint, black elsewhere.
            blend: "feather" or "poisson".

        Returns:
            The painted photo as PNG, and the faces that were painted.
        """
        opened = open_photo(_given(photo))
        result = uncoverer.fill(opened, _given(mask), blend=blend)
        path = write_result(result, Path(photo), results_folder(), "PNG", False)
        return str(path), {**result.to_dict(), "note": GUESS}

    with gr.Column(visible=False):
        photo, mask = photo_input(label="photo"), photo_input(label="mask")
        blend = gr.Radio(["feather", "poisson"], value="feather", label="blend")
        chin = gr.Checkbox(False, label="fill_chin")
        kind = gr.Radio(["PNG", "JPEG"], value="PNG", label="kind")
        label = gr.Checkbox(False, label="label")
        picture = gr.Image(type="filepath", format="png", label="picture", interactive=False)
        report = gr.JSON(label="report")
        button = gr.Button()
    for function, inputs, outputs in (
        (uncover, [photo, blend, chin, kind, label], [picture, report]),
        (detect, [photo, chin], [report, picture]),
        (fill, [photo, mask, blend], [picture, report]),
    ):
        button.click(
            told(function),
            inputs,
            outputs,
            api_name=function.__name__,
            api_visibility="public",
            **HEAVY,
        )


def _given(path: str | None) -> Path:
    if path is None:
        raise ImageError("a photo is missing")
    return Path(path)
