"""Reading pictures of any kind into a `Photo`, and writing results without losing anything."""

from __future__ import annotations

import contextlib
import os
import re
import struct
import warnings
import zlib
from os import PathLike
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageOps, PngImagePlugin, UnidentifiedImageError

from uncover.errors import ImageError
from uncover.images.photo import Photo, native_to_rgb, normalised_mode
from uncover.images.provenance import NOTE, SOFTWARE, marked_exif, marked_xmp

ImageLike = str | PathLike[str] | Image.Image | NDArray[np.uint8] | Photo
MaskLike = str | PathLike[str] | Image.Image | NDArray[Any]

MAX_PIXELS = 80_000_000
"""Larger pictures are refused before they are decoded."""

FORMATS = {
    ".jpg": "JPEG", ".jpeg": "JPEG", ".jpe": "JPEG", ".jfif": "JPEG", ".png": "PNG",
    ".webp": "WEBP", ".tif": "TIFF", ".tiff": "TIFF", ".bmp": "BMP", ".gif": "GIF",
}  # fmt: skip
"""File name endings that can be written, and PIL's names of their formats."""

JPEG_QUALITY = 95
_DECODE_ERRORS = (
    OSError, SyntaxError, ValueError, EOFError, KeyError, IndexError, TypeError, OverflowError,
    struct.error, zlib.error, MemoryError,
)  # fmt: skip
_STILL_FORMATS = {"MPO"}  # a camera's JPEG with a preview or depth picture behind the photo


def read_image(image: ImageLike) -> Photo:
    """Read a photo: EXIF orientation applied, any colour mode, first frame of an animation.

    Args:
        image: a path, a PIL image, a uint8 (H, W, 3) RGB array (or (H, W), (H, W, 4)), or a Photo.

    Raises:
        ImageError: it is not a picture, is damaged, or has more than `MAX_PIXELS` pixels.
    """
    if isinstance(image, Photo):
        return image
    if isinstance(image, np.ndarray):
        return _from_array(image)
    if isinstance(image, Image.Image):
        return _from_pil(image, "the picture", None)
    if isinstance(image, str | PathLike):
        return _from_file(Path(image))
    raise ImageError(
        f"cannot read a picture from {type(image).__name__}: give a path, PIL or array"
    )


def read_mask(mask: MaskLike, photo: Photo) -> NDArray[np.bool_]:
    """Read a mask: True (or brighter than 127) where to paint.

    Args:
        mask: a path, a PIL image, or a bool or uint8 (H, W) array, of the photo's size.

    Returns:
        bool (H, W).

    Raises:
        ImageError: unreadable, of another size than the photo, or nothing is marked.
    """
    if isinstance(mask, np.ndarray):
        if mask.ndim != 2 or mask.dtype not in (np.bool_, np.uint8):
            raise ImageError(
                f"a mask is a bool or uint8 array (H, W), not {mask.dtype} {mask.shape}"
            )
        painted = mask if mask.dtype == np.bool_ else mask > 127
    else:
        picture = read_image(mask)
        grey = cv2.cvtColor(picture.rgb, cv2.COLOR_RGB2GRAY)
        painted = grey > 127
        if picture.native is not None and picture.mode in ("RGBA", "LA"):
            painted &= np.asarray(picture.native.getchannel("A")) > 127
    if painted.shape != (photo.height, photo.width):
        raise ImageError(
            f"the mask is {painted.shape[1]}x{painted.shape[0]} but the photo is "
            f"{photo.width}x{photo.height} (upright): give a mask of the photo's size"
        )
    if not painted.any():
        raise ImageError("the mask is empty: paint white (over 127) where the face is to be filled")
    return painted


def _check_size(width: int, height: int, name: str) -> None:
    if width < 1 or height < 1:
        raise ImageError(f"{name} has no pixels ({width}x{height})")
    if width * height > MAX_PIXELS:
        raise ImageError(
            f"{name} is too large ({width}x{height}): shrink it to at most "
            f"{MAX_PIXELS // 1_000_000} megapixels"
        )


def _from_array(array: NDArray[Any]) -> Photo:
    good = array.ndim == 2 or (array.ndim == 3 and array.shape[2] in (3, 4))
    if array.dtype != np.uint8 or not good:
        raise ImageError(f"an array must be uint8 (H, W, 3) RGB, not {array.dtype} {array.shape}")
    _check_size(array.shape[1], array.shape[0], "the array")
    if array.ndim == 3 and array.shape[2] == 3:
        return Photo(rgb=np.ascontiguousarray(array))
    return _from_pil(Image.fromarray(np.ascontiguousarray(array)), "the array", None)


def _from_file(path: Path) -> Photo:
    if path.is_dir():
        raise ImageError(f"{path} is a folder, not a picture")
    try:
        if path.stat().st_size == 0:
            raise ImageError(f"{path} is empty (0 bytes)")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of size and odd metadata; both are dealt with here
            with Image.open(path) as opened:
                return _from_pil(opened, str(path), path)
    except FileNotFoundError:
        raise ImageError(f"{path} does not exist") from None
    except PermissionError:
        raise ImageError(f"{path} may not be read (permission denied)") from None
    except Image.DecompressionBombError:
        limit = MAX_PIXELS // 1_000_000
        raise ImageError(f"{path} is too large: shrink it to at most {limit} megapixels") from None
    except UnidentifiedImageError:
        raise ImageError(f"{path} is not a picture, or of a kind that cannot be read") from None
    except _DECODE_ERRORS as error:
        told = isinstance(error, OSError) and error.errno is not None  # by the system, not PIL
        what = "cannot be read" if told else "is damaged or cut short"
        raise ImageError(f"{path} {what}: {_one_line(error)}") from None


def _from_pil(image: Image.Image, name: str, path: Path | None) -> Photo:
    _check_size(image.width, image.height, name)
    notes: list[str] = []
    if getattr(image, "n_frames", 1) > 1 and image.format not in _STILL_FORMATS:
        notes.append(f"{name} has {image.n_frames} frames: only the first is used")
        if image.tell() != 0:
            image.seek(0)
    raw_modes = [str(tile[3]) for tile in getattr(image, "tile", ())]
    if any(re.search(";16[BLN]", raw) for raw in raw_modes) and image.mode[0] != "I":
        notes.append(f"{name} has 16 bits per channel: 8 are used")
    format_name = "JPEG" if image.format == "MPO" else image.format
    dpi, icc = image.info.get("dpi"), image.info.get("icc_profile")
    try:
        image.load()
    except _DECODE_ERRORS as error:
        raise ImageError(f"{name} is damaged or cut short: {_one_line(error)}") from None
    exif, xmp = None, image.info.get("xmp")
    try:
        upright, exif = image, image.getexif()
        if exif.get(ExifTags.Base.Orientation, 1) != 1:
            upright = ImageOps.exif_transpose(image)
            exif, xmp = upright.getexif(), upright.info.get("xmp")
        exif.tobytes()
    except _DECODE_ERRORS:
        upright, exif = image, None
        notes.append(f"{name}: its EXIF data is damaged and was ignored")
    native = normalised_mode(upright)
    rgb = native_to_rgb(native, icc)
    plain = native.mode == "RGB" and "transparency" not in native.info
    kept = None if plain else native.copy() if native is image else native
    return Photo(
        rgb=rgb,
        native=kept,
        format=format_name,
        exif=exif,
        icc=icc if isinstance(icc, bytes) and icc else None,
        xmp=xmp.encode() if isinstance(xmp, str) else xmp,
        dpi=dpi if isinstance(dpi, tuple) and len(dpi) == 2 else None,
        warnings=tuple(notes),
        path=path,
    )


def write_image(image: Image.Image, path: str | PathLike[str], source: Photo | None = None) -> Path:
    """Write a picture with the note that parts are generated; all or nothing.

    PNG, TIFF and WebP are written lossless. JPEG is written at quality 95 without chroma
    subsampling: its re-encoding changes pixels slightly everywhere. The format follows the name's
    ending; without one, the source's format is used.

    Args:
        image: the picture to write.
        path: where to.
        source: the photo it came from, for its EXIF data, profile and resolution.

    Returns:
        The path written.

    Raises:
        ImageError: the ending is unknown or the file cannot be written.
    """
    path = Path(path)
    if not path.suffix and source is not None and source.format in FORMATS.values():
        format_name = str(source.format)
    elif path.suffix.lower() in FORMATS:
        format_name = FORMATS[path.suffix.lower()]
    else:
        raise ImageError(f"cannot write {path}: its name must end in {', '.join(FORMATS)}")
    icc = source.icc if source is not None else image.info.get("icc_profile")
    ready, icc = _fit_mode(image, format_name, icc)
    options = _save_options(format_name, icc, source)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with part.open("wb") as stream:
            ready.save(stream, format=format_name, **options)
        part.replace(path)
    except OSError as error:
        raise ImageError(f"cannot write {path}: {_one_line(error)}") from None
    finally:
        with contextlib.suppress(FileNotFoundError):
            part.unlink()
    return path


def _fit_mode(
    image: Image.Image, format_name: str, icc: bytes | None
) -> tuple[Image.Image, bytes | None]:
    """The picture in a mode the format can hold, and the profile that still fits it."""
    mode = image.mode
    holds = {
        "JPEG": {"L", "RGB", "CMYK"},
        "WEBP": {"RGB", "RGBA"},
        "PNG": {"1", "L", "LA", "P", "RGB", "RGBA", "I;16", "I"},
        "TIFF": {"1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16", "I", "F"},
        "BMP": {"1", "L", "P", "RGB", "RGBA"},
        "GIF": {"1", "L", "P"},
    }[format_name]
    if mode in holds:
        return image, icc
    see_through = mode in ("RGBA", "LA") or "transparency" in image.info
    if mode in ("I;16", "I", "F", "CMYK"):
        rgb = Image.fromarray(native_to_rgb(image, icc))
        ready = rgb if mode == "CMYK" else rgb.convert("L")
        icc = None if mode == "CMYK" else icc
        return _fit_mode(ready, format_name, icc)
    if see_through and format_name in ("JPEG", "GIF"):
        rgba = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, rgba).convert("RGB")
        return _fit_mode(image, format_name, icc)
    if format_name == "GIF":
        return image.convert("RGB").quantize(256), icc
    grey_profile = mode in ("1", "L", "LA") and icc is not None
    return image.convert("RGBA" if see_through else "RGB"), None if grey_profile else icc


def _save_options(format_name: str, icc: bytes | None, source: Photo | None) -> dict[str, Any]:
    exif = marked_exif(source.exif if source is not None else None)
    xmp = marked_xmp(source.xmp if source is not None else None)
    dpi = {} if source is None or source.dpi is None else {"dpi": source.dpi}
    profile = {"icc_profile": icc}  # None too, or PIL would take one that no longer fits
    if format_name == "JPEG":
        jpeg = {"quality": JPEG_QUALITY, "subsampling": 0, "comment": NOTE}
        return {**jpeg, "exif": exif.tobytes(), "xmp": xmp, **dpi, **profile}
    if format_name == "PNG":
        text = PngImagePlugin.PngInfo()
        text.add_text("Software", SOFTWARE)
        text.add_text("Comment", NOTE)
        text.add_itxt("XML:com.adobe.xmp", xmp.decode("utf-8", "replace"))
        return {"pnginfo": text, "exif": exif.tobytes(), "compress_level": 4, **dpi, **profile}
    if format_name == "WEBP":
        lossless = {"lossless": True, "quality": 60, "method": 2, "exact": True}
        return {**lossless, "exif": exif.tobytes(), "xmp": xmp, **profile}
    if format_name == "TIFF":
        exif[ExifTags.Base.XMLPacket] = xmp
        return {"compression": "tiff_deflate", "exif": exif.tobytes(), **dpi, **profile}
    if format_name == "GIF":
        return {"comment": NOTE.encode()}
    return dpi  # BMP has no place for a note


def _one_line(error: BaseException) -> str:
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return " ".join(str(text).split()) or type(error).__name__
