"""From what `--data` names, prepared folders or shards, to batches of draws."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import cv2
from accelerate import Accelerator
from torch import Generator
from torch.utils.data import DataLoader, Dataset

from training.data.faces import AugmentSettings, FaceDraws, StoredFace, store_faces
from training.data.sampling import Balance, StridedDraws, cell
from training.data.shard_files import ShardIndex, join_indexes, read_index, val_faces
from training.data.shards import ShardDraws
from training.run import INDEX_NAME, SHARDS_NAME, is_url
from uncover.errors import UncoverError
from uncover.faces import MANIFEST_NAME, FaceRecord, read_manifest

Source = Path | str
"""A prepared folder, a folder of shards, or the URL of one."""


class DrawSettings(Protocol):
    """What a run's settings say of its draws; see `training.gan.settings.GanSettings`."""

    @property
    def seed(self) -> int: ...
    @property
    def balance(self) -> float: ...
    @property
    def sharp(self) -> float: ...
    @property
    def groups(self) -> float: ...
    @property
    def favour(self) -> dict[str, float]: ...
    @property
    def augment(self) -> AugmentSettings: ...
    @property
    def mask_variety(self) -> bool: ...
    @property
    def workers(self) -> int: ...


@dataclass(frozen=True)
class TrainingData:
    """The faces of a run; exactly one of `train` (in memory) and `index` (shards) is not None."""

    val: list[StoredFace]
    summary: dict[str, Any]
    train: list[StoredFace] | None = None
    index: ShardIndex | None = None

    def loader(
        self,
        size: int,
        length: int,
        seed: int,
        batch: int,
        seen: int,
        settings: DrawSettings,
        accelerator: Accelerator,
    ) -> Iterator[Any]:
        """This process's part of a run's draws from number `seen` on, in batches.

        size: side of the crops in pixels. length, batch: in draws over all processes.

        Raises UncoverError, also from a worker, in one line.
        """
        world, rank = accelerator.num_processes, accelerator.process_index
        each, workers = max(1, batch // world), settings.workers
        balance = Balance(settings.balance, settings.sharp, settings.groups, settings.favour)
        kind = (size, length, seed, balance, settings.augment, settings.mask_variety)
        draws: Dataset[Any]
        sampler = None
        if self.index is not None:
            draws = shards = ShardDraws(
                self.index,
                *kind,
                batch=each,
                start=seen,
                rank=rank,
                world=world,
            )
            shards.check_readers(world * max(1, workers))
        else:
            assert self.train is not None
            draws = FaceDraws(self.train, *kind)
            sampler = StridedDraws(seen, length, rank, world)
        if workers:
            # One thread for each, set before they are forked: in a fork it can wait for ever.
            cv2.setNumThreads(1)
        loader = DataLoader(
            draws,
            batch_size=each,
            sampler=sampler,
            num_workers=workers,
            pin_memory=accelerator.device.type == "cuda",
            drop_last=True,
            generator=Generator().manual_seed(settings.seed),  # leave the global one alone
        )
        return _batches(loader)


def open_data(
    sources: Sequence[Source], resolution: int, val_limit: int, progress: bool = False
) -> TrainingData:
    """The faces that several sources hold, for crops of `resolution` pixels.

    Folders are decoded into memory, of shards only the validation faces. Those are `val_limit` of
    the first source that has any, always the same ones.

    Raises UncoverError when there are no faces, or folders and shards are named together.
    """
    sharded = [is_sharded(source) for source in sources]
    if all(sharded):
        index = join_indexes([read_index(source) for source in sources])
        index.check_size(resolution)
        return TrainingData(val_faces(index, val_limit), index.summary(), index=index)
    if any(sharded):
        plain = next(s for s, is_shards in zip(sources, sharded, strict=True) if not is_shards)
        raise UncoverError(
            f"--data names folders and shards: pack {plain} too (python -m training.pack {plain} "
            f"--shards N) and give {plain}/{SHARDS_NAME}"
        )
    folders = [Path(source) for source in sources]
    train, val = load_faces(folders, resolution, progress, val_limit)
    return TrainingData(val, data_summary(folders, train), train)


def is_sharded(source: Source) -> bool:
    """Whether a source is read from shards: a URL, or a folder with an index but no manifest."""
    if is_url(str(source)):
        return True
    folder = Path(source)
    if (folder / MANIFEST_NAME).is_file():
        return False
    return any((f / INDEX_NAME).is_file() for f in (folder, folder / SHARDS_NAME))


def load_faces(
    folders: Sequence[Path], resolution: int, progress: bool = False, val_limit: int | None = None
) -> tuple[list[StoredFace], list[StoredFace]]:
    """Train and validation faces of several prepared folders, decoded.

    The validation part holds `val_limit` faces of the first folder that has any, picked by hash.
    Raises UncoverError when there are no faces for either.
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


def data_summary(folders: Sequence[Path], faces: Sequence[StoredFace]) -> dict[str, Any]:
    """What a run was trained on: photos by ethnicity and estimated pose, for config and card."""
    counts = Counter(cell(face.record)[:2] for face in faces)
    table: dict[str, dict[str, int]] = {}
    for (ethnicity, pose), count in sorted(counts.items()):
        table.setdefault(ethnicity, {})[pose] = count
    return {
        "sources": [folder.name for folder in folders],
        "photos": len(faces),
        "by_ethnicity_and_pose": table,
    }


def _batches(loader: DataLoader[Any]) -> Iterator[Any]:
    try:
        yield from loader
    except UncoverError as error:  # a worker's comes with its traceback
        last = str(error).strip().splitlines()[-1]
        raise UncoverError(re.sub(r"^[\w.]+Error: ", "", last)) from None
