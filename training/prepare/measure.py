"""What `training.prepare` does with one picture: open, find the face, pose, sharpness, split."""

from __future__ import annotations

import hashlib
import io
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from training.prepare.readers import SourceItem, hash_split
from uncover.errors import ImageError
from uncover.faces import FaceRecord, estimated_pose, find_landmarks, sharpness
from uncover.images import read_image


class Unusable(Exception):
    """A picture that is left out; the message is the reason for failed.csv."""


@dataclass(frozen=True)
class MeasureSettings:
    """How pictures are judged. `split`: the one for all pictures that have none, None = by hash."""

    val_share: float = 0.05
    test_share: float = 0.05
    split: str | None = None
    min_age: int = 0


def read_rgb(data: bytes) -> np.ndarray:
    """Upright uint8 (H, W, 3) RGB from a file's bytes. Raises Unusable with the reason."""
    if not data:
        raise Unusable("unreadable: the file is empty")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(data)) as picture:
                return read_image(picture).rgb
    except Image.UnidentifiedImageError:
        raise Unusable("unreadable: not a picture") from None
    except (ImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise Unusable(f"unreadable: {' '.join(str(error).split())}") from error


def measure(root: Path, item: SourceItem, settings: MeasureSettings) -> FaceRecord:
    """The manifest record of one picture. Raises Unusable with the reason to leave it out."""
    if item.problem is not None:
        raise Unusable(item.problem)
    if item.path.startswith("/") or ".." in item.path.split("/"):
        raise Unusable("the path leads out of the data set's folder")
    if item.age is not None and item.age < settings.min_age:
        raise Unusable("younger than --min-age")
    file = root / item.path
    try:
        item.path.encode()
        data = file.read_bytes()
    except UnicodeEncodeError:
        raise Unusable("the file name is not UTF-8") from None
    except FileNotFoundError:
        raise Unusable("file not found") from None
    except OSError as error:
        raise Unusable(f"unreadable: {error.strerror}") from error
    image = read_rgb(data)
    landmarks = find_landmarks(image, tolerant=True)
    if landmarks is None:
        raise Unusable("no face found")
    height, width = image.shape[:2]
    try:
        estimated = estimated_pose(landmarks, width, height)
    except ValueError as error:
        raise Unusable(f"no pose: {error}") from error
    pose = dict(zip(("yaw", "pitch", "roll"), estimated, strict=True)) | dict(item.pose)
    digest = hashlib.sha256(data).hexdigest()
    split = item.split or settings.split
    return FaceRecord(
        path=item.path,
        file=file,
        split=split or hash_split(item.identity or digest, settings.val_share, settings.test_share),
        identity=item.identity,
        ethnicity=item.ethnicity,
        gender=item.gender,
        age=item.age,
        sharpness=sharpness(image, landmarks),
        width=width,
        height=height,
        sha256=digest,
        landmarks=landmarks,
        **pose,
    )


def measure_chunk(
    root: Path, items: Iterable[SourceItem], settings: MeasureSettings
) -> tuple[list[list[str]], list[list[str]]]:
    """Manifest rows of the usable items and (path, reason) of the others, both in order."""
    rows: list[list[str]] = []
    failures: list[list[str]] = []
    for item in items:
        try:
            rows.append(measure(root, item, settings).to_row())
        except Unusable as unusable:
            path = item.path.encode(errors="backslashreplace").decode()
            failures.append([path, str(unusable)])
    return rows, failures
