"""Settings of the pipeline, and what it asks of the networks behind it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, Literal, Protocol, get_args

import numpy as np
from numpy.typing import NDArray

from uncover.errors import UncoverError
from uncover.networks import Segmentation, SegmenterConfig

Blend = Literal["feather", "poisson"]
BLENDS: tuple[str, ...] = get_args(Blend)


@dataclass(frozen=True)
class Settings:
    """How faces are chosen and painted.

    What the defaults were chosen on (docs/history.md, docs/results.md): `min_box` on 40 small faces
    looked at and 300 labelled ones; `chin_box` on 60 val faces with drawn masks, of which 43 were
    found at 32 pixels, 49 at 48 and 50 at 64; `blend` by the step at the border and PSNR; `feather`
    on 21 real masks outlined by hand: beside a ring of it and the segmenter's margin no line of the
    mask stayed. `min_score`, `trusted_score` and `reported_score` were set by eye on real photos;
    not measured one by one. `whole_crop` and `batch` were set by reason.

    Attributes:
        min_score: faces that the detector is less sure of, 0..1, are not filled.
        min_box: faces whose box is narrower or lower than this many pixels are not filled.
        trusted_score: a face whose points do not look like a face is not filled when its score,
            0..1, is below this; one above it that shows no mask is covered by something else.
        chin_box: bare faces whose box is at least so many pixels wide and high are searched for a
            mask on the chin.
        fill_chin: also fill under masks that are pulled down to the chin.
        fill_any: also fill faces that something other than a mask covers, where a mask would lie.
        blend: "feather" or "poisson".
        feather: width of the soft outer ring as a fraction of the crop's side.
        reported_score: faces below this score, 0..1, are not even listed.
        whole_crop: `fill` takes a square picture up to this side in pixels as one face crop.
        batch: faces per pass through a network.
        samples: how many different faces to paint, 1 to 16; the first is the best guess.
        smile, open, beard: how the faces shall look, 0..1 each: how widely the mouth smiles, how
            far it opens, how dark beard and moustache are. None is the network's own best guess.
    """

    min_score: float = 0.5
    min_box: float = 20.0
    trusted_score: float = 0.9
    chin_box: float = 48.0
    fill_chin: bool = False
    fill_any: bool = False
    blend: Blend = "feather"
    feather: float = 0.005
    reported_score: float = 0.2
    whole_crop: int = 512
    batch: int = 16
    samples: int = 1
    smile: float | None = None
    open: float | None = None
    beard: float | None = None

    def __post_init__(self) -> None:
        if self.blend not in BLENDS:
            raise UncoverError(f"blend must be one of {', '.join(BLENDS)}, not {self.blend!r}")
        if not 0 <= self.min_score <= 1:
            raise UncoverError(f"the smallest score lies in 0..1, not {self.min_score:g}")
        if not 1 <= self.samples <= 16:
            raise UncoverError(f"samples must lie in 1..16, not {self.samples}")
        for name, value in self.look.items():
            if not 0 <= value <= 1:
                raise UncoverError(f"{name} must lie in 0..1, not {value:g}")

    @property
    def look(self) -> dict[str, float]:
        """What is asked of the faces: smile, open and beard, those that are not None."""
        asked = {"smile": self.smile, "open": self.open, "beard": self.beard}
        return {name: value for name, value in asked.items() if value is not None}


class Detector(Protocol):
    """Finds faces; see `uncover.networks.detector.MaskDetector.detect`."""

    def detect(self, images: Sequence[NDArray[np.uint8]]) -> Sequence[Any]: ...


class Segmenter(Protocol):
    """Finds mask pixels and face points; see `uncover.networks.segmenter.MaskSegmenter.segment`."""

    @property
    def config(self) -> SegmenterConfig: ...

    def segment(self, crops: NDArray[np.uint8]) -> Segmentation: ...


class Painter(Protocol):
    """Paints holes in crops; see `uncover.networks.generator.Generator.fill`."""

    config: Any

    def fill(
        self, crops: NDArray[np.uint8], masks: NDArray[np.bool_], **told: Any
    ) -> NDArray[np.uint8]: ...

    def sample(
        self, crops: NDArray[np.uint8], masks: NDArray[np.bool_], count: int, **told: Any
    ) -> NDArray[np.uint8]: ...


class Detailer(Protocol):
    """Adds detail at twice a painter's resolution; see `uncover.networks.Enlarger.enlarge`."""

    config: Any

    def enlarge(
        self, answers: NDArray[np.uint8], crops: NDArray[np.uint8], masks: NDArray[np.bool_]
    ) -> NDArray[np.uint8]: ...


Watch = Callable[[str], AbstractContextManager[None]]
"""Called with the name of a stage ("detect", "align", "segment", "fill" or "paste"); what it gives
is entered for as long as that stage runs."""


def unwatched(stage: str) -> AbstractContextManager[None]:
    """The `Watch` of those who want to know nothing of the stages."""
    return nullcontext()
