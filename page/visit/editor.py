"""What goes to the mask editor in the browser, and what comes back from it."""

from __future__ import annotations

import base64
import binascii
import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from page.visit.correction import Correction, region_image, region_mask, to_photo_size
from uncover.errors import ImageError, UncoverError
from uncover.images import Photo

if TYPE_CHECKING:
    from page.visit.visit import Visit

_PNG_URL = "data:image/png;base64,"
_LONGEST_URL = 4_000_000


def for_editor(visit: Visit, photo: Photo) -> dict[str, Any]:
    """All regions with picture and mask as data URLs, for the mask editor in the browser."""
    regions = []
    for region in visit.regions:
        face = None if region.face is None else visit.faces[region.face]
        mask = region_mask(face, region)
        regions.append(
            {
                "title": region.title,
                "width": region.size[0],
                "height": region.size[1],
                "on": face is None or face.reason is None,
                "whole": face is None,
                "image": picture_url(region_image(photo.rgb, region)),
                "mask": _url(Image.fromarray(mask.astype(np.uint8) * 255), "PNG"),
            }
        )
    return {"token": visit.token, "regions": regions}


def read_answer(visit: Visit, answer: Mapping[str, Any] | None) -> list[Correction]:
    """Check what the mask editor sent back.

    Args:
        answer: {"token", "regions": [{"on": bool, "mask": PNG data URL or None if unchanged}]}.

    Raises:
        UncoverError: it belongs to another photo, or is not of that form.
    """
    if not isinstance(answer, Mapping) or answer.get("token") != visit.token:
        raise UncoverError("the mask editor was not ready yet: wait a moment and try again")
    given = answer.get("regions")
    if not isinstance(given, Sequence) or len(given) != len(visit.regions):
        raise UncoverError("the mask editor shows another photo: add the photo anew")
    corrections = []
    for entry, region in zip(given, visit.regions, strict=True):
        if not isinstance(entry, Mapping) or not isinstance(entry.get("mask"), str | None):
            raise UncoverError("the mask editor sent something unreadable: add the photo anew")
        url = None if "image" in entry else entry["mask"]  # as sent by `for_editor`: untouched
        mask = None if url is None else to_photo_size(_mask_from_url(url, region.size), region)
        corrections.append(Correction(bool(entry.get("on")), mask))
    return corrections


def picture_url(pixels: NDArray[np.uint8]) -> str:
    """A small picture, uint8 (h, w, 3), as a JPEG data URL."""
    return _url(Image.fromarray(pixels), "JPEG")


def _mask_from_url(url: str, size: tuple[int, int]) -> NDArray[np.bool_]:
    if not url.startswith(_PNG_URL) or len(url) > _LONGEST_URL:
        raise ImageError("a corrected mask must be a small PNG picture")
    try:
        data = base64.b64decode(url[len(_PNG_URL) :], validate=True)
        with Image.open(io.BytesIO(data), formats=("PNG",)) as picture:
            if picture.size != size:
                raise ImageError(f"a corrected mask must be {size[0]}x{size[1]} pixels")
            return np.asarray(picture.convert("L")) > 127
    except (OSError, ValueError, SyntaxError, binascii.Error):
        raise ImageError("a corrected mask cannot be read: paint it again") from None


def _url(image: Image.Image, kind: str) -> str:
    stream = io.BytesIO()
    image.save(stream, kind, quality=85) if kind == "JPEG" else image.save(stream, kind)
    return f"data:image/{kind.lower()};base64,{base64.b64encode(stream.getvalue()).decode()}"
