"""What is kept of a result between two clicks: the painted pixels alone, and small previews.

The whole picture is put together when somebody downloads it.
"""

from __future__ import annotations

import contextlib
import io
import secrets
import shutil
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from page.show import with_corner_label
from uncover.errors import ImageError, UncoverError
from uncover.images import Photo, write_image
from uncover.results import Face, Result

KEPT = 900
"""Seconds for which result files are kept."""
LONGEST = 1600
"""Longer side of a preview in pixels."""
MOST_BYTES = 420_000
"""Largest preview file."""
_QUALITIES = (92, 85, 75, 65, 50, 35, 20)


def own_folder(folder: Path) -> Path:
    """A new folder under an unguessable name; those older than `KEPT` seconds are deleted."""
    own = folder / secrets.token_hex(16)
    own.mkdir(parents=True)
    now = time.time()
    for old in folder.iterdir():
        with contextlib.suppress(OSError):
            if now - old.stat().st_mtime > KEPT:
                shutil.rmtree(old, ignore_errors=True)
    return own


def keep(result: Result, path: Path) -> Path:
    """Write the painted pixels of all samples of a result to `path`, an .npz file."""
    parts: dict[str, Any] = {}
    layers = (result.pixels, *result.others)
    for number, face in enumerate(result.filled):
        x0, y0, x1, y1 = face.rect
        parts[f"pixels{number}"] = np.stack([layer[y0:y1, x0:x1][face.patch] for layer in layers])
    np.savez(path, **parts)
    return path


def painted(
    photo: Photo, faces: Sequence[Face], kept: Path, choices: Mapping[int, int]
) -> NDArray[np.uint8]:
    """The painted photo, uint8 (H, W, 3), as it was kept.

    Args:
        faces: those that were filled, as the result lists them.
        choices: place of a face among them -> which sample it takes; 0 where it is not named.

    Raises:
        ImageError: what was kept was deleted.
    """
    pixels = photo.rgb.copy()
    try:
        with np.load(kept) as parts:
            for number, face in reversed(list(enumerate(faces))):  # larger faces lie on top
                x0, y0, x1, y1 = face.rect
                pixels[y0:y1, x0:x1][face.patch] = parts[f"pixels{number}"][choices.get(number, 0)]
    except OSError:
        raise ImageError("the result was deleted after a few minutes: add the photo anew") from None
    return pixels


def preview(rgb: NDArray[np.uint8], path: Path) -> Path:
    """Write a picture, uint8 (H, W, 3), as a JPEG of at most `LONGEST` pixels and `MOST_BYTES`."""
    scale = LONGEST / max(rgb.shape[:2])
    if scale < 1:
        size = max(1, round(rgb.shape[1] * scale)), max(1, round(rgb.shape[0] * scale))
        rgb = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)
    image = Image.fromarray(rgb)
    for quality in _QUALITIES:
        stream = io.BytesIO()
        image.save(stream, "JPEG", quality=quality, subsampling=0 if quality > 80 else 2)
        if stream.tell() <= MOST_BYTES:
            break
    path.write_bytes(stream.getvalue())
    return path


def write_result(result: Result, path: Path, folder: Path, kind: str, label: bool) -> Path:
    """Write a result into a folder of its own under `folder`, named after the photo `path`."""
    return written(result.image, f"{path.stem}_uncovered", folder, kind, label, result.photo)


def written(
    image: Image.Image, stem: str, folder: Path, kind: str, label: bool, source: Photo
) -> Path:
    """Write a picture to take home, with the photo's metadata and the note in it.

    Args:
        kind: "PNG" or "JPEG".
        label: draw the visible label into the corner.
    """
    ending = {"PNG": "png", "JPEG": "jpg"}.get(kind)
    if ending is None:
        raise UncoverError(f"choose PNG or JPEG, not {kind}")
    out = own_folder(folder) / f"{stem}.{ending}"
    return write_image(with_corner_label(image) if label else image, out, source)
