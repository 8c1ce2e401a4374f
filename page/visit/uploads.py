"""Photos and results on disk: a folder of the page's own, emptied as time goes by."""

from __future__ import annotations

import atexit
import contextlib
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from uncover.errors import ImageError


def own_upload_folder() -> Path:
    """Have gradio keep its files in a new folder that goes when the program ends.

    It lies in $GRADIO_TEMP_DIR, or where the system keeps such files; nobody else writes there, so
    that all in it may be deleted.
    """
    above = os.environ.get("GRADIO_TEMP_DIR") or None
    if above:
        Path(above).mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="uncover-", dir=above)).resolve()
    os.environ["GRADIO_TEMP_DIR"] = str(folder)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def given_photo(value: Any, uploads: Path, examples: Mapping[str, Path]) -> Path | None:
    """The file that the place for photos names; None where there is none.

    Args:
        value: what came from the browser: {"path"} of an upload, {"example"}, or nothing.
        uploads: where uploaded files lie, one folder deep; no other file is taken.
        examples: by name.

    Raises:
        ImageError: it names neither.
    """
    if value is None:
        return None
    if isinstance(value, Mapping) and isinstance(name := value.get("example"), str):
        if name in examples:
            return examples[name]
    elif isinstance(value, Mapping) and isinstance(text := value.get("path"), str):
        with contextlib.suppress(OSError, ValueError):
            path = Path(text)
            inside = path == path.resolve() and path.parent.parent == uploads.resolve()
            if inside and path.is_file():
                return path
    raise ImageError("this photo did not arrive: add it anew")


def sweep(folder: Path, seconds: float, kept: Collection[str] = ()) -> int:
    """Delete files that came into `folder` more than `seconds` ago, and folders left empty.

    gradio's `delete_cache` deletes what it knows of; this gets the rest: results, what MCP clients
    send, and all else should gradio's own job have ended.

    Args:
        kept: paths of files to leave.

    Returns:
        How many files were deleted.
    """
    now, gone = time.time(), 0
    for place, _, names in os.walk(folder, topdown=False):
        for path in (Path(place) / name for name in names):
            with contextlib.suppress(OSError):  # gone meanwhile
                if now - path.lstat().st_ctime > seconds and str(path) not in kept:
                    path.unlink()
                    gone += 1
        if now - Path(place).stat().st_ctime > seconds and Path(place) != folder:
            with contextlib.suppress(OSError):  # not empty
                Path(place).rmdir()
    return gone


def keep_sweeping(folder: Path, seconds: float, every: float = 60) -> None:
    """Sweep `folder` from now on, all but what lies in it already: the page's own pictures."""
    kept = {str(path) for path in folder.rglob("*")}

    def forever() -> None:
        while True:
            time.sleep(every)
            sweep(folder, seconds, kept)

    threading.Thread(target=forever, name="sweep", daemon=True).start()
