"""Drawn photos as files, and an `Uncover` with stand-ins for the networks."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from tests.uncover.cli_scene import BOX, SceneDetector
from tests.uncover.fake_networks import draw_scene, make
from uncover.scale import Uncover


class EachAlone(SceneDetector):
    """Looks at each photo of several."""

    def detect(self, images: list[np.ndarray]) -> list[object]:
        return [super(EachAlone, self).detect([image])[0] for image in images]


BROKEN = b"no picture at all"


def masked(seed: int = 0, kind: str = "PNG") -> bytes:
    """The file of a photo with one masked face."""
    stream = io.BytesIO()
    Image.fromarray(draw_scene([BOX], seed=seed)).save(stream, kind)
    return stream.getvalue()


def empty() -> bytes:
    """The file of a photo without a face."""
    stream = io.BytesIO()
    Image.new("RGB", (40, 30)).save(stream, "PNG")
    return stream.getvalue()


def uncover(column: str = "image") -> Uncover:
    """One that finds the masked face of `masked`, and nothing in `empty`."""
    uncoverer = make([BOX])
    uncoverer.detector = EachAlone()  # type: ignore[assignment]
    return Uncover(column=column, uncoverer=uncoverer)
