"""`Uncover`: batches of rows with photos in, the same rows with painted photos out."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from uncover.errors import UncoverError
from uncover.images import FORMATS, encoded, format_for, read_image
from uncover.pipeline import Uncoverer
from uncover.scale.together import Together
from uncover.status import Status, why_nothing


@dataclass(frozen=True)
class Outcome:
    """What became of one photo.

    Attributes:
        image: the painted photo's file; None where nothing was painted.
        reason: one line for people; "" for a filled photo.
        filled: faces that were painted.
        faces: every face found, as `Face.to_dict` gives it, as JSON.
    """

    image: bytes | None
    status: Status
    reason: str
    filled: int
    faces: str


class Uncover:
    """What to give to Ray Data's `map_batches`, to Spark's `mapInPandas`, or to call in a loop.

    The networks are loaded once, when an object is made. A photo that cannot be done becomes a row
    with status "failed" and a reason; it never ends the others. What is painted is a guess, never
    an identification.

    Args:
        weights, revision, device, backend: as for `Uncoverer.from_pretrained`.
        column: the column with the photos' files: bytes, or a struct {"bytes": ..., "path": ...}.
        at_once: photos in work at a time; their faces share passes through the networks.
        uncoverer: networks that are loaded already, in place of all but `column` and `at_once`.
        settings: fields of `Settings`; `batch` is the most faces in a pass.

    Raises:
        WeightsError, UncoverError: as `Uncoverer.from_pretrained`.
    """

    def __init__(
        self,
        weights: str | None = None,
        revision: str | None = None,
        device: str = "auto",
        backend: str = "torch",
        column: str = "image",
        at_once: int = 8,
        uncoverer: Uncoverer | None = None,
        **settings: Any,
    ) -> None:
        if settings.get("samples", 1) != 1:
            raise UncoverError("a row holds one picture: ask for one sample")
        uncoverer = uncoverer or Uncoverer.from_pretrained(
            weights, revision=revision, device=device, backend=backend, **settings
        )
        self.together = Together(uncoverer, at_once)
        self.column = column

    def __call__(self, batch: Mapping[str, Sequence[Any]]) -> dict[str, Any]:
        """The batch's columns, with these new or replaced, each an array with a value per row:

        the column of photos (bytes, None where nothing was painted; a struct stays one), `status`
        ("filled", "no_face", "no_masked_face", "not_filled", "failed"), `reason` ("" when filled),
        `filled` (int64, faces painted) and `faces` (JSON, as `Face.to_dict`).

        Raises:
            UncoverError: there is no such column.
        """
        if self.column not in batch:
            names = ", ".join(batch)
            raise UncoverError(f"no column {self.column!r} among {names}: name the photos' column")
        given = list(batch[self.column])
        found = self.outcomes([_bytes_of(value) for value in given])
        painted = [
            {**old, "bytes": new.image} if isinstance(old, Mapping) else new.image
            for old, new in zip(given, found, strict=True)
        ]
        columns: dict[str, Any] = dict(batch.items())
        columns[self.column] = _objects(painted)
        for name in ("status", "reason", "faces"):
            columns[name] = _objects([getattr(one, name) for one in found])
        columns["filled"] = np.array([one.filled for one in found], np.int64)
        return columns

    def outcomes(
        self, photos: Sequence[bytes | None], names: Sequence[str] | None = None
    ) -> list[Outcome]:
        """What became of each photo, given as the bytes of its file; never raises for one.

        names: of the results, whose endings say in which format; else it is the photo's own.
        """
        todo = list(zip(photos, names or [""] * len(photos), strict=True))
        return self.together.map(_done, todo)


def _done(uncoverer: Uncoverer, given: tuple[bytes | None, str]) -> Outcome:
    data, name = given
    try:
        if data is None:
            return Outcome(None, "failed", "there is no picture in this row", 0, "[]")
        result = uncoverer(read_image(data))
        faces = json.dumps(result.to_dict()["faces"])
        if not result.filled:
            status, why = why_nothing(result.faces)
            return Outcome(None, status, why, 0, faces)
        kind = FORMATS.get(Path(name).suffix.lower()) or format_for(result.photo)
        image = encoded(result.image, kind, result.photo)
        return Outcome(image, "filled", "", len(result.filled), faces)
    except UncoverError as error:
        return Outcome(None, "failed", str(error), 0, "[]")
    except Exception as error:  # a fault of ours in one photo must not stop the others
        text = " ".join(str(error).split())
        return Outcome(None, "failed", f"unexpected {type(error).__name__}: {text}", 0, "[]")


def _bytes_of(value: Any) -> bytes | None:
    value = value.get("bytes") if isinstance(value, Mapping) else value
    return None if value is None else bytes(value)


def _objects(values: list[Any]) -> np.ndarray:
    column = np.empty(len(values), object)
    column[:] = values
    return column
