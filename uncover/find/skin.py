"""Ears beside a mask: what has the colour of the face's own skin is not painted over.

Loops around an ear make the segmenter take the ear for mask in part. Straps and ear differ in
colour where the mask does not look like skin, and the skin between the eyes shows what that is.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from uncover.crop import TEMPLATE_5, opened
from uncover.find.overhang import OVERHANG, Overhang


@dataclass(frozen=True)
class SkinColour:
    """What is skin, and what an ear of it; chosen by eye on two samples of 100 web photos
    (docs/history.md).

    Attributes:
        brow: the skin to go by lies between the eyes, from the nose's tip up to so far above
            them, in sides of the wider frame.
        hue: so far from the skin's a and b in CIELAB is skin still,
        darker, lighter: and so far below and above it in L.
        least: of the frame must show skin, and mask, to say what they look like.
        agree: share of that skin that is like its median, or there is no one colour of skin.
        alike: with so much of the mask like skin the two cannot be told apart.
        no_mask, mask: below and above these probabilities a pixel is taken for face, for mask.
        ear: of the frame's side: what is narrower is no ear.
        loop: what is narrower is a strap, once the ear is taken out.
    """

    brow: float = 0.06
    hue: float = 9.0
    darker: float = 32.0
    lighter: float = 25.0
    least: float = 0.001
    agree: float = 0.4
    alike: float = 0.12
    no_mask: float = 0.1
    mask: float = 0.95
    ear: float = 0.027
    loop: float = 0.035


SKIN = SkinColour()


def skin_like(
    seen: NDArray[np.uint8], probability: NDArray[np.float32]
) -> NDArray[np.bool_] | None:
    """Where a wider frame shows broad areas in the colour of the face's skin.

    Args:
        seen: uint8 (S, S, 3), the wider frame.
        probability: float32 (S, S), that its pixels are mask.

    Returns:
        bool (S, S); None where too little skin or mask is in sight, or both look alike.
    """
    side = len(seen)
    lab = cv2.cvtColor(
        cv2.GaussianBlur(seen, (3, 3), 0).astype(np.float32) / 255, cv2.COLOR_RGB2LAB
    )
    eyes_nose = ((TEMPLATE_5[:3] - 0.5) / OVERHANG.reach + 0.5) * side
    (left, top), (right, _), (_, bottom) = eyes_nose.astype(int)
    between = np.zeros(probability.shape, bool)
    between[top - round(SKIN.brow * side) : bottom, left:right] = True
    between &= (
        cv2.dilate((probability > SKIN.no_mask).view(np.uint8), np.ones((5, 5), np.uint8)) == 0
    )
    mask = probability > SKIN.mask
    if min(between.mean(), mask.mean()) < SKIN.least:
        return None
    light, *hue = cv2.split(lab)
    middle = [float(np.median(plane[between])) for plane in (light, *hue)]
    skin = np.hypot(hue[0] - middle[1], hue[1] - middle[2]) < SKIN.hue
    skin &= (light > middle[0] - SKIN.darker) & (light < middle[0] + SKIN.lighter)
    if skin[between].mean() < SKIN.agree or skin[mask].mean() > SKIN.alike:
        return None
    return _opened(skin, SKIN.ear)


def without_ears(overhang: Overhang, skin: NDArray[np.bool_] | None) -> Overhang:
    """What lies outside a crop without ears: what is left of a loop around one is a strap.

    Args:
        skin: from `skin_like`; None changes nothing.
    """
    if skin is None:
        return overhang
    straps = overhang.straps
    bodies = []
    for wide in (overhang.short, overhang.large):
        body = wide
        if (wide & skin).any():
            left = wide & ~skin
            body = _opened(left, SKIN.loop) & left
            straps = straps | (left & ~body)
        bodies.append(body)
    return Overhang(straps, *bodies)


def _opened(region: NDArray[np.bool_], width: float) -> NDArray[np.bool_]:
    """A region without what is narrower than a disc of a width, in parts of the side."""
    return opened(region, max(1, round(width * len(region) / 2)))
