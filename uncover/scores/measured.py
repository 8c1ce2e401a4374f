"""results.json, read: the form is checked, then models and groups of photos are found in it."""

from __future__ import annotations

import json
from collections.abc import Container, Iterable, Mapping
from pathlib import Path
from typing import Any

from uncover.errors import UncoverError
from uncover.scores.schema import check_results

ALL = "all"
"""The value of a factor that is not fixed."""


def read_results(path: Path) -> dict[str, Any]:
    """Read and check a results.json.

    Raises:
        UncoverError: unreadable, or of another form.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UncoverError(f"{path} cannot be read as JSON: {error}") from error
    return check_results(content)


def model_of(results: Mapping[str, Any], hashes: Container[str]) -> str | None:
    """The name of the first model with one of these weights_sha256; None when there is none."""
    found = (n for n, model in results["models"].items() if model["weights_sha256"] in hashes)
    return next(found, None)


def fixed(entry: Mapping[str, Any]) -> dict[str, str]:
    """The factors that a slice of a model fixes: factor -> value; {} for all photos."""
    return {factor: value for factor, value in entry["slice"].items() if value != ALL}


def part_of(slices: Iterable[Mapping[str, Any]], values: Mapping[str, str]) -> Any:
    """The slice that fixes exactly these factors at these values (those at "all" are free); None
    when there is none."""
    asked = fixed({"slice": values})
    return next((entry for entry in slices if fixed(entry) == asked), None)
