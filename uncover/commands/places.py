"""Which photos a command is asked to do, and where each result goes."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from uncover.errors import UncoverError
from uncover.images import (
    FORMATS,
    RAW,
    READABLE,
    is_file,
    local_path,
    made_here,
    starts_like_picture,
    walk,
    writable,
)
from uncover.results import sample_paths

STDIO = Path("-")
"""Stands for standard input as a photo, for standard output as a result."""


class UsageError(UncoverError):
    """Arguments that cannot be meant."""


@dataclass(frozen=True)
class Job:
    """One photo and where its result goes; `problem` says why it cannot be done."""

    source: Path
    target: Path
    problem: str | None = None


def given_path(text: str) -> Path:
    """The path an argument means: "-" is `STDIO`, "./-" a file called so.

    Raises:
        ImageError: it is the address of something on the network.
    """
    if text == "-":
        return STDIO
    path = local_path(text)
    return Path.cwd() / path if path == STDIO else path


def plan(
    photos: Iterable[Path],
    out: Path | None,
    samples: int = 1,
    recursive: bool = False,
    overwrite: bool = False,
) -> tuple[list[Job], list[str]]:
    """Lay out the jobs for photos and folders of photos.

    One photo: `out` is a file if its name ends like a picture, otherwise a folder. Without `out`,
    results stand beside their inputs as NAME_uncovered. In folders the outputs keep their names and
    their sub-folders. Several samples of a photo are named as `sample_paths` says. `STDIO` goes to
    `STDIO` if nothing else is said.

    Args:
        recursive: also do what lies in sub-folders.
        overwrite: also write over files that this program did not make.

    Returns:
        The jobs, and lines that say what of the folders was left out.

    Raises:
        UsageError: `out` cannot hold the results.
    """
    photos = list(dict.fromkeys(photos))
    folders = [photo for photo in photos if photo != STDIO and is_folder(photo)]
    single = len(photos) == 1 and not folders
    into_one = single and out is not None and _is_one_file(out)
    if out is not None:
        _check_out(out, single, samples)
    elif single and photos[0] == STDIO:
        out, into_one = STDIO, True
        _check_out(out, single, samples)
    jobs: list[Job] = []
    notes: list[str] = []
    for photo in photos:
        if photo in folders:
            target = out if out is not None else photo.with_name(f"{_name(photo)}_uncovered")
            if out is not None and len(folders) > 1:
                target = out / _name(photo)
            jobs += _of_folder(photo, target, recursive, notes)
        elif out is not None and into_one:
            jobs.append(Job(photo, out))
        elif out is None:
            target = writable("stdin.png" if photo == STDIO else photo)
            jobs.append(Job(photo, target.with_name(f"{target.stem}_uncovered{target.suffix}")))
        else:
            jobs.append(Job(photo, out / writable("stdin.png" if photo == STDIO else photo).name))
    return _without_clashes(jobs, samples, overwrite), notes


def _is_one_file(out: Path) -> bool:
    return out == STDIO or (bool(out.suffix) and not is_folder(out))


def _check_out(out: Path, single: bool, samples: int) -> None:
    endings = ", ".join(FORMATS)
    if out == STDIO:
        if not single or samples > 1:
            raise UsageError("-o - goes with exactly one photo and one sample")
        if sys.stdout.isatty():
            raise UsageError("a picture cannot be shown in a terminal: give -o FILE, or | PROGRAM")
    elif not single and not is_folder(out):
        if os.path.lexists(out):
            raise UsageError(f"{out} is a file: several photos need a folder as output")
        if out.suffix.lower() in FORMATS:
            raise UsageError(f"{out} is the name of one picture: several photos need a folder")
    elif _is_one_file(out) and out.suffix.lower() not in FORMATS:
        raise UsageError(f"cannot write {out}: its name must end in {endings}")


def _of_folder(folder: Path, target: Path, recursive: bool, notes: list[str]) -> list[Job]:
    jobs: list[Job] = []
    others = raw = left = 0
    for place, names, below in walk(folder, target if recursive else None):
        for path in (place / name for name in names):
            suffix = path.suffix.lower()
            if suffix in READABLE or (suffix not in RAW and starts_like_picture(path)):
                jobs.append(Job(path, target / writable(path.relative_to(folder))))
            elif suffix in RAW:
                raw += 1
            else:
                others += 1
        if not recursive:
            left = below
            break
    if others:
        notes.append(f"{others} other files in {folder} are not pictures and were passed over")
    if raw:
        notes.append(f"{raw} raw files in {folder} were left out: develop them to JPEG or TIFF")
    if left:
        notes.append(f"{left} sub-folders of {folder} were left out: --recursive does them, too")
    hint = " at its top: --recursive goes deeper" if left else ""
    return jobs or [Job(folder, target, f"{folder} is a folder without pictures{hint}")]


def _name(folder: Path) -> str:
    return folder.name or folder.resolve().name


def _without_clashes(jobs: list[Job], samples: int, overwrite: bool) -> list[Job]:
    """Mark jobs that would overwrite an input, another job's result, or what others made."""
    inputs = {job.source.resolve(): job.source for job in jobs if job.source != STDIO}
    taken: dict[Path, Path] = {}
    checked = []
    for job in jobs:
        problem = job.problem
        if problem is None and job.target != STDIO:
            targets = [path.resolve() for path in sample_paths(job.target, samples)]
            own = next((inputs[path] for path in targets if path in inputs), None)
            other = next((taken[path] for path in targets if path in taken), None)
            foreign = None if overwrite else next((t for t in targets if _is_foreign(t)), None)
            if own is not None:
                problem = f"{job.source}: the result would overwrite {own}: choose another -o"
            elif other is not None:
                problem = (
                    f"{job.source}: its result would overwrite that of {other} "
                    f"({job.target}): do them into different folders"
                )
            elif foreign is not None:
                problem = (
                    f"{job.source}: {foreign} exists and is not a result of uncover: choose "
                    "another -o, or give --overwrite"
                )
            else:
                taken |= dict.fromkeys(targets, job.source)
        checked.append(Job(job.source, job.target, problem))
    return checked


def is_folder(path: Path) -> bool:
    """Whether it is a folder; a name that cannot be is none."""
    try:
        return path.is_dir()
    except OSError:
        return False


def _is_foreign(path: Path) -> bool:
    return is_file(path) and not made_here(path)


def check_new_file(path: Path, overwrite: bool) -> None:
    """Raise a `UsageError` where a file of others would be overwritten."""
    if not overwrite and _is_foreign(path):
        raise UsageError(f"{path} exists: choose another name, or give --overwrite")
