"""Masks made by hand or by other programs: which pixels they mark."""

from __future__ import annotations

from dataclasses import dataclass
from os import PathLike
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from uncover.errors import ImageError
from uncover.images.files import read_image
from uncover.images.photo import Photo

MaskLike = str | PathLike[str] | bytes | IO[bytes] | Image.Image | NDArray[Any]

_HALF = 127
_ONE_COLOUR = 24  # levels that opaque pixels may differ by and still be one paint


@dataclass(frozen=True)
class _LikeAPhoto:
    """A mask file is taken for a photo by mistake if more than a `share` of its pixels lies between
    `low` and `high`, in more than so many `levels`: so do 22 of 25 photos, of masks blurred by a
    fifth of their width a fifth of the pixels does."""

    low: int = 47
    high: int = 208
    share: float = 0.3
    levels: int = 100


_PHOTO = _LikeAPhoto()


def read_mask(mask: MaskLike, photo: Photo, may_be_empty: bool = False) -> NDArray[np.bool_]:
    """Read a mask: True where to paint.

    White (over 127) or any bright colour marks. Where only two values are used and the lower one is
    0, the other one marks (masks of 0 and 1). Of a picture with transparent parts, one paint that
    covers less than half marks; else what is transparent marks, as after an eraser.

    Args:
        mask: a path, the bytes of a file or an open file, a PIL image, or a bool or uint8 (H, W)
            array, of the photo's size.
        may_be_empty: whether a mask that marks nothing is one.

    Returns:
        bool (H, W).

    Raises:
        ImageError: unreadable, of another size than the photo, or it is not clear what is marked.
    """
    if isinstance(mask, np.ndarray):
        if mask.ndim != 2 or mask.dtype not in (np.bool_, np.uint8):
            raise ImageError(
                f"a mask is a bool or uint8 array (H, W), not {mask.dtype} {mask.shape}: give "
                "mask.astype(bool), one channel of it"
            )
        painted = mask if mask.dtype == np.bool_ else _marked(mask)
    else:
        painted = _of_picture(read_image(mask))
    if painted.shape != (photo.height, photo.width):
        raise ImageError(
            f"the mask is {painted.shape[1]}x{painted.shape[0]} but the photo is "
            f"{photo.width}x{photo.height} (upright): give a mask of the photo's size"
        )
    if not may_be_empty and not painted.any():
        raise ImageError("the mask is empty: paint white (over 127) where the face is to be filled")
    return painted


def _of_picture(picture: Photo) -> NDArray[np.bool_]:
    native = picture.native
    if native is not None and (native.mode in ("RGBA", "LA") or "transparency" in native.info):
        rgba = np.asarray(native.convert("RGBA"))
        alpha = rgba[..., 3]
        solid = alpha > max(int(alpha.max()) // 2, 1)
        if not solid.any():
            raise ImageError("the mask is transparent everywhere: paint where the face is hidden")
        if not solid.all():
            return _of_cutout(rgba[..., :3], solid)
    if native is not None and native.mode in ("I;16", "I", "F"):
        deep = np.asarray(native)
        if len(values := np.unique(deep)) == 2 and values[0] == 0:
            return np.asarray(deep > 0)
    levels = picture.rgb.max(-1)  # red or green paint marks as white does
    between = (levels > _PHOTO.low) & (levels < _PHOTO.high)
    if between.mean() > _PHOTO.share and len(np.unique(levels)) > _PHOTO.levels:
        raise ImageError(
            "the mask looks like a photo: give a picture that is white where the face is to be "
            "filled and black elsewhere"
        )
    return _marked(levels)


def _of_cutout(rgb: NDArray[np.uint8], solid: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """What a picture with transparent parts marks."""
    shown = rgb[solid].astype(int)
    black_and_white = ((shown.max(-1) < 32) | (shown.min(-1) > 223)).all() and np.ptp(shown) > 200
    if black_and_white:
        return np.asarray(solid & (rgb.max(-1) > _HALF))
    one_paint = np.percentile(np.abs(shown - np.median(shown, 0)).max(-1), 95) <= _ONE_COLOUR
    return solid if one_paint and solid.mean() < 0.5 else ~solid


def _marked(levels: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """What grey levels mark: over 127, or the upper one of two where the lower one is 0."""
    bright = levels > _HALF
    if bright.any():
        return bright
    values = np.unique(levels)
    if len(values) == 2 and values[0] == 0:
        return levels > 0
    if len(values) > 2:
        raise ImageError(
            f"the mask has {len(values)} levels, none over {_HALF}: paint white (255) where the "
            "face is to be filled and black elsewhere (of a label map, choose one label)"
        )
    return bright
