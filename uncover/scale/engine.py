"""All shards of a run, one block after another: in this process, or on Ray Data's workers."""

from __future__ import annotations

import logging
import os
import pickle
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from uncover.errors import UncoverError
from uncover.scale.shards import Block, Shard
from uncover.scale.work import Work
from uncover.scale.worker import Uncover

AT_A_TIME = 2048
"""Blocks that are planned at a time, so that memory stays flat however many photos there are."""
RETRIES = 3
"""How often a block is given to another worker after the one that had it was killed."""

Done = Callable[[int], None]


@dataclass
class Summary:
    """What became of a run. photos: by status; before: done by earlier runs; broken: shards that
    could not be finished, one line each."""

    photos: Counter[str] = field(default_factory=Counter)
    before: int = 0
    broken: list[str] = field(default_factory=list)


def run(
    work: Work,
    shards: Sequence[Shard],
    tell: Done = lambda photos: None,
    answers: Callable[[Work, Sequence[Block]], Iterable[tuple[Block, int, str]]] | None = None,
) -> Summary:
    """Do what is not done yet.

    Args:
        tell: is told how many more photos are done.
        answers: does blocks in any order, in this process where it is None: gives each with its
            number of photos, and why it could not be done or "".

    Raises:
        UncoverError: no weights, or a result would overwrite what others made.
        OSError: results cannot be written.
    """
    summary, answers = Summary(), answers or _one_by_one()
    for shard in shards:
        work.check(shard)
    work.tidy()
    for group in _groups(work, shards, summary):
        left = {shard.name: 0 for shard in group.shards}
        left |= Counter(block.shard.name for block in group.blocks)
        problems: dict[str, str] = {}
        by_name = {shard.name: shard for shard in group.shards}
        for shard in [one for one in group.shards if not left[one.name]]:
            _finish(work, shard, summary)
        for block, photos, problem in answers(work, group.blocks):
            name = block.shard.name
            if problem:
                problems.setdefault(name, problem)
                continue
            tell(photos)
            left[name] -= 1
            if not left[name]:
                _finish(work, by_name[name], summary)
        for name in [name for name, count in left.items() if count]:
            why = problems.get(name, "workers were killed too often")
            summary.broken.append(f"{by_name[name].source}: not finished: {why}")
    return summary


@dataclass
class _Group:
    shards: list[Shard] = field(default_factory=list)
    blocks: list[Block] = field(default_factory=list)


def _groups(work: Work, shards: Sequence[Shard], summary: Summary) -> Iterator[_Group]:
    group = _Group()
    for shard in shards:
        if work.is_done(shard):
            before = work.before(shard)
            summary.photos += before
            summary.before += before.total()
            continue
        try:
            group.blocks += work.pending(shard)
        except UncoverError as error:
            summary.broken.append(str(error))
            continue
        group.shards.append(shard)
        if len(group.blocks) >= AT_A_TIME:
            yield group
            group = _Group()
    yield group


def _finish(work: Work, shard: Shard, summary: Summary) -> None:
    summary.photos += work.finish(shard)


def _one_by_one() -> Callable[[Work, Sequence[Block]], Iterator[tuple[Block, int, str]]]:
    loaded: list[Uncover] = []

    def answers(work: Work, blocks: Sequence[Block]) -> Iterator[tuple[Block, int, str]]:
        for block in blocks:
            if not loaded:
                loaded.append(work.worker())
            yield (block, *_attempt(work, block, loaded[0]))

    return answers


def _attempt(work: Work, block: Block, uncover: Uncover) -> tuple[int, str]:
    try:
        return work.do(block, uncover).total(), ""
    except UncoverError as error:
        return 0, str(error)


def run_with_ray(
    work: Work,
    shards: Sequence[Shard],
    tell: Done = lambda photos: None,
    workers: int = 0,
    gpus: float = 0,
    address: str | None = None,
) -> Summary:
    """`run` on Ray Data's workers, each of which loads the networks once.

    A block whose worker is killed is given to another one.

    Args:
        workers: 0 for one per core, or per GPU where they use these.
        gpus: of each worker; a part of one where several share it.
        address: of a running cluster ("auto" finds it), else one is started here and ended again.

    Raises:
        UncoverError: Ray is not installed or does not start; and as `run`.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray
    except ModuleNotFoundError:
        raise UncoverError(
            "Ray is not installed: python -m pip install 'ray[data]' pyarrow, or give --no-ray"
        ) from None
    try:
        here: dict[str, Any] = {"num_cpus": workers or None, "include_dashboard": False}
        ray.init(
            address, log_to_driver=False, logging_level=logging.ERROR, **({} if address else here)
        )
    except Exception as error:  # Ray raises plain ones
        raise UncoverError(f"Ray does not start: {' '.join(str(error).split())}") from None
    try:
        have = ray.cluster_resources()
        count = workers or int(have.get("GPU", 0) // gpus if gpus else have.get("CPU", 1))
        return run(work, shards, tell, lambda w, blocks: _by_ray(w, blocks, max(1, count), gpus))
    finally:
        ray.shutdown()


class _Hand:
    """A worker of Ray: does the blocks it is given."""

    def __init__(self, work: Work) -> None:
        self.work, self.uncover = work, work.worker()

    def __call__(self, batch: dict[str, list[bytes]]) -> dict[str, list[object]]:
        done = [
            (block, *_attempt(self.work, block, self.uncover))
            for block in map(pickle.loads, batch["block"])
        ]
        return {"done": [pickle.dumps(one) for one in done]}


def _by_ray(
    work: Work, blocks: Sequence[Block], workers: int, gpus: float
) -> Iterator[tuple[Block, int, str]]:
    import ray

    if not blocks:
        return
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.max_errored_blocks = -1  # a block that kills its workers does not end the others
    rows = [{"block": pickle.dumps(block)} for block in blocks]
    done = ray.data.from_items(rows, override_num_blocks=len(rows)).map_batches(
        _Hand,
        fn_constructor_args=(work,),
        batch_size=1,
        compute=ray.data.ActorPoolStrategy(size=min(workers, len(rows))),
        num_cpus=0 if gpus else 1,
        num_gpus=gpus or None,
        max_restarts=-1,
        max_task_retries=RETRIES,
    )
    for row in done.iter_rows():
        yield pickle.loads(row["done"])
