"""What loaded weights do with drawn faces: the best, a typical and the worst of a fixed dozen.

Drawn faces are nobody's, so they may be shown; and what is shown is what these weights do, not
what others did once.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from page.tryon.tryon import SIDE, Masked, make_style, take_off
from uncover.crop import FaceCrop
from uncover.faces import draw_face, five_points
from uncover.images import psnr
from uncover.masking import KINDS, draw_mask
from uncover.pipeline import Uncoverer

COUNT = 12
TITLES = ("Best", "Typical", "Worst")
_COLOURS = ("#9fcbe0", "#f2f2ee", "#3b4a6b", "#51705a", "#2b2b2b")
_FIRST_SEED = 100
MOST_YAW = 30.0


@dataclass(frozen=True, eq=False)
class DrawnTrial:
    """One drawn face.

    Attributes:
        title: which of the dozen it is.
        strip: uint8 (256, 768, 3): the truth, with the mask, the guess.
        likeness: PSNR between guess and truth in the hole, in dB.
    """

    title: str
    strip: NDArray[np.uint8]
    likeness: float


def drawn_trials(uncoverer: Uncoverer, count: int = COUNT) -> list[DrawnTrial]:
    """The best, the median and the worst of `count` drawn faces, by PSNR in the hole.

    Faces turned by more than `MOST_YAW` are left out: drawings are least like photos there.
    """
    seeds = islice((s for s in itertools.count(_FIRST_SEED) if _frontal(s)), count)
    tried = sorted((_try(uncoverer, seed) for seed in seeds), key=lambda one: -one[0])
    places = 0, len(tried) // 2, len(tried) - 1
    return [
        DrawnTrial(title, tried[place][1], tried[place][0])
        for title, place in zip(TITLES, places, strict=True)
    ]


def _frontal(seed: int) -> bool:
    return abs(draw_face(seed, 32).yaw) <= MOST_YAW


def _try(uncoverer: Uncoverer, seed: int) -> tuple[float, NDArray[np.uint8]]:
    face = draw_face(seed, 320)
    style = make_style(KINDS[seed % 4], _COLOURS[seed % len(_COLOURS)], 0.35, seed=seed)
    image, alpha = draw_mask(face.image, face.landmarks, style)
    crop = FaceCrop.from_points(five_points(face.landmarks), SIDE)
    guess = take_off(uncoverer, Masked(face.image, image, alpha > 0.02, crop), lpips=False)
    three = (crop.extract(one) for one in (face.image, image, guess.result.pixels))
    hole = alpha > 0.02
    likeness = psnr(guess.result.pixels[hole], face.image[hole])
    return likeness, np.concatenate(list(three), axis=1)
