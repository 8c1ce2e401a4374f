"""One benchmark run, from photos to results."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import cv2
import numpy as np
from tqdm import tqdm

from benchmark.digests import digest
from benchmark.models import FillModel, check_comparable
from benchmark.numbers import Measured, Slice, gaps, make_slices, parse_where, results, select
from benchmark.photos import Case, Cases, DataSet, Lost, datasets, rendered, rendered_files
from benchmark.run import lineup
from benchmark.run.collect import collect
from benchmark.run.evaluate import TRUTH, Store, World, evaluate
from benchmark.run.lineup import Lineup
from benchmark.run.options import Options
from uncover.errors import UncoverError
from uncover.revision import git_revision

T = TypeVar("T")
_UNTOLD = ("--cache", "--batch-size", "--workers", "--device")


@dataclass(frozen=True, eq=False)
class Finished:
    """A run's outcome: results is what results.json holds; the rest is for report and sheets."""

    results: dict[str, Any]
    cases: Cases
    measured: list[Measured]
    models: list[FillModel]
    failures: dict[str, str]


def run(options: Options, arguments: Sequence[str], world: World) -> Finished | None:
    """Do all of it; None in processes other than the main one.

    Raises:
        UncoverError: nothing could be measured; one line that names the culprit.
    """
    import torch

    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    device = lineup.pick_device(options.device)
    data = _load_data(options)
    align = data.aligned if options.align is None else options.align
    cases = _in_turn(world, lambda: _cases(options, data, align))
    if options.save_rendered and world.main:
        bar = tqdm(cases.cases, "rendering", disable=options.quiet, leave=False)
        rendered_files.save(options.save_rendered, cases, options.seed, bar)
    models, failures = _in_turn(world, lambda: lineup.load_models(options, device))
    if not models:
        raise UncoverError("; ".join(failures.values()))
    metrics = lineup.load_scorers(options, device)
    slices = _slices(options, cases)
    head = _head(options, arguments, data, align, cases, slices, metrics)
    if options.keep is not None:
        check_comparable(head, options.keep)
    store = Store(options.cache)
    if options.fresh and world.main:
        store.forget([TRUTH, *(model.fingerprint for model in models)])
    world.gather([])
    failures |= evaluate(
        cases, models, metrics.scorers, store, world, batch=options.batch_size,
        workers=lineup.thread_count(options, world.size), quiet=options.quiet,
    )  # fmt: skip
    if not world.main:
        return None
    models = [model for model in models if model.name not in failures]
    if not models:
        raise UncoverError("; ".join(failures.values()))
    measured, real = collect(cases.cases, models, metrics, store, options.floor)
    found = _numbers(options, slices, models, measured, real)
    return Finished(head | found | {"failures": failures}, cases, measured, models, failures)


def _in_turn(world: World, work: Callable[[], T]) -> T:
    """The main process first, then the others, who find the main one's work in the cache."""
    if world.main:
        done = work()
        world.gather([])
        return done
    world.gather([])
    return work()


def _load_data(options: Options) -> DataSet:
    data = datasets.load_or_draw(options.data, options.drawn, options.split, options.form)
    for factor in options.slices:
        if factor not in ("pose", "mask_type"):
            data.column(factor)
    wanted = parse_where(options.where)
    early = {f: v for f, v in wanted.items() if f not in ("pose", "mask_type")}
    if early:
        columns = {f: data.column(f) for f in data.factors}
        data = data.only(select(columns, early, len(data.photos)).tolist())
    return data.limited(options.limit)


def _cases(options: Options, data: DataSet, align: bool) -> Cases:
    if options.rendered:
        cases = rendered_files.load(options.rendered, data, options.seed)
    else:
        cases = rendered.draw_cases(
            data, seed=options.seed, size=options.size, align=align, cache=options.cache,
            quiet=options.quiet,
        )  # fmt: skip
    if data.twice:
        cases.left_out["the same photo twice"] = list(data.twice)
    late = {f: v for f, v in parse_where(options.where).items() if f in ("pose", "mask_type")}
    if not late:
        return cases
    columns = {f: [case.labels[f] for case in cases.cases] for f in late}
    kept = select(columns, late, len(cases.cases))
    chosen = [cases.cases[i] for i in kept]
    return Cases(chosen, _kept_lost(cases, late), cases.pose, cases.render)


def _head(
    options: Options,
    arguments: Sequence[str],
    data: DataSet,
    align: bool,
    cases: Cases,
    slices: list[Slice],
    metrics: Lineup,
) -> dict[str, Any]:
    """What results.json says of the run itself: known before anything is measured."""
    return {
        "created": _created(),
        "git": git_revision() or "unknown",
        "command": _command(arguments),
        "data": {
            "name": data.name,
            "split": data.split,
            "sha256": digest_of(cases.cases),
            "n": len(cases.cases),
            "photos": len(cases.cases) + len(cases.lost),
            "left_out": {reason: len(names) for reason, names in cases.left_out.items()},
            "pose": cases.pose,
            "perceived": list(data.perceived),
        },
        "features": metrics.features,
        "lpips_net": metrics.lpips_net,
        "seed": options.seed,
        "size": options.size or "own",
        "aligned": align,
        "draws": options.draws,
        "floor": options.floor,
        "kid_subset_size": results.common_size(slices, options.floor),
        "factors": list(options.slices),
    }


def _numbers(
    options: Options,
    slices: list[Slice],
    models: list[FillModel],
    measured: list[Measured],
    real: np.ndarray | None,
) -> dict[str, Any]:
    """What results.json says of the models."""
    settings = results.Settings(options.draws, options.floor, options.seed)
    scored = results.score_slices(slices, measured, real, settings)
    by_model = {}
    for model, values in zip(models, measured, strict=True):
        by_model[model.name] = {
            "weights_sha256": model.weights_sha256,
            **model.notes,
            "slices": [
                {
                    "slice": s.slice.values,
                    "n": int(values.filled_of(s.slice.indices).sum()),
                    "of": s.slice.of,
                    "metrics": s.metrics[model.name],
                }
                for s in scored
            ],
            "gaps": gaps.find_gaps(scored, values, list(options.slices), settings),
        }
    compared = [
        row
        for other in measured[1:]
        for row in gaps.compare_models(scored, measured[0], other, settings)
    ]
    return {"models": by_model, "comparisons": compared}


def _slices(options: Options, cases: Cases) -> list[Slice]:
    if not options.slices:
        return [Slice({}, np.arange(len(cases.cases)), len(cases.lost))]
    factors = {f: [case.labels[f] for case in cases.cases] for f in options.slices}
    lost = {f: [photo.labels[f] for photo in cases.lost] for f in options.slices}
    return make_slices(factors, lost)


def _kept_lost(cases: Cases, wanted: dict[str, set[str]]) -> list[Lost]:
    """Of the photos that could not be drawn, those that `--where` keeps."""
    return [p for p in cases.lost if all(p.labels[f] in v for f, v in wanted.items())]


def digest_of(cases: list[Case]) -> str:
    """sha256-based name of the pixels and labels that were measured, in any order: a comment in the
    drawing code leaves it alone."""
    return digest(*sorted(f"{case.pixels}|{sorted(case.labels.items())}" for case in cases))


def _created() -> str:
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    now = datetime.fromtimestamp(int(epoch), UTC) if epoch else datetime.now(UTC)
    return now.strftime("%Y-%m-%dT%H:%M:%SZ")


def _command(arguments: Sequence[str]) -> str:
    """What was typed, without what cannot change a number, and without absolute folders."""
    words: list[str] = []
    rest = iter(arguments)
    for word in rest:
        option, sign, _ = word.partition("=")
        if option in _UNTOLD:
            if not sign:
                next(rest, None)
        elif word != "--quiet":
            words.append(Path(word).name if word.startswith("/") else word)
    return f"python -m benchmark {shlex.join(words)}"


def warn_failures(failures: dict[str, str]) -> None:
    """Print why models are missing from the results, one line each."""
    for name, reason in failures.items():
        print(f"error: {name} has no results: {reason}", file=sys.stderr)
