"""What the detector's and the segmenter's loops do alike: before the first batch and after each."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset
from tqdm import tqdm

from training.run.ema import update_ema
from training.run.log import RunLog
from training.run.runs import catch_interrupt, crossed, schedule
from training.run.state import RunState
from uncover.errors import UncoverError


@dataclass(frozen=True)
class LoopSettings:
    """The settings that every such run has; lengths and intervals are counted in images.

    images: length of the run; the rate warms up over `warmup` images and falls to zero over the
      last `decay` share. precision: "no" or "bf16".
    """

    seed: int = 0
    images: int = 10_000
    batch: int = 8
    rate: float = 1e-3
    weight_decay: float = 1e-4
    warmup: int = 500
    decay: float = 0.5
    clip: float = 1.0
    ema: float = 0.998
    eval_every: int = 2_500
    save_every: int = 1_000
    workers: int = 0
    threads: int = 0
    precision: str = "no"

    def __post_init__(self) -> None:
        if self.precision not in ("no", "bf16"):
            raise ValueError(f"precision must be no or bf16, not {self.precision!r}")
        if min(self.images, self.batch, self.eval_every, self.save_every) < 1:
            raise ValueError("images, batch, eval_every, save_every must be positive")
        if not 0 < self.decay <= 1:
            raise ValueError("decay must lie in 0..1")


def start_torch(settings: LoopSettings) -> torch.device:
    """Set threads and seed; the device to train on."""
    if settings.threads:
        torch.set_num_threads(settings.threads)
    torch.manual_seed(settings.seed)
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def load_in_order(
    data: Dataset, settings: LoopSettings, seen: int, collate: Callable[..., Any] | None = None
) -> DataLoader:
    """Batches of the items from number `seen` on; item i is a function of (seed, i)."""
    return DataLoader(
        data,
        batch_size=settings.batch,
        sampler=range(seen, settings.images),
        num_workers=settings.workers,
        collate_fn=collate,
        pin_memory=torch.cuda.is_available(),
        drop_last=True,
        persistent_workers=settings.workers > 0,
        generator=torch.Generator(),  # or else starting it would advance the global one
    )


class Loop:
    """What every batch ends with: the step, the average, log, save, scores, and when to stop.

    with Loop(...) as loop:
        for batch in loader:
            loop.set_rate()
            ...
            if not loop.step(loss, terms, count):
                break
    """

    def __init__(
        self,
        run: RunState,
        parameters: Iterable[nn.Parameter],
        *,
        log_every: int,
        notes: dict[str, Any],
        evaluate: Callable[[int], dict[str, float] | None],
        deadline: float | None,
    ) -> None:
        """log_every: in batches. notes: saved with the weights. evaluate: scores of the averaged
        network after so many images, None for none. deadline: of `time.monotonic`, or None."""
        self.run, self.settings, self.parameters = run, run.settings, list(parameters)
        self.log_every, self.notes = log_every * run.settings.batch, notes
        self.evaluate, self.deadline = evaluate, deadline
        self.log = RunLog(run.folder)
        self.interrupted = catch_interrupt()
        self.bar = tqdm(total=run.settings.images, initial=run.seen, unit="image", disable=None)
        self._begin_count()
        run.model.train()

    def __enter__(self) -> Loop:
        return self

    def __exit__(self, *_: object) -> None:
        self.bar.close()
        self.log.close()

    def set_rate(self) -> float:
        """Set the learning rate of the next step, which a parameter group may have a "factor" on;
        returns the schedule's factor."""
        s = self.settings
        factor = schedule(self.run.seen, s.images, s.warmup, s.decay)
        for group in self.run.optimizer.param_groups:
            group["lr"] = s.rate * factor * group.get("factor", 1.0)
        return factor

    def step(self, loss: Tensor, terms: dict[str, Tensor], count: int) -> bool:
        """Take a step; log `terms`, save and evaluate where it is time; whether to go on.

        Raises:
            UncoverError: the loss is not a number.
        """
        run, s = self.run, self.settings
        if not torch.isfinite(loss):
            raise UncoverError(f"the loss is not a number after {run.seen} images: lower the rate")
        run.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.parameters, s.clip)
        run.optimizer.step()

        run.seen += count
        self.counted += count
        self.bar.update(count)
        update_ema(run.ema, run.model, s.ema, run.seen / s.batch)
        for name, value in terms.items():
            self.sums[name] = self.sums.get(name, 0.0) + float(value.detach()) * count

        last = run.seen + s.batch > s.images
        if crossed(run.seen, s.batch, self.log_every) or last:
            values = {name: value / self.counted for name, value in self.sums.items()}
            values["per_second"] = self.counted / (time.monotonic() - self.clock)
            self.log.write("train", run.seen, values)
            self._begin_count()
        late = self.deadline is not None and time.monotonic() > self.deadline
        stop = late or self.interrupted()
        if crossed(run.seen, s.batch, s.eval_every) or last:  # before it is saved as done
            scores = self.evaluate(run.seen)
            if scores is not None:
                self.log.write("val", run.seen, scores)
            self._begin_count()
        if crossed(run.seen, s.batch, s.save_every) or last or stop:
            run.save(self.notes)
        if stop and not last:
            print(f"stopped after {run.seen} images; go on with --resume", file=sys.stderr)
        return not stop

    def _begin_count(self) -> None:
        self.sums: dict[str, float] = {}
        self.counted, self.clock = 0, time.monotonic()


def deadline(max_minutes: float | None) -> float | None:
    """The moment of `time.monotonic` at which a run of so many minutes that starts now is over."""
    return None if max_minutes is None else time.monotonic() + 60 * max_minutes
