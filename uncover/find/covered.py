"""Faces that something other than a mask covers: a hand, a cup, a sheet of paper, a scarf.

The detector has seen masks and what hides a face like one; the segmenter knows mask pixels. A find
that the detector is sure is masked, and on which the segmenter sees no mask, is such a face.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from uncover.crop import FaceCrop
from uncover.faces import FACE_68, five_points
from uncover.masking import MaskStyle, mask_alpha
from uncover.results import Face
from uncover.settings import Settings

COVERED = "covered"
_USUAL = MaskStyle(kind="cloth", fit=0.5, top=0.5, width=0.8, fastening="none")


def is_covered(face: Face, settings: Settings) -> bool:
    """Whether a face without mask pixels is surely hidden by something: the detector is surer than
    `Settings.trusted_score` that it wears a mask. `face` has the detector's own label."""
    return face.score > settings.trusted_score


@cache
def usual_mask(side: int) -> NDArray[np.bool_]:
    """Where a mask that is worn as it should be lies on the mean face: bool (side, side) of an
    upright frame. The same array comes each time: do not write in it."""
    flat = FACE_68[:, :2]
    points = FaceCrop.from_points(five_points(flat), side).to_crop(flat)
    usual = mask_alpha(points.astype(np.float32), (side, side), _USUAL) > 0.5
    usual.flags.writeable = False
    return usual
