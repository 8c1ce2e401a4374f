"""From prepared folders to faces in memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from accelerate import Accelerator
from torch import Generator
from torch.utils.data import DataLoader

from training.faces import FaceDraws, StoredFace, store_faces
from training.sampling import StridedDraws, cell
from training.settings import GanSettings
from uncover.errors import UncoverError
from uncover.records import FaceRecord, read_manifest


def load_faces(
    folders: Sequence[Path], resolution: int, progress: bool = False, val_limit: int | None = None
) -> tuple[list[StoredFace], list[StoredFace]]:
    """Train and validation faces of several prepared folders, decoded.

    The validation part holds `val_limit` faces of the first folder that has any, picked by hash;
    a folder without a val split lends some of its test-free rest: none, that is, so a data set
    without validation faces is an error. Raises UncoverError.
    """
    train: list[FaceRecord] = []
    val: list[FaceRecord] = []
    for folder in folders:
        records = read_manifest(folder)
        train += [r for r in records if r.split == "train"]
        if not val:
            val = [r for r in records if r.split == "val"]
    if not train:
        raise UncoverError("no photo is in the train split of the data given")
    if not val:
        raise UncoverError("no photo is in the val split of the data given: prepare it with one")
    val = sorted(val, key=lambda r: r.sha256)[:val_limit]
    return store_faces(train, resolution, progress), store_faces(val, resolution)


def draw_loader(
    draws: FaceDraws, batch: int, seen: int, settings: GanSettings, accelerator: Accelerator
) -> DataLoader[Any]:
    """This process's part of the draws from number `seen` on, `batch` over all processes."""
    world, rank = accelerator.num_processes, accelerator.process_index
    return DataLoader(
        draws,
        batch_size=max(1, batch // world),
        sampler=StridedDraws(seen, len(draws), rank, world),
        num_workers=settings.workers,
        pin_memory=accelerator.device.type == "cuda",
        drop_last=True,
        persistent_workers=settings.workers > 0,
        generator=Generator().manual_seed(settings.seed),  # leave the global one alone
    )


def data_summary(folders: Sequence[Path], faces: Sequence[StoredFace]) -> dict[str, Any]:
    """What a run was trained on: photos by ethnicity and estimated pose, for config and card."""
    counts = Counter(cell(face.record) for face in faces)
    table: dict[str, dict[str, int]] = {}
    for (ethnicity, pose), count in sorted(counts.items()):
        table.setdefault(ethnicity, {})[pose] = count
    return {
        "sources": [folder.name for folder in folders],
        "photos": len(faces),
        "by_ethnicity_and_pose": table,
    }
