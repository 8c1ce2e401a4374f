"""A little drawing surface for charts: text, boxes and lines in crisp double resolution."""

from __future__ import annotations

import io
from functools import lru_cache
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from uncover.atomic import write_atomically

SCALE = 2
INK, GREY, FAINT, PAPER = (34, 34, 38), (112, 112, 120), (224, 224, 228), (255, 255, 255)
COLOURS = (
    *((0, 114, 178), (213, 94, 0), (0, 158, 115), (204, 121, 167)),
    *((86, 180, 233), (230, 159, 0), (90, 90, 90)),
)
"""Okabe and Ito's palette, told apart by colour-blind readers as well."""

Rgb = tuple[int, int, int]
_GOOD_TO_BAD: tuple[Rgb, ...] = ((252, 250, 222), (254, 196, 120), (226, 98, 72), (122, 24, 74))


class Canvas:
    """Coordinates are in points; the picture has `SCALE` pixels a point."""

    def __init__(self, width: float, height: float) -> None:
        size = (round(width * SCALE), round(height * SCALE))
        self.image = Image.new("RGB", size, PAPER)
        self.draw = ImageDraw.Draw(self.image)

    def text(
        self, x: float, y: float, text: str, size: float = 12, fill: Rgb = INK, anchor: str = "lm"
    ) -> None:
        """Write a line; anchor as in Pillow ("lm": x is its left end, y its middle)."""
        self.draw.text((x * SCALE, y * SCALE), text, fill, _font(size), anchor)

    def box(self, x0: float, y0: float, x1: float, y1: float, fill: Rgb) -> None:
        """A filled rectangle."""
        self.draw.rectangle((x0 * SCALE, y0 * SCALE, x1 * SCALE - 1, y1 * SCALE - 1), fill)

    def line(
        self, x0: float, y0: float, x1: float, y1: float, fill: Rgb = INK, width: float = 1
    ) -> None:
        """A straight line."""
        ends = (x0 * SCALE, y0 * SCALE, x1 * SCALE, y1 * SCALE)
        self.draw.line(ends, fill, max(1, round(width * SCALE)))

    def dot(self, x: float, y: float, radius: float, fill: Rgb) -> None:
        """A filled circle."""
        x, y, r = x * SCALE, y * SCALE, radius * SCALE
        self.draw.ellipse((x - r, y - r, x + r, y + r), fill, PAPER, SCALE)

    def save(self, path: Path) -> None:
        """Write a PNG."""
        buffer = io.BytesIO()
        self.image.save(buffer, "PNG", optimize=True)
        write_atomically(path, buffer.getvalue())


def text_width(text: str, size: float) -> float:
    """Width of a line of text in points."""
    return float(_font(size).getlength(text)) / SCALE


def shade(badness: float) -> Rgb:
    """Pale for 0 (the best shown) to dark for 1 (the worst shown)."""
    place = min(max(badness, 0.0), 1.0) * (len(_GOOD_TO_BAD) - 1)
    low = min(int(place), len(_GOOD_TO_BAD) - 2)
    part = place - low
    a, b = _GOOD_TO_BAD[low], _GOOD_TO_BAD[low + 1]
    red, green, blue = (round(p + (q - p) * part) for p, q in zip(a, b, strict=True))
    return red, green, blue


def ink_on(background: Rgb) -> Rgb:
    """Black or white, whichever can be read on it."""
    light = 0.299 * background[0] + 0.587 * background[1] + 0.114 * background[2]
    return INK if light > 140 else PAPER


@lru_cache(maxsize=32)
def _font(size: float) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size * SCALE)
