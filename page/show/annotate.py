"""Pictures that explain a result: faces with box and label, and each face before and after."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from uncover.crop import Rect
from uncover.results import Face, Reason

GUESS = "A guess, not an identification."
"""Said wherever a generated face is shown."""

WORDS = {
    "with_mask": "mask",
    "without_mask": "no mask",
    "mask_worn_incorrectly": "mask worn incorrectly",
    "covered": "covered",
}
REASONS = {
    Reason.BARE: "left alone: no mask on it",
    Reason.TOO_SMALL: "left alone: too small",
    Reason.LOW_SCORE: "left alone: not sure that it is a face",
    Reason.NO_FACE: "left alone: not sure that it is a face",
    Reason.UNCLEAR: "left alone: it is not clear which way is up; turn the photo upright",
    Reason.ON_CHIN: "left alone: the mask hangs on the chin",
    Reason.NO_MASK: "left alone: no mask found on it",
    Reason.COVERED: "left alone: something else than a mask covers it",
}
# Told apart by colour-blind eyes too (Okabe and Ito, 2002); the number and the words say the same.
_COLOURS = {
    "with_mask": (0, 158, 115),
    "without_mask": (86, 180, 233),
    "mask_worn_incorrectly": (230, 159, 0),
    "covered": (204, 121, 167),
}
_LEFT_ALONE = (150, 150, 150)


def caption(face: Face, number: int) -> str:
    """One line on a face, such as "Face 1: mask, 98 % sure"."""
    words = WORDS.get(face.label, face.label.replace("_", " "))
    text = f"Face {number}: {words}, {face.score:.0%} sure"
    return text if face.reason is None else f"{text}; {REASONS.get(face.reason, face.reason)}"


class FoundBox(TypedDict):
    """A face that was found: its box (x0, y0, x1, y1) as shares of the photo's sides, words on it,
    and whether it was left alone."""

    box: list[float]
    text: str
    left: bool


def found_boxes(faces: Sequence[Face], width: int, height: int) -> list[FoundBox]:
    """The faces of a photo of that size, in the order in which they are numbered, from 1.

    Doubtful finds have no box.
    """
    found: list[FoundBox] = []
    for number, face in enumerate(faces, 1):
        sides = zip(face.box, (width, height, width, height), strict=True)
        box = [round(float(np.clip(value / side, 0, 1)), 4) for value, side in sides]
        words = f"{number} {WORDS.get(face.label, face.label)} {face.score:.0%}"
        if not face.doubtful:
            found.append({"box": box, "text": words, "left": face.reason is not None})
    return found


def is_large(face: Face, share: float = 0.4) -> bool:
    """Whether a face takes so much of the photo's shorter side that it need not be enlarged."""
    return max(face.sides) >= share * min(face.size)


def draw_faces(
    rgb: NDArray[np.uint8], faces: Sequence[Face], longest: int = 1600
) -> NDArray[np.uint8]:
    """The photo, shrunk to `longest` pixels, with each face's box, number, label and score.

    Doubtful finds are not drawn.

    Args:
        rgb: uint8 (H, W, 3).
        faces: in the order in which they are numbered, from 1.
        longest: largest side of the picture given back.

    Returns:
        uint8 (h, w, 3), a new array.
    """
    height, width = rgb.shape[:2]
    scale = min(1.0, longest / max(height, width))
    small = rgb
    if scale < 1:
        size = max(1, round(width * scale)), max(1, round(height * scale))
        small = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)
    picture = Image.fromarray(small)
    draw = ImageDraw.Draw(picture)
    line = max(2, round(max(picture.size) / 400))
    font = ImageFont.load_default(max(12, round(max(picture.size) / 50)))
    for number, face in reversed(list(enumerate(faces, 1))):
        if face.doubtful:
            continue
        colour = _LEFT_ALONE if face.reason else _COLOURS.get(face.label, _LEFT_ALONE)
        box = [v * scale for v in face.box]
        draw.rectangle(box, outline=colour, width=line)
        if face.polygon and len(face.polygon) > 2:
            outline = [(x * scale, y * scale) for x, y in face.polygon]
            draw.line([*outline, outline[0]], fill=colour, width=max(1, line // 2))
        words = f"{WORDS.get(face.label, face.label)} {face.score:.0%}"
        _tag(draw, (box[0], box[1]), f"{number} {words}", font, colour)
    return np.asarray(picture)


def _tag(
    draw: ImageDraw.ImageDraw,
    at: tuple[float, float],
    text: str,
    font: ImageFont.ImageFont | ImageFont.FreeTypeFont,
    colour: tuple[int, int, int],
) -> None:
    """Text on a plate of `colour` above `at`, moved so that it stays in the picture."""
    left, top, right, bottom = draw.textbbox((0, 0), text, font=font)
    wide, high = right - left + 8, bottom - top + 8
    picture_width, picture_height = draw.im.size
    x = max(0.0, min(at[0], picture_width - wide))
    y = at[1] - high if at[1] >= high else min(at[1], picture_height - high)
    draw.rectangle((x, y, x + wide, y + high), fill=colour)
    draw.text((x + 4 - left, y + 4 - top), text, fill=(0, 0, 0), font=font)


def zoom_rect(
    box: Sequence[float], shape: tuple[int, ...], margin: float = 0.3, least: int = 16
) -> Rect:
    """A square around a face as far as the picture (H, W, ...) reaches.

    Args:
        box: (x0, y0, x1, y1) in photo pixels.
        shape: of the photo.
        margin: added on each side, as a fraction of the box's longer side.
        least: smallest side in pixels, where the photo is that large.
    """
    height, width = shape[:2]
    x0, y0, x1, y1 = (float(v) for v in box)
    side = max((1 + 2 * margin) * max(x1 - x0, y1 - y0), float(least))
    side_x, side_y = round(min(side, width)), round(min(side, height))
    left = round(np.clip((x0 + x1) / 2 - side_x / 2, 0, width - side_x))
    top = round(np.clip((y0 + y1) / 2 - side_y / 2, 0, height - side_y))
    return left, top, left + side_x, top + side_y


def fitted(rgb: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """A picture resized so that its longer side is `side`; uint8 (h, w, 3)."""
    height, width = rgb.shape[:2]
    scale = side / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return cv2.resize(rgb, size, interpolation=how)


def face_pair(
    before: NDArray[np.uint8], after: NDArray[np.uint8], face: Face, side: int = 320
) -> NDArray[np.uint8]:
    """A face as it was and as it was painted, side by side; uint8 (h, about 2 * side, 3)."""
    x0, y0, x1, y1 = zoom_rect(face.box, before.shape)
    left, right = (fitted(picture[y0:y1, x0:x1], side) for picture in (before, after))
    gap = np.full((left.shape[0], max(2, side // 60), 3), 255, np.uint8)
    return np.concatenate([left, gap, right], axis=1)
