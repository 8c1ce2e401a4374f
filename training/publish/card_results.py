"""What a benchmark's results.json says about one set of weights, ready for the model card."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from uncover.errors import UncoverError

NAMES = {
    "ssim": "SSIM, whole picture",
    "ssim_hole": "SSIM, hole",
    "psnr_hole": "PSNR, hole (dB)",
    "lpips": "LPIPS",
    "fid": "FID (biased)",
    "kid": "KID",
}
ALL = "all"


@dataclass(frozen=True)
class CardResults:
    """Results of one model: data set, feature network, slices and gaps as the benchmark gave them.

    slices: [{"slice": {...}, "n": N, "metrics": {...}}]. gaps: factor -> metric -> {worst, ...}.
    """

    data: str
    n: int
    features: str
    slices: list[dict[str, Any]]
    gaps: dict[str, dict[str, Any]]

    def overall(self) -> dict[str, float]:
        """The metrics over all photos: name -> value."""
        found = next((s for s in self.slices if set(s["slice"].values()) <= {ALL}), None)
        metrics = found["metrics"] if found else {}
        values = ((k, m.get("value")) for k, m in metrics.items() if k in NAMES)
        return {name: float(value) for name, value in values if value is not None}

    def summary(self) -> dict[str, Any]:
        """The line that config.json keeps."""
        rounded = {name: round(value, 4) for name, value in self.overall().items()}
        return {"data": self.data, "n": self.n, **rounded}

    def table(self, metrics: Iterable[str] = ("psnr_hole", "ssim_hole", "lpips", "kid")) -> str:
        """Markdown: one row a slice, each value with its 95 % interval."""
        named = [m for m in metrics if any(m in s["metrics"] for s in self.slices)]
        rows = ["| slice | n | " + " | ".join(NAMES[m] for m in named) + " |"]
        rows.append("|---|---:|" + "---:|" * len(named))
        for part in self.slices:
            fixed = [f"{k} {v}" for k, v in part["slice"].items() if v != ALL]
            cells = " | ".join(interval(part["metrics"].get(m)) for m in named)
            rows.append(f"| {', '.join(fixed) or 'all'} | {part['n']} | {cells} |")
        return "\n".join(rows)

    def gap_table(self) -> str:
        """Markdown: for each factor and metric, how far its worst value lies from its best."""
        rows = ["| over | metric | best | worst | gap (95 % interval) | by chance |"]
        rows.append("|---|---|---|---|---:|---:|")
        for factor, metrics in self.gaps.items():
            for metric, gap in metrics.items():
                if gap.get("gap") is None or metric not in NAMES:
                    continue
                text = interval({**gap, "value": gap["gap"]})
                chance = gap.get("by_chance")
                shown = f"{chance:.3g}" if isinstance(chance, float) else "–"
                rows.append(
                    f"| {factor} | {NAMES[metric]} | {gap['best']} | {gap['worst']} | {text} "
                    f"| {shown} |"
                )
        return "\n".join(rows) if len(rows) > 2 else ""


def read_results(path: Path, hashes: Iterable[str]) -> CardResults:
    """The results of the model whose weights_sha256 is one of `hashes`.

    Raises:
        UncoverError: no such file, not a benchmark's, or it measured other weights; one line.
    """
    try:
        data = json.loads(path.read_text("utf-8"))
        models = dict(data["models"])
        found = [m for m in models.values() if m.get("weights_sha256") in set(hashes)]
        if not found:
            names = ", ".join(models)
            raise UncoverError(f"{path} measured other weights ({names}): run the benchmark again")
        return CardResults(
            data=str(data["data"]["name"]),
            n=int(data["data"]["n"]),
            features=str(data.get("features", "")),
            slices=list(found[0]["slices"]),
            gaps=dict(found[0].get("gaps", {})),
        )
    except OSError as error:
        raise UncoverError(f"{path} cannot be read: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UncoverError(f"{path} is not a benchmark's results.json ({error})") from error


def interval(entry: dict[str, Any] | None) -> str:
    """A value with its interval, such as "0.061 (0.058–0.064)"."""
    if not entry or entry.get("value") is None:
        return str(entry.get("note", "too few")) if entry else "–"
    text = f"{entry['value']:.4g}"
    if entry.get("low") is None or entry.get("high") is None:
        return text
    return f"{text} ({entry['low']:.4g}–{entry['high']:.4g})"
