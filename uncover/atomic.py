"""Files and folders that are written whole or not at all, once for all packages."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows: what a killed run left stays there
    fcntl = None  # type: ignore[assignment]

OLD = ".old"
"""Ending of the folder that a new one replaces, for the instant between two renames."""
_swept: set[Path] = set()
"""Folders in which this process has looked for parts of runs that were killed."""


@contextmanager
def whole_file(path: Path, sync: bool = True) -> Iterator[Path]:
    """A path beside `path` to write to; it takes that place when the block ends well, or goes.

    Through a link the file it points to is replaced. A reader sees the old file or the new one.

    Args:
        path: in a folder that exists.
        sync: whether the bytes are on the disk before, so that a power cut leaves no empty file.

    Raises:
        OSError: it cannot be written.
    """
    target = Path(os.path.realpath(path)) if path.is_symlink() else path
    _sweep(target.parent)
    with _new_part(target.parent) as part:
        try:
            yield part
            if sync:
                with part.open("rb") as file:
                    os.fsync(file.fileno())
            part.replace(target)
        finally:
            with contextlib.suppress(OSError):
                part.unlink()


@contextmanager
def _new_part(folder: Path) -> Iterator[Path]:
    """A new, empty file, locked as long as it is written: so no other process sweeps it away."""
    while True:
        part = folder / f".{os.getpid()}.{os.urandom(4).hex()}.part"  # short: names have ends
        with part.open("xb") as file:
            if fcntl is None:
                break  # Windows renames no open file
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:  # swept away before it was locked
                continue
            except OSError:  # a file system without locks: nobody sweeps there
                pass
            if part.exists():
                yield part
                return
    yield part


def _sweep(folder: Path) -> None:
    """Remove what killed runs left in a folder, parts that no process holds; once is enough."""
    folder = folder.absolute()
    if fcntl is None or folder in _swept:
        return
    _swept.add(folder)
    for part in folder.glob(".*.*.part"):
        with contextlib.suppress(OSError), part.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            part.unlink()


def write_atomically(path: Path, data: bytes) -> None:
    """Write a file as `whole_file` does; its folder is made where there is none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(path) as part:
        part.write_bytes(data)


@contextmanager
def whole_folder(folder: Path) -> Iterator[Path]:
    """A new, empty folder beside `folder`; it takes that place when the block ends well.

    Killed between the last two renames, the old one lies under the name with `OLD`, from where
    `recovered` takes it back.

    Raises:
        OSError: it cannot be written.
    """
    part, old = (folder.with_name(folder.name + ending) for ending in (".part", OLD))
    recovered(folder)
    for leftover in (part, old):
        shutil.rmtree(leftover, ignore_errors=True)
    try:
        part.mkdir(parents=True)
        yield part
        if folder.exists():
            folder.replace(old)
        part.replace(folder)
    finally:
        recovered(folder)
        for leftover in (part, old):
            shutil.rmtree(leftover, ignore_errors=True)


def recovered(folder: Path) -> Path:
    """The folder, taken back from its old name where `whole_folder` was killed."""
    old = folder.with_name(folder.name + OLD)
    if not folder.exists() and old.exists():
        old.replace(folder)
    return folder
