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

from benchmark.digests import digest
from benchmark.metrics import Scorer
from benchmark.models import FillModel, Shown, paint
from benchmark.photos import Case, Cases, NoMaskError, Rendered
from benchmark.run.cache import Table
from uncover.errors import UncoverError

TRUTH = "bare-faces"
GIVE_UP = 8
"""Photos that a model may fail on, and fill none, before it is given up."""
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
        model name -> why it failed, for those that filled nothing. The others' values are complete
        but for single photos that they could not fill, which have no rows.
    """
    starts = range(0, len(cases.cases), batch)[world.rank :: world.size]
    chunks = [cases.cases[start : start + batch] for start in starts]
    failures = _begin(models, [case for chunk in chunks for case in chunk], cases, scorers, store)
    tries = {model.name: Tries() for model in models}
    bar = tqdm(chunks, "photos", unit=f"x{batch}", disable=quiet or not world.main, leave=False)
    with ThreadPoolExecutor(workers) as pool:
        for chunk in bar:
            active = [model for model in models if model.name not in failures]
            _chunk(chunk, cases, active, scorers, store, pool, tries)
            failures |= {n: t.first for n, t in tries.items() if t.hopeless and n not in failures}
    for other in world.gather([failures]):
        failures.update(other)
    store.refresh()
    for model in models:
        seen = tries[model.name]
        if seen.failed and not seen.filled and not _has_rows(model, cases.cases, scorers, store):
            failures.setdefault(model.name, seen.first)
    return failures


@dataclass
class Tries:
    """How a model has done so far. first: why the first photo failed that did."""

    filled: int = 0
    failed: int = 0
    first: str = ""

    @property
    def hopeless(self) -> bool:
        """Nothing but failures, often enough: the model is at fault, not a photo."""
        return not self.filled and self.failed >= GIVE_UP


def shown_of(case: Case, pictures: Rendered) -> Shown:
    """What models are told of a case beside its pictures."""
    return Shown(case.id, case.photo.name, pictures.landmarks, pictures.cut)


def begin(model: FillModel, chosen: Sequence[Case], cases: Cases) -> None:
    """Let a model that fills all pictures at once do so; nothing to do for the others.

    Raises:
        UncoverError: the model fails.
    """
    start = getattr(model, "begin", None)
    if start is None or not chosen:
        return

    def pictures() -> Iterable[tuple[Shown, np.ndarray, np.ndarray]]:
        for case in chosen:
            if (drawn := _rendered(case, cases)) is not None:
                yield shown_of(case, drawn), drawn.masked, drawn.hole

    start(pictures())


def _begin(
    models: Sequence[FillModel],
    mine: Sequence[Case],
    cases: Cases,
    scorers: Sequence[Scorer],
    store: Store,
) -> dict[str, str]:
    failures = {}
    for model in models:
        lacking = _lacking(model.fingerprint, mine, scorers, store)
        try:
            begin(model, [case for case in mine if case.id in lacking], cases)
        except UncoverError as error:
            failures[model.name] = str(error)
    return failures


def _lacking(
    fingerprint: str, chunk: Sequence[Case], scorers: Sequence[Scorer], store: Store
) -> set[str]:
    """The cases for which some scorer has no row yet."""
    ids = {case.id for case in chunk}
    return {i for s in scorers for i in store.table(fingerprint, s).missing(ids)}


def _has_rows(
    model: FillModel, chunk: Sequence[Case], scorers: Sequence[Scorer], store: Store
) -> bool:
    table = store.table(model.fingerprint, scorers[0])
    return any(case.id in table for case in chunk)


def _rendered(case: Case, cases: Cases) -> Rendered | None:
    """A case's pictures; None where no mask can be drawn any more."""
    try:
        return cases.render(case)
    except NoMaskError:
        return None


def _chunk(
    chunk: list[Case],
    cases: Cases,
    models: Sequence[FillModel],
    scorers: Sequence[Scorer],
    store: Store,
    pool: ThreadPoolExecutor,
    tries: dict[str, Tries],
) -> None:
    by_id = {case.id: case for case in chunk}
    chunk = list(by_id.values())
    lacking = {m.name: _lacking(m.fingerprint, chunk, scorers, store) for m in models}
    on_truth = [s for s in scorers if s.of_truth]
    lacking[TRUTH] = _lacking(TRUTH, chunk, on_truth, store)
    todo = [case for case in chunk if any(case.id in ids for ids in lacking.values())]
    drawn = pool.map(lambda case: _rendered(case, cases), todo)
    rendered = {c.id: r for c, r in zip(todo, drawn, strict=True) if r is not None}
    todo = [case for case in todo if case.id in rendered]
    if not todo:
        return
    fills: dict[str, dict[str, np.ndarray]] = {}
    prints = {TRUTH: TRUTH}
    for model in models:
        wanted = [case for case in todo if case.id in lacking[model.name]]
        fills[model.name] = _fill(model, wanted, rendered, pool, tries[model.name])
        prints[model.name] = model.fingerprint
    fills[TRUTH] = {i: rendered[i].truth for i in lacking[TRUTH] if i in rendered}
    for scorer in scorers:
        _score(scorer, todo, rendered, fills, prints, store, pool)


def _fill(
    model: FillModel,
    wanted: list[Case],
    rendered: dict[str, Rendered],
    pool: ThreadPoolExecutor,
    tries: Tries,
) -> dict[str, np.ndarray]:
    def one(case: Case) -> np.ndarray | UncoverError:
        if tries.hopeless:
            return UncoverError(tries.first)
        pictures = rendered[case.id]
        shown = shown_of(case, pictures)
        try:
            return paint(model, pictures.masked, pictures.hole, case.photo.name, shown)
        except UncoverError as error:
            return error

    fills = {}
    painted = pool.map(one, wanted) if model.parallel else map(one, wanted)
    for case, fill in zip(wanted, painted, strict=True):
        if isinstance(fill, UncoverError):
            tries.failed += 1
            tries.first = tries.first or str(fill)
        else:
            tries.filled += 1
            fills[case.id] = fill
    return fills


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
    tables = {
        name: store.table(prints[name], scorer)
        for name in fills
        if name != TRUTH or scorer.of_truth
    }

    def one(case: Case) -> list[tuple[str, np.ndarray]]:
        names = [n for n, t in tables.items() if case.id in fills[n] and case.id not in t]
        if not names:
            return []
        shown = rendered[case.id]
        pictures = [fills[n][case.id] for n in names]
        rows = scorer.score(shown.truth, shown.hole, pictures, shown.landmarks)
        return list(zip(names, rows, strict=True))

    found: dict[str, tuple[list[str], list[np.ndarray]]] = {name: ([], []) for name in tables}
    for case, scored in zip(todo, pool.map(one, todo), strict=True):
        for name, row in scored:
            found[name][0].append(case.id)
            found[name][1].append(row)
    for name, (ids, rows) in found.items():
        if ids:
            kind = np.float64 if scorer.columns else np.float32
            tables[name].add(ids, np.stack(rows).astype(kind))
