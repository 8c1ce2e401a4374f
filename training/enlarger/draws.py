"""Large faces to learn detail from: which photos have them, and draws of them, decoded one by one.

At the enlarger's resolution a photo takes megabytes, so none is kept decoded.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from torch.utils.data import Dataset

from training.data import AugmentSettings, draw_item, is_held_out, store_face
from uncover.crop import frame_face
from uncover.errors import UncoverError
from uncover.faces import FaceRecord, read_manifest


def photo_pixels(record: FaceRecord) -> float:
    """How many of a photo's pixels lie along a side of the face's canonical crop."""
    return 1 / frame_face(record.landmarks, 1).scale


def large_faces(
    folders: Sequence[Path], least: float, held_out: float
) -> tuple[list[FaceRecord], list[FaceRecord]]:
    """Faces with at least so many photo pixels along a side: to train on, and to look at.

    The latter are those of the val splits, and a share `held_out` of the train splits, by the
    file's name: sets of large photos are small, and not all have a val split.

    Raises UncoverError when there are none for either.
    """
    records = [record for folder in folders for record in read_manifest(folder)]
    large = [r for r in records if r.split in ("train", "val") and photo_pixels(r) >= least]
    aside = [r.split == "val" or is_held_out(Path(r.path).name, held_out) for r in large]
    train = [r for r, out in zip(large, aside, strict=True) if not out]
    val = [r for r, out in zip(large, aside, strict=True) if out]
    if not train:
        raise UncoverError(
            f"no photo in the train splits shows a face {least:.0f} px wide: set least lower, or "
            "add larger photos"
        )
    if not val:
        raise UncoverError("no large face is left to look at: set held_out higher")
    return train, sorted(val, key=lambda r: r.sha256)


class LargeFaceDraws(Dataset[dict[str, np.ndarray]]):
    """Draws as `training.data` makes them, all photos equally often; item k depends only on the
    seed and on k."""

    def __init__(
        self,
        records: Sequence[FaceRecord],
        size: int,
        length: int,
        seed: int,
        augment: AugmentSettings,
        variety: bool,
    ) -> None:
        self.records, self.size, self.length, self.seed = records, size, length, seed
        self.augment, self.variety = augment, variety

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, k: int) -> dict[str, np.ndarray]:
        rng = np.random.default_rng([self.seed, k])
        face = store_face(self.records[int(rng.integers(len(self.records)))], self.size)
        return draw_item(face, self.size, rng, self.augment, self.variety)
