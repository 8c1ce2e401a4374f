"""Writing results without losing anything of what the photo's file says about itself."""

from __future__ import annotations

import io
import logging
import struct
from os import PathLike
from pathlib import Path
from typing import Any

from PIL import ExifTags, Image, PngImagePlugin

from uncover.atomic import whole_file
from uncover.errors import ImageError
from uncover.images.files import one_line
from uncover.images.kinds import FORMATS
from uncover.images.photo import Photo, native_to_rgb
from uncover.images.provenance import (
    FOUND_MASK,
    NOTE,
    Words,
    exif_bytes,
    fitted_exif,
    marked_exif,
    marked_xmp,
)

JPEG_QUALITY = 95
_JPEG_EXIF, _JPEG_XMP = 65_533, 65_000  # bytes that one marker of a JPEG file holds
log = logging.getLogger("uncover")


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
    raw = encoded(image, format_name, source, str(path))
    write_picture(path, raw)
    return path


def write_picture(path: Path, raw: bytes) -> None:
    """Write a picture's file, all or nothing; through a link to where it points.

    Raises:
        ImageError: it cannot be written.
    """
    try:
        with whole_file(path, sync=False) as part:
            part.write_bytes(raw)
    except OSError as error:
        raise ImageError(f"cannot write {path}: {one_line(error)}") from None


def format_for(photo: Photo) -> str:
    """PIL's name of the format a result is written in where no name says it: the photo's own if
    that can be written, JPEG for HEIF, else PNG."""
    if photo.format in FORMATS.values():
        return str(photo.format)
    return "JPEG" if photo.format == "HEIF" else "PNG"


def made_here(path: Path) -> bool:
    """Whether a file carries the note of this program (BMP files cannot)."""
    try:
        raw = path.read_bytes()
    except OSError:
        return False
    return NOTE.encode() in raw or FOUND_MASK.encode() in raw


def encoded(
    image: Image.Image, format_name: str, source: Photo | None = None, name: str = "the picture"
) -> bytes:
    """The bytes of a picture file, as `write_image` writes them; `name` stands in warnings."""
    icc = source.icc if source is not None else image.info.get("icc_profile")
    ready, icc = _fit_mode(image, format_name, icc)
    options = _save_options(format_name, icc, source, name)
    stream = io.BytesIO()
    try:
        ready.save(stream, format=format_name, **options)
    except (ValueError, TypeError, KeyError, OverflowError, struct.error) as error:
        if source is None:
            raise ImageError(f"cannot write {name}: {one_line(error)}") from None
        log.warning("%s: metadata of the photo could not be written and was left out", name)
        return encoded(image, format_name, None, name)
    except OSError as error:
        raise ImageError(f"cannot write {name}: {one_line(error)}") from None
    return stream.getvalue()


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


def _save_options(
    format_name: str, icc: bytes | None, source: Photo | None, name: str
) -> dict[str, Any]:
    exif = marked_exif(source.exif if source is not None else None)
    xmp = marked_xmp(source.xmp if source is not None else None)
    words = source.words if source is not None else Words()
    dpi = {} if source is None or source.dpi is None else {"dpi": source.dpi}
    profile = {"icc_profile": icc}  # None too, or PIL would take one that no longer fits
    if format_name == "JPEG":
        exif, dropped = fitted_exif(exif, _JPEG_EXIF)
        if len(xmp) > _JPEG_XMP:
            xmp, dropped = marked_xmp(None), [*dropped, "XMP"]
        if dropped:
            what = ", ".join(dropped)
            log.warning("%s: too large for a JPEG file and left out: %s", name, what)
        jpeg = {"quality": JPEG_QUALITY, "subsampling": 0, "comment": words.comment_for_jpeg()}
        kept = {"extra": words.iptc} if words.iptc else {}
        return {**jpeg, **kept, "exif": exif_bytes(exif), "xmp": xmp, **dpi, **profile}
    if format_name == "PNG":
        text = PngImagePlugin.PngInfo()
        for key, value in words.for_png().items():
            text.add_itxt(key, value) if not value.isascii() else text.add_text(key, value)
        text.add_itxt("XML:com.adobe.xmp", xmp.decode("utf-8", "replace"))
        return {"pnginfo": text, "exif": exif_bytes(exif), "compress_level": 4, **dpi, **profile}
    if format_name == "WEBP":
        lossless = {"lossless": True, "quality": 60, "method": 2, "exact": True}
        return {**lossless, "exif": exif_bytes(exif), "xmp": xmp, **profile}
    if format_name == "TIFF":
        exif[ExifTags.Base.XMLPacket] = xmp
        exif_bytes(exif)  # and not its bytes, of which PIL reads the words anew
        return {"compression": "tiff_deflate", "exif": exif, **dpi, **profile}
    if format_name == "GIF":
        return {"comment": words.comment_for_jpeg()[:65_000]}
    return dpi  # BMP has no place for a note
