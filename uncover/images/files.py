"""Reading pictures of any kind into a `Photo`."""

from __future__ import annotations

import io
import os
import re
import struct
import warnings
import zlib
from os import PathLike
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from uncover.errors import ImageError
from uncover.images.kinds import (
    HEAD,
    is_heif,
    is_lfs_pointer,
    is_raw,
    is_raw_tiff,
    make_heif_readable,
    refuse_raw,
)
from uncover.images.photo import Photo, native_to_rgb, normalised_mode
from uncover.images.provenance import Words, exif_bytes

ImageLike = str | PathLike[str] | bytes | IO[bytes] | Image.Image | NDArray[np.uint8] | Photo

MAX_PIXELS = 80_000_000
"""Larger pictures are refused before they are decoded."""

_DECODE_ERRORS = (
    OSError, SyntaxError, ValueError, EOFError, KeyError, IndexError, TypeError, OverflowError,
    struct.error, zlib.error, MemoryError,
)  # fmt: skip
_STILL_FORMATS = {"MPO", "HEIF"}  # a camera's photo with a preview or depth picture beside it


def read_image(image: ImageLike) -> Photo:
    """Read a photo: EXIF orientation applied, any colour mode, first frame of an animation.

    Args:
        image: a path ("~" is your home folder), the bytes of a file, an open binary file, a PIL
            image, a uint8 (H, W, 3) RGB array (or (H, W), (H, W, 4)), or a Photo.

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
        return _from_file(local_path(image))
    if isinstance(image, bytes | bytearray | memoryview):
        return _from_bytes(bytes(image), "the picture", None)
    if callable(getattr(image, "read", None)):
        return _from_bytes(_all_of(image), "the picture", None)
    raise ImageError(
        f"cannot read a picture from {type(image).__name__}: give a path, the bytes of a file, an "
        "open binary file, a PIL image or a uint8 (H, W, 3) array"
    )


def local_path(given: str | PathLike[str]) -> Path:
    """The path that is meant: "~" is the home folder, "file:///..." a path.

    Raises:
        ImageError: it is the address of something on the network.
    """
    text = os.fsdecode(given)
    scheme = re.match(r"([A-Za-z][A-Za-z0-9+.-]+):/", text)
    if scheme and scheme[1].lower() == "file":
        return Path(url2pathname(urlsplit(text).path))
    if scheme or text.lower().startswith("data:"):
        short = text if len(text) <= 80 else f"{text[:77]}..."
        raise ImageError(f"{short} is an address: download the photo first, then give the file")
    if text.startswith("~") and not os.path.lexists(text):
        try:
            return Path(text).expanduser()
        except RuntimeError:  # nobody of that name
            return Path(text)
    return Path(text)


def _all_of(stream: Any) -> bytes:
    """The whole of an open file, wherever it stands."""
    try:
        if getattr(stream, "seekable", lambda: False)():
            stream.seek(0)
        raw = stream.read()
    except (OSError, ValueError) as error:
        raise ImageError(f"the file object cannot be read: {one_line(error)}") from None
    if not isinstance(raw, bytes | bytearray):
        raise ImageError('the file object gives text: open the photo with mode "rb"')
    return bytes(raw)


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
    try:
        if path.is_dir():
            raise ImageError(f"{path} is a folder, not a picture")
        if not path.is_file() and path.exists():  # a pipe such as <(...)
            return _from_bytes(path.read_bytes(), str(path), path)
        with path.open("rb") as stream:
            return _from_stream(stream, str(path), path)
    except FileNotFoundError:
        raise ImageError(f"{path} does not exist: check the name") from None
    except PermissionError:
        raise ImageError(f"{path} may not be read (permission denied)") from None
    except (OSError, ValueError) as error:
        raise ImageError(f"{path} cannot be read: {one_line(error)}") from None


def _from_bytes(raw: bytes, name: str, path: Path | None) -> Photo:
    return _from_stream(io.BytesIO(raw), name, path)


def _from_stream(stream: IO[bytes], name: str, path: Path | None) -> Photo:
    head = stream.read(HEAD)
    if not head:
        raise ImageError(f"{name} is empty (0 bytes): copy the photo again")
    if is_lfs_pointer(head):
        raise ImageError(f"{name} only names a picture that Git LFS keeps: run `git lfs pull`")
    if is_raw(head, name):
        raise refuse_raw(name)
    if is_heif(head):
        make_heif_readable(name)
    stream.seek(0)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of size and odd metadata; both are dealt with here
            with Image.open(stream) as opened:
                if is_raw_tiff(getattr(opened, "tag_v2", None)):
                    raise refuse_raw(name)
                return _from_pil(opened, name, path)
    except Image.DecompressionBombError:
        limit = MAX_PIXELS // 1_000_000
        raise ImageError(f"{name} is too large: shrink it to at most {limit} megapixels") from None
    except UnidentifiedImageError:
        raise ImageError(
            f"{name} is not a picture, or of a kind that cannot be read: give JPEG, PNG, TIFF, "
            "WebP or HEIC"
        ) from None
    except _DECODE_ERRORS as error:
        told = isinstance(error, OSError) and error.errno is not None  # by the system, not PIL
        what = "cannot be read" if told else "is damaged or cut short"
        raise ImageError(f"{name} {what}: {one_line(error)}") from None


def _from_pil(image: Image.Image, name: str, path: Path | None) -> Photo:
    _check_size(image.width, image.height, name)
    notes: list[str] = []
    frames = int(getattr(image, "n_frames", 1))
    if frames > 1 and image.format not in _STILL_FORMATS:
        notes.append(f"{name} has {frames} frames: only the first is used")
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
        raise ImageError(f"{name} is damaged or cut short: {one_line(error)}") from None
    exif, xmp = None, image.info.get("xmp")
    try:
        upright, exif = image, image.getexif()
        exif_bytes(exif)  # reads all of it while the file is open
        if exif.get(ExifTags.Base.Orientation, 1) != 1:
            upright = ImageOps.exif_transpose(image)
            xmp = upright.info.get("xmp")
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
        words=Words.of(image),
        path=path,
    )


def one_line(error: BaseException) -> str:
    """What went wrong, in the words of the system, on one line."""
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return " ".join(str(text).split()) or type(error).__name__
