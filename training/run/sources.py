"""What a `--data` may name: a prepared folder, a folder of shards, or their URL."""

from __future__ import annotations

from pathlib import Path

from uncover.errors import UncoverError

SHARDS_NAME = "shards"
INDEX_NAME = "index.json"


def is_url(text: str) -> bool:
    """Whether shards are asked for over the network."""
    return text.startswith(("http://", "https://"))


def data_source(text: str, shards: bool) -> Path | str:
    """What a `--data` names: an existing folder, or, where shards will do, their URL.

    An index.json stands for its folder. Raises UncoverError when there is no such folder.
    """
    if shards and is_url(text):
        return text
    path = Path(text)
    if shards and path.name == INDEX_NAME:
        path = path.parent
    if not path.is_dir():
        raise UncoverError(f"--data {text}: no such folder")
    return path
