"""Good files of every kind, and what damage makes of them; the same for the same number."""

from __future__ import annotations

import io
import json
import random
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from uncover.errors import UncoverError
from uncover.faces.manifest import (
    MANIFEST_COLUMNS,
    MANIFEST_VERSION,
    iter_manifest,
    write_info,
)
from uncover.images import read_image, read_mask
from uncover.weights import read_config
from uncover.weights.header import read_header

ROOT = Path(__file__).parents[2]
EDGES = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF, 2**63 - 1)
HEAD = 256
"""Most damage is done here: what a file says about itself stands at its start."""
ROW = ("a.png", "train", "", "asian", "female", "30", "1.0", "2.0", "3.0", "9.5", "24", "16")
MANIFEST = (
    ",".join(MANIFEST_COLUMNS) + "\n" + ",".join([*ROW, "0" * 64, " ".join(["1.5"] * 136)]) + "\n"
)


def pictures() -> list[bytes]:
    """A small picture in each format."""
    found = []
    levels = np.random.default_rng(0).integers(0, 256, (16, 24, 3)).astype(np.uint8)
    for kind, mode in (
        ("PNG", "RGB"), ("PNG", "P"), ("PNG", "I;16"), ("JPEG", "RGB"), ("JPEG", "CMYK"),
        ("TIFF", "RGB"), ("TIFF", "F"), ("WEBP", "RGBA"), ("GIF", "P"), ("BMP", "RGB"),
        ("PPM", "RGB"),
    ):  # fmt: skip
        stream = io.BytesIO()
        image = Image.fromarray(levels)
        image = image.convert("L").convert(mode) if mode in ("I;16", "F") else image.convert(mode)
        exif = Image.Exif()
        exif[274], exif[271] = 6, "maker"
        options = {"exif": exif} if kind in ("PNG", "JPEG", "WEBP") else {}
        image.save(stream, kind, **options)
        found.append(stream.getvalue())
    return found


def mask() -> bytes:
    """A mask of 24 x 16 pixels."""
    stream = io.BytesIO()
    painted = np.zeros((16, 24), np.uint8)
    painted[4:12, 6:18] = 255
    Image.fromarray(painted).save(stream, "PNG")
    return stream.getvalue()


def header() -> bytes:
    """A safetensors file with two tensors."""
    text = json.dumps(
        {
            "a": {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 16]},
            "b": {"dtype": "I64", "shape": [1], "data_offsets": [16, 24]},
        }
    ).encode()
    return struct.pack("<Q", len(text)) + text + bytes(24)


def damaged(data: bytes, draw: random.Random) -> bytes:
    """The file with one to four faults."""
    raw = bytearray(data)
    for _ in range(draw.randint(1, 4)):
        end = len(raw) if draw.random() < 0.3 else min(len(raw), HEAD)
        at = draw.randrange(max(1, end))
        kind = draw.randrange(6)
        if kind == 0 and raw:
            raw[min(at, len(raw) - 1)] ^= 1 << draw.randrange(8)
        elif kind == 1:
            raw[at : at + 1] = draw.randbytes(draw.randint(0, 8))
        elif kind == 2:
            size = draw.choice((1, 2, 4, 8))
            value = draw.choice(EDGES) % 2 ** (8 * size)
            raw[at : at + size] = value.to_bytes(size, draw.choice(("little", "big")))
        elif kind == 3:
            del raw[at:]
        elif kind == 4:
            start = draw.randrange(max(1, len(raw)))
            raw[at:at] = raw[start : start + draw.randint(1, 64)]
        else:
            word = draw.choice((b"null", b"-1", b"1e999", b"NaN", b"[]", b'"', b",", b"\n", b"\0"))
            raw[at : at + len(word)] = word
    return bytes(raw)


def attempts(folder: Path) -> list[tuple[str, list[bytes], Callable[[bytes], object]]]:
    """(what it is, good files of it, what reads one); the readers write into `folder`."""
    photo = read_image(np.zeros((16, 24, 3), np.uint8))

    def as_file(name: str, read: Callable[[Path], object]) -> Callable[[bytes], object]:
        def reads(data: bytes) -> object:
            (folder / name).write_bytes(data)
            return read(folder / name)

        return reads

    write_info(folder, {"version": MANIFEST_VERSION, "root": "."})
    config = (ROOT / "weights" / "config.json").read_bytes()
    return [
        ("picture", pictures(), read_image),
        ("mask", [mask()], as_file("mask.png", lambda path: read_mask(path, photo))),
        ("config.json", [config], as_file("config.json", lambda path: read_config(path.parent))),
        ("safetensors header", [header()], as_file("a.safetensors", read_header)),
        (
            "manifest",
            [MANIFEST.encode()],
            as_file("manifest.csv", lambda path: list(iter_manifest(path.parent))),
        ),
    ]


def run(folder: Path, first: int, count: int) -> dict[str, tuple[int, int]]:
    """Read inputs `first` to `first + count`; returns how many of each kind were read, refused.

    Raises:
        AssertionError: one was neither; names its number.
    """
    kinds = attempts(folder)
    found = {name: (0, 0) for name, _, _ in kinds}
    for number in range(first, first + count):
        draw = random.Random(number)
        name, good, read = kinds[number % len(kinds)]
        data = damaged(draw.choice(good), draw)
        taken, refused = found[name]
        try:
            read(data)
            found[name] = taken + 1, refused
        except UncoverError as error:
            found[name] = taken, refused + 1
            if "\n" in str(error):
                raise AssertionError(f"input {number} ({name}): {error}") from error
        except Exception as error:
            raise AssertionError(f"input {number} ({name}): {error!r}") from error
    return found
