"""What a benchmark's results.json says about one set of weights, ready for the model card."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from huggingface_hub import EvalResult

from uncover.errors import UncoverError
from uncover.scores import (
    METRICS,
    cell,
    eval_results,
    fixed,
    heading,
    model_of,
    number,
    part_of,
    read_results,
)

SHOWN = ("psnr_hole", "ssim_hole", "lpips", "c2st", "sharpness", "kid")


@dataclass(frozen=True)
class CardResults:
    """Results of one model: data set and its split, feature network, slices and gaps as the
    benchmark gave them.

    slices: [{"slice": {...}, "n": N, "metrics": {...}}]. gaps: factor -> metric -> {worst, ...}.
    """

    data: str
    split: str
    n: int
    features: str
    slices: list[dict[str, Any]]
    gaps: dict[str, dict[str, Any]]

    def overall(self) -> dict[str, float]:
        """The metrics over all photos: name -> value."""
        whole = part_of(self.slices, {})
        values = ((k, m["value"]) for k, m in (whole["metrics"] if whole else {}).items())
        return {name: float(value) for name, value in values if value is not None}

    def for_hub(self) -> list[EvalResult]:
        """The same with intervals, as the card's metadata has it."""
        whole = part_of(self.slices, {})
        return eval_results(self.data, self.split, whole, _title) if whole else []

    def summary(self) -> dict[str, Any]:
        """The line that config.json keeps."""
        rounded = {name: round(value, 4) for name, value in self.overall().items()}
        return {"data": self.data, "n": self.n, **rounded}

    def table(self, metrics: Iterable[str] = SHOWN) -> str:
        """Markdown: one row a slice, each value with its 95 % interval."""
        named = [m for m in metrics if any(m in s["metrics"] for s in self.slices)]
        rows = ["| slice | n | " + " | ".join(heading(m) for m in named) + " |"]
        rows.append("|---|---:|" + "---:|" * len(named))
        for part in self.slices:
            values = [f"{k} {v}" for k, v in fixed(part).items()]
            cells = " | ".join(cell(part["metrics"].get(m), m) for m in named)
            rows.append(f"| {', '.join(values) or 'all'} | {part['n']} | {cells} |")
        return "\n".join(rows)

    def gap_table(self) -> str:
        """Markdown: for each factor and metric, how far its worst value lies from its best."""
        rows = ["| over | metric | best | worst | gap [95 % interval] | by chance |"]
        rows.append("|---|---|---|---|---:|---:|")
        for factor, metrics in self.gaps.items():
            for metric, gap in metrics.items():
                if gap["gap"] is None:
                    continue
                text = cell({**gap, "value": gap["gap"]}, metric)
                chance = number(gap.get("by_chance"), metric)
                title = METRICS[metric].title
                rows.append(
                    f"| {factor} | {title} | {gap['best']} | {gap['worst']} | {text} | {chance} |"
                )
        return "\n".join(rows) if len(rows) > 2 else ""


def _title(metric: str) -> str:
    return METRICS[metric].title


def results_for(path: Path, hashes: Iterable[str]) -> CardResults:
    """The results of the model whose weights_sha256 is one of `hashes`.

    Raises:
        UncoverError: no such file, not a benchmark's, or it measured other weights; one line.
    """
    results = read_results(path)
    name = model_of(results, set(hashes))
    if name is None:
        names = ", ".join(results["models"])
        raise UncoverError(f"{path} measured other weights ({names}): run the benchmark again")
    model, data = results["models"][name], results["data"]
    return CardResults(
        data=data["name"],
        split=data.get("split") or "",
        n=data["n"],
        features=results["features"],
        slices=model["slices"],
        gaps=model["gaps"],
    )
