"""A small results.json in the benchmark's form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from uncover.scores import METRICS, check_results

PIXELS = ("psnr_hole", "ssim", "ssim_hole")


def entry(value: float | None, reach: float = 0.0) -> dict[str, Any]:
    """A metric's value with an interval of `reach` on both sides."""
    if value is None:
        return {"value": None, "low": None, "high": None, "note": "too few"}
    return {"value": value, "low": value - reach, "high": value + reach}


def part(n: int, reach: float = 0.0, fixed: Mapping[str, str] | None = None, **values: Any) -> Any:
    """A slice over ethnicity and pose; values: metric -> value."""
    assert set(values) <= set(METRICS)
    metrics = dict.fromkeys(PIXELS) | values
    named = {"ethnicity": "all", "pose": "all"} | dict(fixed or {})
    measured = {name: entry(value, reach) for name, value in metrics.items()}
    return {"slice": named, "n": n, "metrics": measured}


def results(
    models: Mapping[str, tuple[str | None, Sequence[Any]]],
    name: str = "some faces",
    gaps: Mapping[str, Any] | None = None,
    **data: Any,
) -> dict[str, Any]:
    """models: name -> (weights_sha256, slices). data: more of the data set."""
    most = max(s["n"] for _, slices in models.values() for s in slices)
    return check_results(
        {
            "created": "",
            "git": "",
            "features": "squeezenet1_1",
            "data": {"name": name, "sha256": "0", "n": most, **data},
            "models": {
                model: {"weights_sha256": sha256, "slices": list(slices), "gaps": dict(gaps or {})}
                for model, (sha256, slices) in models.items()
            },
        }
    )
