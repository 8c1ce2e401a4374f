"""Which photos a command is asked to do, where each result goes, and what became of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeVar

from uncover.errors import UncoverError
from uncover.images import FORMATS, Photo, read_image
from uncover.pipeline import ON_CHIN, Uncoverer
from uncover.results import Face, Result, sample_paths

Status = Literal["filled", "no_face", "no_masked_face", "not_filled", "failed"]

T = TypeVar("T")

_READABLE = {*FORMATS, ".heic", ".heif", ".avif", ".ppm", ".pgm", ".jp2", ".apng"}


class UsageError(UncoverError):
    """Arguments that cannot be meant."""


@dataclass(frozen=True)
class Job:
    """One photo and where its result goes; `problem` says why it cannot be done."""

    source: Path
    target: Path
    problem: str | None = None


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


def plan(photos: Iterable[Path], out: Path | None, samples: int = 1) -> tuple[list[Job], int]:
    """Lay out the jobs for photos and folders of photos (their top level).

    One photo: `out` is a file if its name ends like a picture, otherwise a folder. Without `out`,
    results stand beside their inputs as NAME_uncovered. In folders the outputs keep their names.
    Several samples of a photo are named as `sample_paths` says.

    Returns:
        The jobs, and how many files of the folders were passed over as not being pictures.

    Raises:
        UsageError: `out` cannot hold the results.
    """
    photos = list(dict.fromkeys(photos))
    folders = [photo for photo in photos if photo.is_dir()]
    single = len(photos) == 1 and not folders
    if out is not None and not (single and not out.is_dir() and out.suffix):
        if out.exists() and not out.is_dir():
            raise UsageError(f"{out} is a file: several photos need a folder as output")
    elif out is not None and out.suffix.lower() not in FORMATS:
        raise UsageError(f"cannot write {out}: its name must end in {', '.join(FORMATS)}")
    jobs: list[Job] = []
    passed_over = 0
    for photo in photos:
        if photo in folders:
            inside = sorted(p for p in photo.iterdir() if p.is_file() and p.name[0] != ".")
            pictures = [p for p in inside if p.suffix.lower() in _READABLE]
            passed_over += len(inside) - len(pictures)
            target = out if out is not None else photo.with_name(f"{_name(photo)}_uncovered")
            if out is not None and len(folders) > 1:
                target = out / _name(photo)
            if not pictures:
                jobs.append(Job(photo, target, f"{photo} is a folder without pictures"))
            jobs.extend(Job(p, target / _writable(p).name) for p in pictures)
        elif out is None:
            target = _writable(photo)
            jobs.append(Job(photo, target.with_name(f"{target.stem}_uncovered{target.suffix}")))
        elif single and out.suffix and not out.is_dir():
            jobs.append(Job(photo, out))
        else:
            jobs.append(Job(photo, out / _writable(photo).name))
    return _without_clashes(jobs, samples), passed_over


def _name(folder: Path) -> str:
    return folder.name or folder.resolve().name


def _writable(path: Path) -> Path:
    """The path with an ending that can be written."""
    return path if path.suffix.lower() in FORMATS else path.with_suffix(".png")


def _without_clashes(jobs: list[Job], samples: int) -> list[Job]:
    """Mark jobs that would overwrite an input or another job's result."""
    inputs = {job.source.resolve(): job.source for job in jobs}
    taken: dict[Path, Path] = {}
    checked = []
    for job in jobs:
        targets = [path.resolve() for path in sample_paths(job.target, samples)]
        own = next((inputs[path] for path in targets if path in inputs), None)
        other = next((taken[path] for path in targets if path in taken), None)
        problem = job.problem
        if problem is None and own is not None:
            problem = f"{job.source}: the result would overwrite {own}: choose another -o"
        elif problem is None and other is not None:
            problem = (
                f"{job.source}: its result would overwrite that of {other} "
                f"({job.target}): do them into different folders"
            )
        elif problem is None:
            taken |= dict.fromkeys(targets, job.source)
        checked.append(Job(job.source, job.target, problem))
    return checked


def read(job: Job) -> Photo | Outcome:
    """The job's photo; an `Outcome` where that cannot be had, so that other jobs go on."""
    if job.problem is not None:
        return Outcome(job, "failed", job.problem)
    return _attempt(job, lambda: read_image(job.source))


def fill(
    job: Job, photo: Photo, uncoverer: Uncoverer, mask: Path | None = None
) -> Result | Outcome:
    """The painted photo; an `Outcome` where nothing was painted."""

    def work() -> Result | Outcome:
        result = uncoverer(photo) if mask is None else uncoverer.fill(photo, mask)
        if result.filled:
            return result
        status, why = _nothing_filled(result.faces)
        return Outcome(job, status, f"{job.source}: {why}", result.to_dict())

    return _attempt(job, work)


def write(job: Job, result: Result) -> Outcome:
    """Write the painted photo."""

    def work() -> Outcome:
        job.target.parent.mkdir(parents=True, exist_ok=True)
        result.save_samples(job.target)
        count = len(result.filled)
        left = [f.reason for f in result.faces if f.reason not in (None, "bare", "low score")]
        rest = f", left alone: {', '.join(str(r) for r in left)}" if left else ""
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
    except OSError as error:
        return Outcome(job, "failed", f"{job.source}: {error.strerror or error}")
    except Exception as error:  # a fault of ours in one photo must not stop the others
        text = " ".join(str(error).split())
        return Outcome(job, "failed", f"{job.source}: unexpected {type(error).__name__}: {text}")


def _with_name(path: Path, message: str) -> str:
    return message if str(path) in message else f"{path}: {message}"


def _nothing_filled(faces: list[Face]) -> tuple[Status, str]:
    """Status and one line for a photo in which nothing was painted."""
    reasons = list(dict.fromkeys(str(f.reason) for f in faces if f.reason != "low score"))
    if not reasons:
        doubtful = f" ({len(faces)} doubtful: see --min-score)" if faces else ""
        return "no_face", f"no face found{doubtful}"
    if reasons == ["bare"]:
        return "no_masked_face", "no masked face found: every face in it is bare"
    worth = [reason for reason in reasons if reason != "bare"]
    hint = "; --fill-chin fills these too" if ON_CHIN in worth else ""
    return "not_filled", f"no face filled: {', '.join(worth)}{hint}"
