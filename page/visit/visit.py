"""One visitor's photo, from upload to download: what a page keeps between two clicks.

Nothing here is shared between visitors, and nothing of the photo stays in memory: a `Visit` knows
its files and the faces found, a few kilobytes each.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from page.show import (
    GUESS,
    FoundBox,
    GuessPicture,
    face_pair,
    found_boxes,
    guess_pictures,
    is_large,
    summary,
)
from page.visit.correction import Region, fill_again, make_regions
from page.visit.editor import for_editor, read_answer
from page.visit.kept import keep, own_folder, painted, preview, written
from uncover.errors import ImageError, UncoverError
from uncover.images import Photo, read_image
from uncover.pipeline import Uncoverer
from uncover.results import Face, Result
from uncover.settings import Blend

MOST_PAIRS = 24
Look = Mapping[str, float]
"""What is asked of the faces: smile, open and beard, 0..1 each, those that are not guessed."""


@dataclass(frozen=True, eq=False)
class Visit:
    """What belongs to one uploaded photo.

    Attributes:
        token: names this visit; answers that carry another one are out of date.
        path: the uploaded photo.
        faces: as found, before any correction.
        regions: where masks can be corrected.
        results: the faces as they were painted or left alone.
        kept: file of the painted pixels.
        samples: how many answers each painted face has.
        choices: place of a painted face in `results` -> which answer it takes, if not the first.
    """

    token: str
    path: Path
    faces: tuple[Face, ...]
    regions: tuple[Region, ...]
    results: tuple[Face, ...] = ()
    kept: Path = Path()
    samples: int = 1
    choices: Mapping[int, int] = field(default_factory=dict)

    @property
    def filled(self) -> list[Face]:
        """The faces that were painted; they come first in `results`."""
        return [face for face in self.results if face.reason is None]


@dataclass(frozen=True, eq=False)
class Shown:
    """What a page shows of a result.

    Attributes:
        before, after: preview files of equal size; after is None where nothing was painted.
        size: (width, height) of the photo.
        boxes: where the faces are, with words.
        pairs: (picture, caption) of each painted face, before and after; none of a face so large
            that the photo itself shows it as well.
        guesses: every answer to each painted face, and where they differ; empty where one answer
            was asked for, None where they are as before.
        words: a few sentences in Markdown.
        editor: for the mask editor; None where it is as before.
    """

    before: Path
    after: Path | None
    size: tuple[int, int]
    boxes: list[FoundBox]
    pairs: list[tuple[NDArray[np.uint8], str]]
    guesses: list[GuessPicture] | None
    words: str
    editor: dict[str, Any] | None = None


def one_line(error: Exception, paths: Sequence[Path] = ()) -> str:
    """An error's message for the visitor: one sentence, without the server's folders.

    It begins with a capital letter, unless that would change a file's name.
    """
    text = str(error)
    for path in paths:
        text = text.replace(str(path), path.name)
    text = " ".join(text.split())
    if not any(text.startswith(path.name) for path in paths):
        text = text[:1].upper() + text[1:]
    return text + ("" if text.endswith((".", "!", "?")) else ".")


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
    look: Look | None = None,
) -> tuple[Visit, Shown]:
    """Find and fill the faces of an uploaded photo.

    Args:
        folder: where result files are put, each in a folder of its own.
        samples: how many different faces to paint; the first is the one that is kept.
        look: how the faces shall look.

    Raises:
        UncoverError: the photo cannot be used, the weights have one answer to a face, or they
            cannot be told a look.
    """
    photo = open_photo(path)
    result = uncoverer(photo, blend=blend, fill_chin=fill_chin, samples=samples, **(look or {}))
    regions = make_regions(result.faces, photo.width, photo.height)
    visit = Visit(secrets.token_hex(8), path, tuple(result.faces), regions)
    visit, shown = _shown(visit, result, folder)
    return visit, replace(shown, editor=for_editor(visit, photo))


def again(
    uncoverer: Uncoverer,
    visit: Visit,
    answer: Mapping[str, Any] | None,
    folder: Path,
    blend: Blend,
    samples: int = 1,
    look: Look | None = None,
) -> tuple[Visit, Shown]:
    """Fill the photo of a visit again, with what came back from the mask editor.

    Raises:
        UncoverError: the photo is gone, or the answer belongs to another photo or is malformed.
    """
    corrections = read_answer(visit, answer)
    photo = open_photo(visit.path)
    result = fill_again(
        uncoverer, photo, visit.faces, visit.regions, corrections, blend, samples, look
    )
    return _shown(visit, result, folder)


def take(visit: Visit, face: int, guess: int, folder: Path) -> tuple[Visit, Shown]:
    """Take another answer to one face; the other faces stay.

    Args:
        face: its place among the painted ones, from 0.
        guess: which answer, from 0.

    Raises:
        UncoverError: there is no such face or answer, or the photo is gone.
    """
    if not (0 <= face < len(visit.filled) and 0 <= guess < visit.samples):
        raise UncoverError("this guess is gone: ask for other guesses anew")
    visit = replace(visit, choices={**visit.choices, face: guess})
    photo = open_photo(visit.path)
    pixels = painted(photo, visit.filled, visit.kept, visit.choices)
    result = Result(photo, pixels, list(visit.results), photo.warnings)
    return visit, replace(_view(visit, result, folder), guesses=None)


def download(visit: Visit, folder: Path, kind: str, label: bool) -> Path:
    """The result as a file to take home, with the photo's metadata and the note in it.

    Args:
        kind: "PNG" or "JPEG".
        label: draw the visible label into the corner.

    Raises:
        UncoverError: photo or result are gone, or no such kind.
    """
    photo = open_photo(visit.path)
    pixels = painted(photo, visit.filled, visit.kept, visit.choices)
    image = photo.repainted(pixels, [(face.rect, face.patch) for face in visit.filled])
    return written(image, f"{visit.path.stem}_uncovered", folder, kind, label, photo)


def _shown(visit: Visit, result: Result, folder: Path) -> tuple[Visit, Shown]:
    """The visit with a new result kept, and what is shown of it."""
    visit = replace(
        visit,
        results=tuple(result.faces),
        kept=keep(result, own_folder(folder) / "painted.npz"),
        samples=1 + len(result.others),
        choices={},
    )
    return visit, _view(visit, result, folder)


def _view(visit: Visit, result: Result, folder: Path) -> Shown:
    own, stem = own_folder(folder), visit.path.stem
    photo, filled = result.photo, result.filled
    after = preview(result.pixels, own / f"{stem}_uncovered.jpg") if filled else None
    pairs = [
        (face_pair(photo.rgb, result.pixels, face), f"Face {number}: {GUESS}")
        for number, face in enumerate(filled, 1)
        if len(filled) > 1 or not is_large(face)
    ]
    return Shown(
        before=preview(photo.rgb, own / f"{stem}_before.jpg"),
        after=after,
        size=(photo.width, photo.height),
        boxes=found_boxes(result.faces, photo.width, photo.height),
        pairs=pairs[:MOST_PAIRS],
        guesses=guess_pictures(result, MOST_PAIRS),
        words=summary(result),
    )
