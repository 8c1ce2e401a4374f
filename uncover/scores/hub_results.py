"""A part of a benchmark's results as the Hub's model cards state them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from huggingface_hub import EvalResult

DIGITS = 5


def eval_results(
    data: str, split: str, part: Mapping[str, Any], name_of: Callable[[str], str]
) -> list[EvalResult]:
    """What the Hub's `model-index` (https://huggingface.co/docs/hub/model-cards) says of `part`.

    data, split: name of the photos, and which of them, "" for all. part: a slice of results.json.
    name_of: what a metric is called there. Metrics without a value are left out.
    """
    found = []
    for metric, entry in part["metrics"].items():
        if entry["value"] is None:
            continue
        interval = [_rounded(entry[bound]) for bound in ("low", "high")]
        found.append(
            EvalResult(
                task_type="image-to-image",
                task_name="Filling the masked part of a face",
                dataset_type=data.lower().replace(" ", "-"),
                dataset_name=f"{data} with drawn masks",
                dataset_split=split or "all",
                metric_type=metric,
                metric_name=name_of(metric),
                metric_value=_rounded(entry["value"]),
                metric_args={"n": entry.get("n", part["n"]), "interval_95": interval},
            )
        )
    return found


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, DIGITS)
