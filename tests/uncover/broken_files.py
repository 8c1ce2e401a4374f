"""Files that are not the pictures their names promise."""

from __future__ import annotations

import io
import zlib

from PIL import Image
from skimage import data

PICTURE = Image.fromarray(data.astronaut()[:120, 150:310])


def png_header(width: int, height: int) -> bytes:
    """A PNG that says it has this size and has no pixels: decoding it cannot succeed."""
    stream = io.BytesIO()
    Image.new("L", (1, 1)).save(stream, "png")
    raw = bytearray(stream.getvalue())
    raw[16:24] = width.to_bytes(4, "big") + height.to_bytes(4, "big")
    raw[29:33] = zlib.crc32(bytes(raw[12:29])).to_bytes(4, "big")
    return bytes(raw)


def broken(kind: str) -> bytes:
    """The bytes of one kind of file that cannot be used."""
    stream = io.BytesIO()
    if kind == "cut jpeg":
        PICTURE.save(stream, "jpeg")
        return stream.getvalue()[:1500]
    if kind == "cut png":
        PICTURE.save(stream, "png")
        return stream.getvalue()[:3000]
    if kind == "cut webp":
        PICTURE.save(stream, "webp")
        return stream.getvalue()[:900]
    if kind == "cut gif":
        PICTURE.save(stream, "gif")
        return stream.getvalue()[:900]
    if kind == "huge":
        return png_header(20_000, 20_000)
    if kind == "large":
        return png_header(9_000, 9_000)
    return {"empty": b"", "text": b"hello there", "html": b"<html>" * 30}[kind]
