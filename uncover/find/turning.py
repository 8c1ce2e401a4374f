"""Photos that lie on their side or upside down: which way is up.

Detector and segmenter know upright heads. In a turned photo they find something all the same, and
a mouth would be painted on a forehead. A photo in which one face is beyond doubt lies upright.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from uncover.crop import Box, FaceCrop


@dataclass(frozen=True)
class Turning:
    """When another side of a photo is up; set on web photos, each turned four ways.

    Attributes:
        score, presence: the detector's and the segmenter's certainty from which on a face is beyond
            doubt.
        margin: by so much the logit of the best face's belief must grow in a turned photo.
        side: longer side in pixels at which a photo is looked at turned.
        faces: so many of a turned photo's finds are looked at closely.
    """

    score: float = 0.85
    presence: float = 0.9
    margin: float = 3.0
    side: int = 640
    faces: int = 3


TURNING = Turning()


@dataclass(frozen=True)
class Way:
    """A photo's turn into the upright, and how sure the best face in it is.

    Attributes:
        quarter: quarter turns, counter-clockwise, that make the photo upright.
        score, presence: of the best face, 0..1 each; 0 where there is none.
        belief: `uncover.find.tasks.believed` of the two.
    """

    quarter: int
    score: float = 0.0
    presence: float = 0.0
    belief: float = 0.0

    @property
    def sure(self) -> bool:
        """Whether the best face is beyond doubt."""
        return self.score >= TURNING.score and self.presence >= TURNING.presence

    @property
    def logit(self) -> float:
        p = float(np.clip(self.belief, 1e-9, 1 - 1e-9))
        return float(np.log(p / (1 - p)))


def chosen(upright: Way, turned: list[Way]) -> Way | None:
    """Which way is up: `upright` unless another one is beyond doubt and clearly better; None where
    another one is clearly better and not beyond doubt."""
    best = max(turned, key=lambda way: way.logit, default=upright)
    if best.logit < upright.logit + TURNING.margin:
        return upright
    return best if best.sure else None


def turned(rgb: NDArray[np.uint8], quarter: int) -> NDArray[np.uint8]:
    """A picture, uint8 (H, W, 3), turned by quarters, counter-clockwise."""
    return np.ascontiguousarray(np.rot90(rgb, quarter)) if quarter % 4 else rgb


def turned_back(box: Box, quarter: int, width: int, height: int) -> Box:
    """A box of a picture that was `turned`, in the picture of this size that it came from."""
    x0, y0, x1, y1 = box
    for step in range(quarter % 4, 0, -1):
        # Before its last quarter turn the picture was so wide:
        wide = width if step % 2 else height
        x0, y0, x1, y1 = wide - y1, x0, wide - y0, x1
    return x0, y0, x1, y1


def frame_of_box(box: Box, size: int, quarter: int = 0) -> FaceCrop:
    """`FaceCrop.from_box` in a photo that `quarter` turns make upright."""
    if quarter % 2:
        (x, y), across, down = _centre(box), (box[2] - box[0]) / 2, (box[3] - box[1]) / 2
        box = x - down, y - across, x + down, y + across
    return FaceCrop.from_box(box, size, 90.0 * quarter)


def _centre(box: Box) -> tuple[float, float]:
    return (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
