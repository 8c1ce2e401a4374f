"""Photos of known size with a known number of masked faces, the same everywhere.

The face is scikit-image's public-domain portrait of an astronaut, with masks drawn on it.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from uncover.errors import UncoverError
from uncover.faces import find_landmarks
from uncover.masking import draw_mask, random_style

_HEAD = slice(0, 240), slice(105, 345)


@dataclass(frozen=True)
class Scene:
    """width, height: of the photo. faces: masked faces in it, in a grid. portrait: side in pixels
    of the square picture that each face is shown in; the face is about 0.45 times as wide.
    """

    name: str
    width: int
    height: int
    faces: int
    portrait: int


SCENES = {
    scene.name: scene
    for scene in (
        Scene("1 face, 1280x960", 1280, 960, 1, 720),
        Scene("8 faces, 4000x3000", 4000, 3000, 8, 720),
    )
}


def draw_scene(scene: Scene) -> NDArray[np.uint8]:
    """uint8 (H, W, 3): portraits with drawn masks before a smooth wall; the same at every call.

    Raises:
        UncoverError: scikit-image is not installed.
    """
    rng = np.random.default_rng(scene.faces)
    photo = _wall(scene.width, scene.height, rng)
    bare, landmarks = _portrait(scene.portrait)
    across = max(1, round(float(np.sqrt(scene.faces * scene.width / scene.height))))
    down = int(np.ceil(scene.faces / across))
    fade = _fade(scene.portrait)
    for index in range(scene.faces):
        style = random_style(rng, kind="surgical", wear="worn", pattern="plain")
        masked, _ = draw_mask(bare, landmarks, style)
        if index % 2:
            masked = masked[:, ::-1]
        row, column = divmod(index, across)
        x = round((column + 0.5) * scene.width / across - scene.portrait / 2)
        y = round((row + 0.5) * scene.height / down - scene.portrait / 2)
        _blend(photo, masked, fade, x, y)
    return photo


def _portrait(side: int) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """The astronaut's head at that size, and its 68 landmarks."""
    try:
        from skimage.data import astronaut
    except ImportError:
        raise UncoverError(
            "the scenes need scikit-image: python -m pip install -e '.[speed]'"
        ) from None
    picture = np.ascontiguousarray(astronaut()[_HEAD])
    landmarks = find_landmarks(picture)
    if landmarks is None:
        raise UncoverError("no face is found in scikit-image's portrait: install uncover anew")
    grown = cv2.resize(picture, (side, side), interpolation=cv2.INTER_CUBIC)
    return grown, ((landmarks + 0.5) * (side / len(picture)) - 0.5).astype(np.float32)


def _wall(width: int, height: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Soft blotches with a little grain, so that it compresses like a photo."""
    coarse = rng.integers(110, 170, (6, 8, 1)) + rng.integers(-10, 10, (6, 8, 3))
    wall = cv2.resize(coarse.astype(np.uint8), (width, height), interpolation=cv2.INTER_CUBIC)
    tile = rng.integers(0, 12, (256, 256, 1)).astype(np.uint8)
    grain = np.tile(tile, (height // 256 + 1, width // 256 + 1, 3))[:height, :width]
    return cv2.add(wall, grain)


def _fade(side: int) -> NDArray[np.float32]:
    """float32 (side, side, 1): 1 on the head, falling to 0 towards the corners and edges."""
    y, x = (np.mgrid[:side, :side] + 0.5) / side - 0.5
    distance = np.hypot(x / 0.44, (y + 0.03) / 0.46)
    return np.clip((1 - distance) / 0.12, 0, 1).astype(np.float32)[..., None]


def _blend(
    photo: NDArray[np.uint8],
    picture: NDArray[np.uint8],
    weight: NDArray[np.float32],
    x: int,
    y: int,
) -> None:
    """Lay a picture onto a photo at (x, y), cut where it leaves the photo."""
    height, width = photo.shape[:2]
    x0, y0 = max(x, 0), max(y, 0)
    x1, y1 = min(x + picture.shape[1], width), min(y + picture.shape[0], height)
    inner = slice(y0 - y, y1 - y), slice(x0 - x, x1 - x)
    under = photo[y0:y1, x0:x1].astype(np.float32)
    mixed = under + weight[inner] * (picture[inner].astype(np.float32) - under)
    photo[y0:y1, x0:x1] = np.rint(mixed).astype(np.uint8)
