"""Photos with labelled face boxes, from COCO files, and the fixed split that keeps some apart."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from uncover.errors import UncoverError
from uncover.faces import MANIFEST_NAME, FaceRecord, read_manifest
from uncover.networks import LABELS


@dataclass(frozen=True)
class LabelledPhoto:
    """One photo's faces: ``boxes`` float32 (N, 4) x0, y0, x1, y1; ``labels`` int64 (N,), 1..3.

    Label ``i`` is ``LABELS[i - 1]``; 0 is left for background.
    """

    file: Path
    boxes: np.ndarray
    labels: np.ndarray


@dataclass(frozen=True)
class LabelledSet:
    """The photos of one COCO file; ``name`` is what the file is called, such as "train"."""

    name: str
    photos: tuple[LabelledPhoto, ...]

    def split(self, fraction: float) -> tuple[list[LabelledPhoto], list[LabelledPhoto]]:
        """(rest, held out): about ``fraction`` of the photos, chosen by file name for ever."""
        held = [p for p in self.photos if is_held_out(p.file.name, fraction)]
        rest = [p for p in self.photos if not is_held_out(p.file.name, fraction)]
        return rest, held


def is_held_out(name: str, fraction: float) -> bool:
    """A split that depends on the file's name alone: SHA-256, first four bytes, as a fraction."""
    digest = hashlib.sha256(name.encode()).digest()
    return int.from_bytes(digest[:4], "big") / 2**32 < fraction


def read_coco(annotations: Path, folder: Path) -> LabelledSet:
    """Reads a COCO file whose categories are named as :data:`uncover.networks.detector.LABELS`.

    Photos without a box are left out: nobody says whether they show no face or an unfound one.

    Raises:
        UncoverError: for a file that is not such JSON or that names an unknown category.
    """
    try:
        content = json.loads(annotations.read_text(encoding="utf-8"))
        names = {c["id"]: c["name"] for c in content["categories"]}
        unknown = sorted(set(names.values()) - set(LABELS))
        if unknown:
            raise UncoverError(f"{annotations}: unknown category {unknown[0]!r}; use {LABELS}")
        found: dict[int, list[tuple[list[float], int]]] = {}
        for item in content["annotations"]:
            label = LABELS.index(names[item["category_id"]]) + 1
            found.setdefault(item["image_id"], []).append((item["bbox"], label))
        files = {image["id"]: folder / image["file_name"] for image in content["images"]}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UncoverError(f"{annotations}: not a COCO file ({error}); check --data") from error
    photos = []
    for image_id, faces in sorted(found.items()):
        xywh = np.array([box for box, _ in faces], np.float32).reshape(-1, 4)
        boxes = np.concatenate([xywh[:, :2], xywh[:, :2] + xywh[:, 2:]], axis=1)
        labels = np.array([label for _, label in faces], np.int64)
        photos.append(LabelledPhoto(files[image_id], boxes, labels))
    return LabelledSet(annotations.stem, tuple(photos))


def with_subfolders(root: Path) -> list[Path]:
    """``root`` and its direct sub-folders, in order of name: where sets and manifests may lie."""
    return [root, *sorted(p for p in root.iterdir() if p.is_dir())]


def find_labelled_sets(root: Path) -> list[LabelledSet]:
    """Every ``NAME.json`` beside a folder ``NAME/``, in ``root`` and in its direct sub-folders.

    A set called "test" is left out: it is for the benchmark.
    """
    sets = []
    for folder in with_subfolders(root):
        for file in sorted(folder.glob("*.json")):
            pictures = file.with_suffix("")
            if pictures.is_dir() and file.stem != "test":
                sets.append(read_coco(file, pictures))
    return sets


def find_prepared_faces(root: Path) -> list[FaceRecord]:
    """The faces of every manifest of `training.prepare` in ``root`` and its direct sub-folders."""
    return [
        record
        for folder in with_subfolders(root)
        if (folder / MANIFEST_NAME).is_file()
        for record in read_manifest(folder)
    ]


def read_rgb(file: Path) -> np.ndarray:
    """A picture as uint8 (H, W, 3) RGB.

    Raises:
        UncoverError: missing or unreadable.
    """
    image = cv2.imread(str(file), cv2.IMREAD_COLOR)
    if image is None:
        raise UncoverError(f"{file}: cannot be read as a picture; check --data")
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
