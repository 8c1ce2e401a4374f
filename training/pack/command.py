"""A prepared folder -> WebDataset tar shards, for data too large for memory or on another machine.

    python -m training.pack DIR --shards N

Photos are dealt to the shards by their hash, so every shard is a random sample of the whole; those
larger than training needs are cut to what its crops can reach. `training.data.shards` reads them
back.
"""

from __future__ import annotations

import hashlib
import itertools
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import asdict, replace
from pathlib import Path

import cv2
from tqdm import tqdm

from training.data import VERSION, Shard, cell, need_webdataset, store_face
from training.run import INDEX_NAME, SHARDS_NAME, command_parser, run_to_exit
from uncover.atomic import whole_folder
from uncover.errors import UncoverError
from uncover.faces import MANIFEST_COLUMNS, FaceRecord, iter_manifest

SPLITS = ("train", "val")
MOST_SHARDS = 4096  # they are open all at once
CHUNK = 256
QUALITY = 95


def pack(
    folder: Path, count: int, resolution: int = 256, workers: int = 1, progress: bool = False
) -> Path:
    """Write `folder`/shards: `count` tars of the train split, in proportion of val, and an index.

    Nothing appears under that name before it is complete; what was there is replaced.

    Args:
        folder: made by `training.prepare`.
        count: tars of the train split.
        resolution: the largest crop that training on them will use.
        workers: threads that read and cut photos.

    Returns:
        The folder of the shards.

    Raises:
        UncoverError: too many shards for the photos, or nothing can be read or written.
    """
    webdataset = need_webdataset()
    sizes = Counter(record.split for record in iter_manifest(folder))
    if not 1 <= count <= MOST_SHARDS:
        raise UncoverError(f"{count} shards are too many or too few: give 1 to {MOST_SHARDS}")
    if sizes["train"] < count:
        raise UncoverError(f"{sizes['train']} training photos cannot fill {count} shards")
    counts = {"train": count}
    if sizes["val"]:
        share = sizes["val"] / sizes["train"]
        counts["val"] = min(max(1, round(count * share)), sizes["val"], MOST_SHARDS)
    _allow_open_files(sum(counts.values()))
    out = folder / SHARDS_NAME
    total = sum(sizes[split] for split in counts)
    cells: Counter[str] = Counter()
    samples: Counter[str] = Counter()
    try:
        with whole_folder(out) as partial:
            writers = {}
            with ExitStack() as stack, tqdm(total=total, unit="img", disable=not progress) as bar:
                for split, shards in counts.items():
                    for number in range(shards):
                        name = f"{split}-{number:05d}.tar"
                        stream = stack.enter_context((partial / name).open("wb"))
                        writers[name] = stack.enter_context(webdataset.TarWriter(stream, mtime=0))
                for record, data in _photos(folder, counts, resolution, workers):
                    number = int(record.sha256[:12], 16) % counts[record.split]
                    name = f"{record.split}-{number:05d}.tar"
                    row = dict(zip(MANIFEST_COLUMNS, record.to_row(), strict=True))
                    key = f"{samples[name]:07d}"
                    text = json.dumps(row, ensure_ascii=False).encode()
                    writers[name].write({"__key__": key, "img": data, "json": text})
                    samples[name] += 1
                    if record.split == "train":
                        cells["\t".join(cell(record))] += 1
                    bar.update()
            index = {
                "version": VERSION,
                "resolution": resolution,
                "source": folder.resolve().name,
                "cells": dict(sorted(cells.items())),
                "shards": [
                    asdict(_described(partial / name, samples[name]))
                    for name in sorted(writers)
                    if samples[name]
                ],
            }
            for name in writers:
                if not samples[name]:
                    (partial / name).unlink()
            (partial / INDEX_NAME).write_text(json.dumps(index, indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        raise UncoverError(f"cannot write {out}: {error.strerror or error}") from error
    return out


def _allow_open_files(count: int) -> None:
    """Raise this process's limit of open files. Raises UncoverError where that is not allowed."""
    try:
        import resource
    except ImportError:  # Windows has another limit, far above
        return
    needed = count + 64
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return
    if hard != resource.RLIM_INFINITY and hard < needed:
        raise UncoverError(f"{count} shards are more files than may be open here: give fewer")
    resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))


def _photos(
    folder: Path, splits: Sequence[str] | dict[str, int], resolution: int, workers: int
) -> Iterator[tuple[FaceRecord, bytes]]:
    """Each photo's bytes, in the manifest's order, a chunk of them in memory at a time."""
    records = (record for record in iter_manifest(folder) if record.split in splits)
    with ThreadPoolExecutor(workers) as pool:
        for chunk in iter(lambda: list(itertools.islice(records, CHUNK)), []):
            yield from pool.map(lambda record: shrunk(record, resolution), chunk)


def shrunk(record: FaceRecord, resolution: int) -> tuple[FaceRecord, bytes]:
    """A photo's file as it is; where it is larger than crops need, cut as for training and JPEG.

    Raises UncoverError when the file cannot be read.
    """
    try:
        if max(record.width, record.height) <= int(resolution * 1.5):
            return record, record.file.read_bytes()
        face = store_face(record, resolution)
    except OSError as error:
        raise UncoverError(f"{record.file} cannot be read: {error.strerror or error}") from error
    height, width = face.image.shape[:2]
    options = [cv2.IMWRITE_JPEG_QUALITY, QUALITY, cv2.IMWRITE_JPEG_SAMPLING_FACTOR]
    options.append(cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444)
    done, data = cv2.imencode(".jpg", cv2.cvtColor(face.image, cv2.COLOR_RGB2BGR), options)
    if not done:
        raise UncoverError(f"{record.file} cannot be encoded again")
    cut = replace(record, landmarks=face.landmarks, width=width, height=height)
    return cut, data.tobytes()


def _described(path: Path, samples: int) -> Shard:
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    split = path.name.partition("-")[0]
    return Shard(path.name, split, samples, path.stat().st_size, digest.hexdigest())


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; returns the exit status."""
    parser = command_parser("training.pack", __doc__)
    parser.add_argument("folder", type=Path, help="folder made by training.prepare")
    parser.add_argument("--shards", type=int, required=True, help="tar files of the train split")
    parser.add_argument("--resolution", type=int, default=256, help="largest crop (default: 256)")
    parser.add_argument("--workers", type=int, default=4, help="threads (default: 4)")
    args = parser.parse_args(arguments)
    workers = max(1, args.workers)

    def work() -> None:
        out = pack(args.folder, args.shards, args.resolution, workers, progress=True)
        print(f"written to {out}")

    return run_to_exit(work)
