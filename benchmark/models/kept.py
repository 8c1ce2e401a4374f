"""Models that were measured before: their numbers, taken over from another results.json.

Holes follow from photo and seed alone, so numbers of different runs over the same photos compare,
as long as everything that makes a number is the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from uncover.errors import UncoverError
from uncover.scores import read_results

_SAME = (
    "seed", "size", "aligned", "features", "lpips_net", "draws", "floor", "kid_subset_size",
    "factors",
)  # fmt: skip


def check_comparable(head: Mapping[str, Any], path: Path) -> dict[str, Any]:
    """The results at `path`, if their numbers compare with those of a run.

    Args:
        head: what results.json says of the run: data and settings.

    Raises:
        UncoverError: a file that cannot be read, or numbers that do not compare.
    """
    earlier = read_results(path)
    if earlier["data"]["sha256"] != head["data"]["sha256"]:
        raise UncoverError(f"--keep {path}: measured on other photos, labels or masks")
    for name in _SAME:
        if earlier.get(name) != head.get(name):
            raise UncoverError(
                f"--keep {path}: {name} was {earlier.get(name)}, here it is {head.get(name)}"
            )
    return earlier


def keep(results: dict[str, Any], path: Path) -> dict[str, Any]:
    """`results` with the models of the file at `path` that it lacks; each says whence, as `kept`.

    Paired comparisons need values per photo, so there are none with a model that was kept.

    Raises:
        UncoverError: a file that cannot be read, or numbers that do not compare.
    """
    earlier = check_comparable(results, path)
    source = {key: earlier.get(key, "unknown") for key in ("created", "git", "command")}
    models = dict(results["models"])
    for name, model in earlier["models"].items():
        if name not in models:
            models[name] = {"kept": source, **model}
    return {**results, "models": models}
