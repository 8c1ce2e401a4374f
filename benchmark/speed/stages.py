"""Where the time of a photo goes, stage by stage."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmark.speed.clock import peak_mb, reset_peak, summary
from uncover.images import read_image
from uncover.pipeline import Uncoverer
from uncover.settings import Watch

STAGES = ("read", "detect", "align", "segment", "fill", "paste")
WHOLE = "whole"


def staged(uncoverer: Uncoverer, watch: Watch) -> Uncoverer:
    """The same networks and settings, watched."""
    twin = Uncoverer(
        uncoverer.detector,
        uncoverer.segmenter,
        uncoverer.generator,
        uncoverer.settings,
        uncoverer.enlarger,
    )
    twin.watch = watch
    return twin


def measure(uncoverer: Uncoverer, photo: Path, runs: int, warmup: int) -> dict[str, Any]:
    """Times and peaks of every stage, and of the whole from the file to the painted pixels.

    Writing the result is not part of it.

    Returns:
        {"faces": n filled, "stages": {name: {"median_ms", "p95_ms", "runs", "peak_mb"}}}.
    """
    times: dict[str, list[float]] = {name: [] for name in (*STAGES, WHOLE)}
    peaks: dict[str, float] = {}

    @contextmanager
    def clock(name: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        times[name].append(time.perf_counter() - start)

    @contextmanager
    def scales(name: str) -> Iterator[None]:
        reset_peak()
        yield
        peaks[name] = max(peaks.get(name, 0.0), peak_mb())

    watched = staged(uncoverer, clock)

    def once() -> int:
        with watched.watch("read"):
            opened = read_image(photo)
        return len(watched(opened).filled)

    faces = 0
    for _ in range(warmup):
        faces = once()
    for taken in times.values():
        taken.clear()
    reset_peak()
    for _ in range(runs):
        with clock(WHOLE):
            faces = once()
    peaks[WHOLE] = peak_mb()
    watched.watch = scales
    once()
    stages = {
        name: summary(taken) | {"peak_mb": round(peaks[name], 1)}
        for name, taken in times.items()
        if taken
    }
    return {"faces": faces, "stages": stages}


def count_flops(uncoverer: Uncoverer, photo: Path) -> dict[str, float]:
    """Floating point operations (two to a multiplication with addition) of each stage's network.

    Convolutions and matrix products are counted, nothing else. For PyTorch networks only.
    """
    from torch.utils.flop_counter import FlopCounterMode

    counts: dict[str, float] = {}

    @contextmanager
    def counter(name: str) -> Iterator[None]:
        with FlopCounterMode(display=False) as mode:
            yield
        counts[name] = counts.get(name, 0.0) + float(mode.get_total_flops())

    staged(uncoverer, counter)(read_image(photo))
    return {name: count for name, count in counts.items() if count}
