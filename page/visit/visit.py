"""One visitor's photo, from upload to download: what a page keeps between two clicks.

Nothing here is shared between visitors, and nothing of the photo stays in memory: a `Visit` knows
its files and the faces found, a few kilobytes each.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import io
import secrets
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from page.show import GUESS, draw_faces, face_pair, guess_pictures, summary, with_corner_label
from page.visit.correction import (
    Correction,
    Region,
    fill_again,
    make_regions,
    region_image,
    region_mask,
    to_photo_size,
)
from uncover.errors import ImageError, UncoverError
from uncover.images import Photo, read_image, write_image
from uncover.paint import Blend
from uncover.pipeline import Uncoverer
from uncover.results import Face, Result

KEPT = 900
"""Seconds for which result files are kept."""
MOST_PAIRS = 24
_SHOWN_BY_BROWSERS = ("JPEG", "PNG", "WEBP")
_PNG_URL = "data:image/png;base64,"
_LONGEST_URL = 4_000_000


@dataclass(frozen=True, eq=False)
class Visit:
    """What belongs to one uploaded photo.

    Attributes:
        token: names this visit; answers that carry another one are out of date.
        path: the uploaded photo.
        faces: as found, before any correction.
        regions: where masks can be corrected.
        painted: the result as a PNG.
    """

    token: str
    path: Path
    faces: tuple[Face, ...]
    regions: tuple[Region, ...]
    painted: Path


@dataclass(frozen=True, eq=False)
class Shown:
    """What a page shows of a result.

    Attributes:
        before, after: picture files of equal size.
        found: uint8 (h, w, 3), the photo with each face's box, label and score.
        pairs: (picture, caption) of each painted face, before and after.
        guesses: (picture, caption) of each answer to each painted face and of where they differ;
            empty where one answer was asked for.
        words: a few sentences in Markdown.
    """

    before: Path
    after: Path
    found: NDArray[np.uint8]
    pairs: list[tuple[NDArray[np.uint8], str]]
    guesses: list[tuple[NDArray[np.uint8], str]]
    words: str


def one_line(error: Exception, paths: Sequence[Path] = ()) -> str:
    """An error's message for the visitor: one sentence, without the server's folders."""
    text = str(error)
    for path in paths:
        text = text.replace(str(path), path.name)
    text = " ".join(text.split())
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")


def open_photo(path: Path) -> Photo:
    """Read an uploaded photo.

    Raises:
        ImageError: it cannot be used, or it was deleted meanwhile.
    """
    if not path.is_file():
        raise ImageError("this photo was deleted, as all are after a few minutes: add it anew")
    return read_image(path)


def start(
    uncoverer: Uncoverer,
    path: Path,
    folder: Path,
    blend: Blend,
    fill_chin: bool,
    samples: int = 1,
) -> tuple[Visit, Shown]:
    """Find and fill the faces of an uploaded photo.

    Args:
        folder: where result files are put, each in a folder of its own.
        samples: how many different faces to paint; the first is the one that is kept.

    Raises:
        UncoverError: the photo cannot be used, or the weights have one answer to a face.
    """
    photo = open_photo(path)
    result = uncoverer(photo, blend=blend, fill_chin=fill_chin, samples=samples)
    regions = make_regions(result.faces, photo.width, photo.height)
    painted = _saved(result, path, folder)
    visit = Visit(secrets.token_hex(8), path, tuple(result.faces), regions, painted)
    return visit, _shown(result, path, painted)


def again(
    uncoverer: Uncoverer,
    visit: Visit,
    answer: Mapping[str, Any] | None,
    folder: Path,
    blend: Blend,
    samples: int = 1,
) -> tuple[Visit, Shown]:
    """Fill the photo of a visit again, with what came back from the mask editor.

    Raises:
        UncoverError: the photo is gone, or the answer belongs to another photo or is malformed.
    """
    corrections = read_answer(visit, answer)
    photo = open_photo(visit.path)
    result = fill_again(uncoverer, photo, visit.faces, visit.regions, corrections, blend, samples)
    painted = _saved(result, visit.path, folder)
    return replace(visit, painted=painted), _shown(result, visit.path, painted)


def download(visit: Visit, folder: Path, kind: str, label: bool) -> Path:
    """The result as a file to take home, with the photo's metadata and the note in it.

    Args:
        kind: "PNG" or "JPEG".
        label: draw the visible label into the corner.
    """
    if not visit.painted.is_file():
        raise ImageError("the result was deleted after a few minutes: add the photo anew")
    if kind == "PNG" and not label:
        return visit.painted
    source = open_photo(visit.path)
    with Image.open(visit.painted) as picture:
        picture.load()
        image = picture.copy()
    return _written(image, visit.painted.stem, folder, kind, label, source)


def write_result(result: Result, path: Path, folder: Path, kind: str, label: bool) -> Path:
    """Write a result into a folder of its own under `folder`, named after the photo `path`."""
    return _written(result.image, f"{path.stem}_uncovered", folder, kind, label, result.photo)


def _written(
    image: Image.Image, stem: str, folder: Path, kind: str, label: bool, source: Photo
) -> Path:
    ending = {"PNG": "png", "JPEG": "jpg"}.get(kind)
    if ending is None:
        raise UncoverError(f"choose PNG or JPEG, not {kind}")
    out = own_folder(folder) / f"{stem}.{ending}"
    return write_image(with_corner_label(image) if label else image, out, source)


def for_editor(visit: Visit) -> dict[str, Any]:
    """All regions with picture and mask as data URLs, for the mask editor in the browser."""
    photo = open_photo(visit.path)
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
                "image": _url(Image.fromarray(region_image(photo.rgb, region)), "JPEG"),
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
    image.save(stream, kind, quality=88) if kind == "JPEG" else image.save(stream, kind)
    return f"data:image/{kind.lower()};base64,{base64.b64encode(stream.getvalue()).decode()}"


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


def _saved(result: Result, path: Path, folder: Path) -> Path:
    return write_result(result, path, folder, "PNG", label=False)


def _shown(result: Result, path: Path, painted: Path) -> Shown:
    before = path
    if result.photo.native is not None or result.photo.format not in _SHOWN_BY_BROWSERS:
        before = painted.with_name(f"{path.stem}_before.png")
        Image.fromarray(result.photo.rgb).save(before, compress_level=1)
    pairs = [
        (face_pair(result.photo.rgb, result.pixels, face), f"Face {number}: {GUESS}")
        for number, face in enumerate(result.faces, 1)
        if face.reason is None
    ]
    found = draw_faces(result.photo.rgb, result.faces)
    guesses = guess_pictures(result, MOST_PAIRS)
    return Shown(before, painted, found, pairs[:MOST_PAIRS], guesses, summary(result))
