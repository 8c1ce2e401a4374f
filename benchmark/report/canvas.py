"""A little drawing surface for sheets of faces: pictures and text in double resolution."""

from __future__ import annotations

import io
from functools import lru_cache
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from uncover.atomic import write_atomically

SCALE = 2
INK, GREY, PAPER = (34, 34, 38), (112, 112, 120), (255, 255, 255)
COLOURS = (
    *((0, 114, 178), (213, 94, 0), (0, 158, 115), (204, 121, 167)),
    *((86, 180, 233), (230, 159, 0), (90, 90, 90)),
)
"""Okabe and Ito's palette, told apart by colour-blind readers as well."""

Rgb = tuple[int, int, int]


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

    def save(self, path: Path) -> None:
        """Write a PNG."""
        buffer = io.BytesIO()
        self.image.save(buffer, "PNG", optimize=True)
        write_atomically(path, buffer.getvalue())


@lru_cache(maxsize=32)
def _font(size: float) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size * SCALE)
