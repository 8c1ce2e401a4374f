"""Where the time of a step goes: images a second by stage, without slowing the step down."""

from __future__ import annotations

import time
from typing import Any

import torch


class Stopwatch:
    """Adds up the time of stages that follow each other.

    On CUDA, where work is queued, the marks are events in the queue: a stage's time is what the
    GPU spent on it or waited for it, and nothing is synchronised before `rates` is called.
    Elsewhere they are readings of the process's clock.
    """

    def __init__(self, device: torch.device) -> None:
        self.cuda = device.type == "cuda"
        self.marks: list[tuple[str | None, Any]] = []
        self.restart()

    def restart(self) -> None:
        """Forget what was added up; a stage begins now."""
        self.marks.clear()
        self.skip()

    def lap(self, stage: str) -> None:
        """What went by since the last mark was this stage."""
        self.marks.append((stage, self._now()))

    def skip(self) -> None:
        """What went by since the last mark was no stage: scores, saving."""
        self.marks.append((None, self._now()))

    def seconds(self) -> dict[str, float]:
        """Seconds of each stage since the last call, in the order in which they first came."""
        if self.cuda:
            self.marks[-1][1].synchronize()
        total: dict[str, float] = {}
        for (_, before), (stage, after) in zip(self.marks, self.marks[1:], strict=False):
            if stage is not None:
                took = before.elapsed_time(after) / 1000 if self.cuda else after - before
                total[stage] = total.get(stage, 0.0) + took
        self.marks = self.marks[-1:]
        return total

    def rates(self, images: int) -> dict[str, float]:
        """`per_second_STAGE`: images that each stage alone would have done in a second.

        images: of all stages since the last call, over all processes.
        """
        return {f"per_second_{k}": images / max(v, 1e-9) for k, v in self.seconds().items()}

    def _now(self) -> Any:
        if not self.cuda:
            return time.perf_counter()
        event = torch.cuda.Event(enable_timing=True)
        event.record()
        return event
