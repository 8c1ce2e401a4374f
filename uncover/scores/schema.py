"""The form of results.json, checked when it is written and when it is read."""

from __future__ import annotations

import math
from typing import Any

from uncover.errors import UncoverError
from uncover.scores.known import METRICS

TOO_FEW = "too few"
"""The note of a metric that has no value for want of photos."""

_TOP: dict[str, type] = {"created": str, "git": str, "data": dict, "features": str, "models": dict}
_DATA: dict[str, type] = {"name": str, "sha256": str, "n": int}
_PIXEL_METRICS = ("ssim", "ssim_hole", "psnr_hole")


def check_results(results: object) -> dict[str, Any]:
    """Give back what has the form of results.json.

    Raises:
        UncoverError: the first field that is missing or of another type.
    """
    top = _fields(results, _TOP, "results")
    data = _fields(top["data"], _DATA, "data")
    if not top["models"]:
        raise UncoverError("results.json lists no model")
    for name, model in top["models"].items():
        entries = _fields(model, {"slices": list, "gaps": dict}, f"models.{name}")["slices"]
        if "weights_sha256" not in model or not entries:
            raise UncoverError(f"results.json: models.{name} lacks weights_sha256 or slices")
        for i, entry in enumerate(entries):
            _check_slice(entry, f"models.{name}.slices[{i}]", data["n"])
        for factor, metrics in model["gaps"].items():
            for metric, gap in _is(metrics, dict, f"models.{name}.gaps.{factor}").items():
                where = f"models.{name}.gaps.{factor}.{metric}"
                _known(metric, where)
                _numbers(gap, ("gap", "low", "high"), where)
                if not {"worst", "best"} <= set(gap):
                    raise UncoverError(f"results.json: {where} lacks worst or best")
    return top


def _check_slice(entry: object, where: str, most: int) -> None:
    part = _fields(entry, {"slice": dict, "n": int, "metrics": dict}, where)
    if not 0 <= part["n"] <= most:
        raise UncoverError(f"results.json: {where}.n is {part['n']} of {most}")
    for factor, value in part["slice"].items():
        _is(value, str, f"{where}.slice.{factor}")
    for metric in _PIXEL_METRICS:
        if metric not in part["metrics"]:
            raise UncoverError(f"results.json: {where} lacks {metric}")
    for metric, numbers in part["metrics"].items():
        _known(metric, where)
        _numbers(numbers, ("value", "low", "high"), f"{where}.metrics.{metric}")


def _known(metric: str, where: str) -> None:
    if metric not in METRICS:
        raise UncoverError(f"results.json: {where} has the unknown metric {metric}")


def _numbers(entry: object, names: tuple[str, ...], where: str) -> None:
    given = _is(entry, dict, where)
    for name in names:
        if name not in given:
            raise UncoverError(f"results.json: {where} lacks {name}")
        value = given[name]
        right = isinstance(value, int | float) and not isinstance(value, bool)
        if value is not None and not (right and math.isfinite(value)):
            raise UncoverError(f"results.json: {where}.{name} is {value!r}, not a number or null")


def _fields(value: object, wanted: dict[str, type], where: str) -> dict[str, Any]:
    given = _is(value, dict, where)
    for name, kind in wanted.items():
        if name not in given:
            raise UncoverError(f"results.json: {where} lacks {name}")
        _is(given[name], kind, f"{where}.{name}")
    return given


def _is(value: Any, kind: type, where: str) -> Any:
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise UncoverError(f"results.json: {where} is not of type {kind.__name__}")
    return value
