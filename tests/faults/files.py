"""What a folder holds: whether each file is whole, and what it says without the time of day."""

from __future__ import annotations

import csv
import json
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from safetensors import safe_open

CLOCKS = ("minutes", "created", "seconds", "command", "git")
"""Words of JSON files that differ from run to run."""
GROWING = (".jsonl",)
"""Files that grow line by line: the last line of a run that was killed may be half."""


def files(folder: Path) -> list[Path]:
    """All files but those that are no result: hidden ones, and TensorBoard's."""
    found = []
    for path in sorted(folder.rglob("*")):
        parts = path.relative_to(folder).parts
        unfinished = any(p.startswith(".") or p.endswith((".part", ".old")) for p in parts)
        if path.is_file() and not unfinished and "tfevents" not in path.name:
            found.append(path)
    return found


def broken(folder: Path) -> list[str]:
    """Files under their final names that are not whole."""
    found = []
    for path in files(folder):
        try:
            _read(path)
        except Exception as error:
            found.append(f"{path.relative_to(folder)}: {type(error).__name__}: {error}")
    return found


def leftovers(folder: Path) -> list[str]:
    """What a finished run should have removed: parts of files, old folders, journals."""
    names = (".part", ".old", ".incomplete")
    return [
        str(path.relative_to(folder))
        for path in sorted(folder.rglob("*"))
        if path.name.endswith(names) or path.name in (".parts", ".uncover-progress.jsonl")
    ]


def _read(path: Path) -> None:
    suffix = path.suffix
    if suffix == ".json":
        json.loads(path.read_text("utf-8"))
    elif suffix in GROWING:
        for line in path.read_text("utf-8").splitlines()[:-1]:
            json.loads(line)
    elif suffix == ".safetensors":
        with safe_open(str(path), "np") as stored:
            for name in stored.keys():  # noqa: SIM118
                stored.get_tensor(name)
    elif suffix in (".png", ".jpg"):
        with Image.open(path) as image:
            image.load()
    elif suffix == ".npz":
        with np.load(path) as stored:
            dict(stored)
    elif suffix == ".tar":
        with tarfile.open(path) as archive:
            for member in archive:
                if (stream := archive.extractfile(member)) is not None:
                    stream.read()
    elif suffix == ".csv":
        text = path.read_text("utf-8")
        lengths = {len(row) for row in csv.reader(text.splitlines())}
        if len(lengths) != 1 or not text.endswith("\n"):
            raise ValueError(f"rows of {lengths} cells")
    elif path.stat().st_size == 0:
        raise ValueError("empty")


def contents(folder: Path) -> dict[str, Any]:
    """Each file by its name: bytes, or what its JSON says; of a log the last scores."""
    found: dict[str, Any] = {}
    for path in files(folder):
        name = str(path.relative_to(folder))
        if path.suffix == ".json":
            found[name] = _timeless(json.loads(path.read_text("utf-8")))
        elif path.name == "log.jsonl":
            rows = [json.loads(line) for line in path.read_text("utf-8").splitlines() if line]
            found[name] = [row for row in rows if row["kind"] == "val"][-1:]
        else:
            found[name] = path.read_bytes()
    return found


def _timeless(value: Any) -> Any:
    if isinstance(value, dict):
        if "__dict__" in value:  # a checkpoint's form
            rest = [pair for pair in value["__dict__"] if pair[0] not in CLOCKS]
            return [_timeless(pair) for pair in rest]
        return {k: _timeless(v) for k, v in value.items() if k not in CLOCKS}
    return [_timeless(v) for v in value] if isinstance(value, list) else value


def differences(found: dict[str, Any], wanted: dict[str, Any]) -> list[str]:
    """Files that are missing, too many, or not the same."""
    names = sorted(found.keys() | wanted.keys())
    return [
        f"{name} is {'missing' if name not in found else 'new' if name not in wanted else 'other'}"
        for name in names
        if found.get(name) != wanted.get(name)
    ]
