"""Metrics and their values as text, the same in reports, cards and on the page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from uncover.scores.known import METRICS


def heading(metric: str, plain: bool = False) -> str:
    """Title, unit and direction, such as "PSNR hole, dB ↑"; plain: in plainer words, if any."""
    known = METRICS[metric]
    called = (known.plain if plain else "") or known.title
    title = f"{called}, {known.unit}" if known.unit else called
    return f"{title} {known.mark}"


def number(value: float | None, metric: str | int) -> str:
    """A value with the digits of its metric, or so many; a dash for none."""
    if value is None:
        return "–"
    if isinstance(metric, int):
        return f"{value:.{metric}f}"
    # Kernel distances depend on the features' scale: thousandths for some, tens for others.
    digits = 1 if metric == "kid" and abs(value) >= 1 else METRICS[metric].digits
    return f"{value:.{digits}f}"


def cell(entry: Mapping[str, Any] | None, metric: str | int) -> str:
    """value [low, high] of an entry of results.json, or why there is none; digits as `number`."""
    if entry is None:
        return "–"
    if entry["value"] is None:
        return str(entry.get("note", "–"))
    text = number(entry["value"], metric)
    if entry["low"] is None:
        return text
    return f"{text} [{number(entry['low'], metric)}, {number(entry['high'], metric)}]"
