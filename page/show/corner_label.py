"""A visible label in the corner of a painted picture, for those who want more than metadata."""

from __future__ import annotations

from PIL import Image, ImageDraw, ImageFont

TEXT = "partly generated: a guess, not an identification"


def with_corner_label(image: Image.Image, text: str = TEXT) -> Image.Image:
    """A copy with `text` on a dark plate in the lower right corner.

    The letters are at most a thirtieth of the shorter side high and shrink until the text fits
    the width. Pictures without room for legible letters (under about 200 px) get them at 8 px,
    cut off at the left.

    Args:
        image: any mode.

    Returns:
        An image of the same size; "RGBA" if the input has transparency, else "RGB".
    """
    see_through = image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info
    labelled = image.convert("RGBA" if see_through else "RGB")
    if labelled is image:
        labelled = image.copy()
    draw = ImageDraw.Draw(labelled)
    size = max(8, round(min(image.size) / 30))
    while size > 8 and draw.textlength(text, font=ImageFont.load_default(size)) > image.width - 8:
        size -= 1
    font = ImageFont.load_default(size)
    left, top, right, bottom = draw.textbbox((0, 0), text, font=font)
    pad = max(2, size // 3)
    x0 = image.width - (right - left) - 2 * pad
    y0 = image.height - (bottom - top) - 2 * pad
    plate = (20, 20, 20), (255, 255, 255)
    fill, ink = ((*colour, 255) if see_through else colour for colour in plate)
    draw.rectangle((x0, y0, image.width, image.height), fill=fill)
    draw.text((x0 + pad - left, y0 + pad - top), text, fill=ink, font=font)
    return labelled
