"""Training draws from WebDataset tar shards, local or by URL: the items of `FaceDraws`, streamed.

    python -m training.data.shards SHARDS --draws 200000      speed and memory of one core

A reader is one worker process of one rank. In every epoch the shards are dealt to the readers, each
to one of them, in an order that the seed decides. A reader takes a few shards into memory at a time
and draws from them in a shuffled order, so where it stands after any number of draws can be
calculated: a resumed run opens the right shards and goes on, bit for bit, with the same number of
processes and workers.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence

import cv2
import numpy as np
from torch.utils.data import IterableDataset, get_worker_info

from training.data.faces import AugmentSettings, StoredFace, draw_item
from training.data.sampling import Balance, Cell, cell, cell_weights
from training.data.shard_files import Shard, ShardIndex, decoded, read_index, read_shard, val_faces
from training.run import command_parser, run_to_exit
from uncover.errors import UncoverError

__all__ = ["ShardDraws", "ShardIndex", "cells_of", "drawn", "read_index", "val_faces"]


class ShardDraws(IterableDataset[dict[str, np.ndarray]]):
    """Training draws from shards; for a DataLoader with this batch size and `drop_last`.

    Items: as `training.data.faces.FaceDraws`. Every rank gets the same number of whole batches.

    Args:
        index: from `read_index`.
        size: side of the crops in pixels, at most what the shards were packed for.
        length: draws of the whole run, over all ranks.
        seed, balance, augment, variety: as in `FaceDraws`.
        batch: draws per batch of one rank.
        start: draws of the run that were made before, over all ranks (a multiple of world * batch).
        rank, world: of this process.
        mix: shards that a reader draws from at a time.

    Raises:
        UncoverError: the crops are too large for the shards, or the shards too few.
    """

    def __init__(
        self,
        index: ShardIndex,
        size: int,
        length: int,
        seed: int,
        balance: Balance,
        augment: AugmentSettings,
        variety: bool = True,
        *,
        batch: int,
        start: int = 0,
        rank: int = 0,
        world: int = 1,
        mix: int = 4,
    ) -> None:
        index.check_size(size)
        self.index, self.size, self.length, self.seed = index, size, length, seed
        self.augment, self.variety, self.mix = augment, variety, mix
        self.batch, self.start, self.rank, self.world = batch, start, rank, world
        self.shards = index.of("train")
        self.weights = cell_weights(cells_of(index), balance)

    def check_readers(self, readers: int) -> None:
        """Raises UncoverError when there are fewer shards than readers."""
        if readers > len(self.shards):
            raise UncoverError(
                f"{len(self.shards)} training shards cannot be dealt to {readers} readers "
                "(processes times workers): pack more shards or set fewer workers"
            )

    def __iter__(self) -> Iterator[dict[str, np.ndarray]]:
        info = get_worker_info()
        worker, workers = (info.id, info.num_workers) if info else (0, 1)
        first = self.start // (self.world * self.batch)
        last = self.length // (self.world * self.batch)
        # A DataLoader asks its workers in turn, from worker 0 on, also when a run is resumed.
        role = (worker + first) % workers
        before = len(range(role, first, workers))
        faces = self.faces(self.rank * workers + role, self.world * workers, before * self.batch)
        for number in range(first + worker, last, workers):
            for place in range(self.batch):
                draw = (number * self.world + self.rank) * self.batch + place
                yield self.item(next(faces), draw)

    def item(self, face: StoredFace, draw: int) -> dict[str, np.ndarray]:
        """The crop and hole that a draw number makes of a face."""
        rng = np.random.default_rng([self.seed, draw])
        return draw_item(decoded(face), self.size, rng, self.augment, self.variety)

    def faces(self, reader: int, readers: int, skip: int = 0) -> Iterator[StoredFace]:
        """The undecoded faces that one of several readers draws, without end, from the skip-th on.

        Raises UncoverError when there are fewer shards than readers.
        """
        self.check_readers(readers)
        epoch = 0
        while True:
            for number, group in enumerate(self.groups(epoch, reader, readers)):
                count = sum(shard.samples for shard in group)
                if skip >= count:
                    skip -= count
                    continue
                faces = [face for shard in group for face in read_shard(self.index, shard)]
                rng = np.random.default_rng([self.seed, 1, epoch, reader, number])
                weights = [self.weight(face) for face in faces]
                for which in drawn(np.array(weights), rng)[skip:]:
                    yield faces[which]
                del faces  # before the next shards come in
                skip = 0
            epoch += 1

    def weight(self, face: StoredFace) -> float:
        """How often a face is drawn, 1 on average."""
        own = cell(face.record)
        return self.weights[own if own in self.weights else Cell(*own[:2])]

    def groups(self, epoch: int, reader: int, readers: int) -> list[list[Shard]]:
        """The shards a reader goes through in an epoch, in groups that are shuffled together.

        Readers get equally many: where the shards do not divide, the first of the epoch's order
        are dealt a second time.
        """
        order = np.random.default_rng([self.seed, 0, epoch]).permutation(len(self.shards))
        each = -(-len(order) // readers)
        mine = np.resize(order, each * readers)[reader::readers]
        shards = [self.shards[i] for i in mine]
        return [shards[i : i + self.mix] for i in range(0, len(shards), self.mix)]


def cells_of(index: ShardIndex) -> dict[Cell, int]:
    """Training photos in the shards; their sharpness is unknown where older shards lack it."""
    return {Cell(*key.split("\t")): count for key, count in index.cells.items()}


def drawn(weights: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """As many indices as there are weights, in random order, each as often as its weight says.

    Systematic resampling: an index of relative weight w comes floor(w) or ceil(w) times.
    """
    count = len(weights)
    ends = np.cumsum(weights / weights.sum()) * count
    ends[-1] = count
    marks = np.arange(count) + rng.random()
    return rng.permutation(np.searchsorted(ends, marks, side="right").clip(0, count - 1))


def main(arguments: Sequence[str] | None = None) -> int:
    """Draw and say how fast; returns the exit status."""
    parser = command_parser("training.data.shards", __doc__)
    parser.add_argument("shards", help="folder or URL of shards")
    parser.add_argument("--draws", type=int, default=2000, help="default: 2000")
    parser.add_argument("--size", type=int, default=256, help="crop in pixels (default: 256)")
    args = parser.parse_args(arguments)
    return run_to_exit(lambda: measure(args.shards, args.draws, args.size))


def measure(source: str, count: int, size: int) -> None:
    """Print, ten times, how many draws a second one core makes and in how much memory.

    The rate is by the process's own CPU time, so other work on the machine hardly matters.
    Raises UncoverError when the shards cannot be read.
    """
    import psutil  # here: only this measurement needs it

    cv2.setNumThreads(1)
    draws = ShardDraws(read_index(source), size, count, 0, Balance(), AugmentSettings(), batch=1)
    process = psutil.Process()
    begun, step = time.process_time(), max(1, count // 10)
    for number, _ in enumerate(draws, start=1):
        if number % step == 0:
            rate = number / (time.process_time() - begun)
            memory = process.memory_info().rss / 2**20
            print(f"{number} draws, {rate:.0f} a second of one core, {memory:.0f} MB resident")


if __name__ == "__main__":
    sys.exit(main())
