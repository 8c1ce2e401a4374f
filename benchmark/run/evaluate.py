"""Fill every hole with every model and keep the values: the long part of a run.

Each picture goes through each network alone and on one thread; photos are spread over threads and
processes. So a value depends on the photo, the model and the metric, and on nothing else: not on
batch size, neighbours, or how many processes share the work. All values go to disk as they come.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from tqdm import tqdm

from benchmark.metrics import Scorer
from benchmark.metrics.features import FeatureScorer
from benchmark.models import FillModel, paint
from benchmark.photos import Case, Cases, Rendered
from benchmark.run.cache import Table, digest
from uncover.errors import UncoverError

TRUTH = "bare-faces"
A, B = TypeVar("A"), TypeVar("B")


@dataclass(frozen=True)
class World:
    """The processes that share a run: this one's rank, their number, and how they meet."""

    rank: int = 0
    size: int = 1
    gather: Callable[[list[Any]], list[Any]] = field(default=list)

    @property
    def main(self) -> bool:
        return self.rank == 0


def join_world() -> World:
    """The processes that `accelerate launch -m benchmark` started; alone otherwise.

    Raises:
        UncoverError: several processes without the package accelerate.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) < 2:
        return World()
    try:
        from accelerate import PartialState
        from accelerate.utils import gather_object
    except ImportError as error:
        raise UncoverError("several processes need accelerate: pip install accelerate") from error
    state = PartialState()
    return World(state.process_index, state.num_processes, gather_object)


class Store:
    """The cached values of models: one table per model and scorer."""

    def __init__(self, cache: Path) -> None:
        self.folder = cache / "values"
        self._tables: dict[tuple[str, str], Table] = {}

    def table(self, fingerprint: str, scorer: Scorer) -> Table:
        """The table of a model (or of `TRUTH`) under a scorer."""
        key = (fingerprint, scorer.key)
        if key not in self._tables:
            self._tables[key] = Table(self.folder / fingerprint / digest(scorer.key))
        return self._tables[key]

    def refresh(self) -> None:
        """See what other processes have added."""
        for table in self._tables.values():
            table.refresh()

    def release(self) -> None:
        """Let go of the memory; what is asked for next is read from disk."""
        self._tables.clear()

    def forget(self, fingerprints: Iterable[str]) -> None:
        """Delete all values of these models."""
        import shutil

        for fingerprint in fingerprints:
            shutil.rmtree(self.folder / fingerprint, ignore_errors=True)
        self._tables.clear()


def evaluate(
    cases: Cases,
    models: Sequence[FillModel],
    scorers: Sequence[Scorer],
    store: Store,
    world: World,
    *,
    batch: int,
    workers: int,
    quiet: bool = False,
) -> dict[str, str]:
    """Compute all values that the store lacks.

    Args:
        batch: photos held in memory at a time.
        workers: threads of this process.

    Returns:
        model name -> why it failed, for those that did. The others' values are complete.
    """
    failures: dict[str, str] = {}
    starts = range(0, len(cases.cases), batch)[world.rank :: world.size]
    bar = tqdm(starts, "photos", unit=f"x{batch}", disable=quiet or not world.main, leave=False)
    with ThreadPoolExecutor(workers) as pool:
        for start in bar:
            chunk = cases.cases[start : start + batch]
            active = [model for model in models if model.name not in failures]
            failures.update(_chunk(chunk, cases, active, scorers, store, pool))
    for other in world.gather([failures]):
        failures.update(other)
    store.refresh()
    return failures


def _chunk(
    chunk: list[Case],
    cases: Cases,
    models: Sequence[FillModel],
    scorers: Sequence[Scorer],
    store: Store,
    pool: ThreadPoolExecutor,
) -> dict[str, str]:
    by_id = {case.id: case for case in chunk}
    lacking = {
        model.name: {i for s in scorers for i in store.table(model.fingerprint, s).missing(by_id)}
        for model in models
    }
    lacking[TRUTH] = {
        i
        for s in scorers
        if isinstance(s, FeatureScorer)
        for i in store.table(TRUTH, s).missing(by_id)
    }
    todo = [case for case in by_id.values() if any(case.id in ids for ids in lacking.values())]
    if not todo:
        return {}
    rendered = dict(zip((c.id for c in todo), pool.map(cases.render, todo), strict=True))
    fills: dict[str, dict[str, np.ndarray]] = {}
    prints = {TRUTH: TRUTH}
    failures = {}
    for model in models:
        try:
            fills[model.name] = _fill(model, todo, lacking[model.name], rendered, pool)
            prints[model.name] = model.fingerprint
        except UncoverError as error:
            failures[model.name] = str(error)
    fills[TRUTH] = {i: rendered[i].truth for i in lacking[TRUTH]}
    for scorer in scorers:
        _score(scorer, todo, rendered, fills, prints, store, pool)
    return failures


def _fill(
    model: FillModel,
    todo: list[Case],
    wanted: set[str],
    rendered: dict[str, Rendered],
    pool: ThreadPoolExecutor,
) -> dict[str, np.ndarray]:
    def one(case: Case) -> np.ndarray:
        pictures = rendered[case.id]
        return paint(model, pictures.masked, pictures.hole, case.photo.name)

    chosen = [case for case in todo if case.id in wanted]
    painted = pool.map(one, chosen) if model.parallel else map(one, chosen)
    return dict(zip((case.id for case in chosen), painted, strict=True))


def _score(
    scorer: Scorer,
    todo: list[Case],
    rendered: dict[str, Rendered],
    fills: dict[str, dict[str, np.ndarray]],
    prints: dict[str, str],
    store: Store,
    pool: ThreadPoolExecutor,
) -> None:
    """Add one scorer's rows for all models that lack them."""
    is_features = isinstance(scorer, FeatureScorer)
    tables = {
        name: store.table(prints[name], scorer) for name in fills if name != TRUTH or is_features
    }

    def one(case: Case) -> list[tuple[str, np.ndarray]]:
        names = [n for n, t in tables.items() if case.id in fills[n] and case.id not in t]
        if not names:
            return []
        pictures = rendered[case.id]
        rows = scorer.score(pictures.truth, pictures.hole, [fills[n][case.id] for n in names])
        return list(zip(names, rows, strict=True))

    found: dict[str, tuple[list[str], list[np.ndarray]]] = {name: ([], []) for name in tables}
    for case, scored in zip(todo, pool.map(one, todo), strict=True):
        for name, row in scored:
            found[name][0].append(case.id)
            found[name][1].append(row)
    for name, (ids, rows) in found.items():
        if ids:
            kind = np.float32 if is_features else np.float64
            tables[name].add(ids, np.stack(rows).astype(kind))
