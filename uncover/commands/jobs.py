"""One photo's way through a command, and what became of it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from uncover.commands.mask_files import doubt, save_mask
from uncover.commands.places import STDIO, Job
from uncover.errors import UncoverError
from uncover.images import Photo, encoded, format_for, read_image, read_mask
from uncover.pipeline import Uncoverer
from uncover.results import Reason, Result
from uncover.status import Status, why_nothing

T = TypeVar("T")


@dataclass(frozen=True)
class ByHand:
    """What is asked of one photo's mask.

    Attributes:
        mask: paint where this picture is white, and find nothing.
        force: paint even where that mask looks inverted.
        saved: where to write the mask of what was painted.
    """

    mask: Path | None = None
    force: bool = False
    saved: Path | None = None


NOTHING = ByHand()


@dataclass
class Outcome:
    """What became of a job; `message` is one line for people."""

    job: Job
    status: Status
    message: str
    details: dict[str, Any] = field(default_factory=dict)

    def shortened(self) -> Outcome:
        """Without outlines and points, which take kilobytes a face: enough to count by."""
        faces = [{"filled": face["filled"]} for face in self.details.get("faces", ())]
        return Outcome(self.job, self.status, self.message, {"faces": faces})

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        empty: dict[str, Any] = {"width": None, "height": None, "faces": [], "warnings": []}
        return {
            "input": str(self.job.source),
            "output": str(self.job.target) if self.status == "filled" else None,
            "status": self.status,
            "error": self.message if self.status == "failed" else None,
            **(self.details or empty),
        }


def read(job: Job) -> Photo | Outcome:
    """The job's photo; an `Outcome` where that cannot be had, so that other jobs go on."""
    if job.problem is not None:
        return Outcome(job, "failed", job.problem)
    if job.source == STDIO:
        return _attempt(job, lambda: replace(read_image(sys.stdin.buffer), path=None))
    return _attempt(job, lambda: read_image(job.source))


def fill(
    job: Job, photo: Photo, uncoverer: Uncoverer, by_hand: ByHand = NOTHING
) -> Result | Outcome:
    """The painted photo; an `Outcome` where nothing was painted."""

    def work() -> Result | Outcome:
        if by_hand.mask is None:
            result = uncoverer(photo)
        else:
            given = sys.stdin.buffer if by_hand.mask == STDIO else by_hand.mask
            painted = read_mask(given, photo)
            faces = [] if uncoverer.is_one_crop(photo) else uncoverer.detect(photo)
            if not by_hand.force and (why := doubt(painted, faces)):
                raise UncoverError(f"{by_hand.mask}: {why}")
            result = uncoverer.fill(photo, painted)
        if result.filled:
            return result
        status, why = why_nothing(result.faces)
        return Outcome(job, status, f"{job.source}: {why}", result.to_dict())

    return _attempt(job, work)


def write(job: Job, result: Result, by_hand: ByHand = NOTHING) -> Outcome:
    """Write the painted photo, and its mask where that is asked for."""

    def work() -> Outcome:
        if job.target == STDIO:
            kind = format_for(result.photo)
            sys.stdout.buffer.write(encoded(result.image, kind, result.photo))
            sys.stdout.buffer.flush()
        else:
            job.target.parent.mkdir(parents=True, exist_ok=True)
            result.save_samples(job.target)
        if by_hand.saved is not None:
            save_mask(result, by_hand.saved)
        count = len(result.filled)
        sure = [face for face in result.faces if not face.doubtful]
        left = [str(face.reason) for face in sure if face.reason not in (None, Reason.BARE)]
        rest = f", left alone: {', '.join(left)}" if left else ""
        plural = "" if count == 1 else "s"
        message = f"{job.source} -> {job.target} ({count} face{plural} filled{rest})"
        return Outcome(job, "filled", message, result.to_dict())

    return _attempt(job, work)


def _attempt(job: Job, work: Callable[[], T]) -> T | Outcome:
    """What `work` gives; its errors become an outcome."""
    try:
        return work()
    except UncoverError as error:
        return Outcome(job, "failed", _with_name(job.source, str(error)))
    except BrokenPipeError:
        return Outcome(job, "failed", f"{job.source}: the program that reads the result has ended")
    except OSError as error:
        return Outcome(job, "failed", f"{job.source}: {error.strerror or error}")
    except Exception as error:  # a fault of ours in one photo must not stop the others
        text = " ".join(str(error).split())
        return Outcome(job, "failed", f"{job.source}: unexpected {type(error).__name__}: {text}")


def _with_name(path: Path, message: str) -> str:
    if path == STDIO:
        return f"standard input: {message}"
    return message if str(path) in message else f"{path}: {message}"
