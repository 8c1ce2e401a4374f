"""Counts over a manifest while it is written: split x ethnicity, pose bins, failures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from uncover.faces import POSE_BINS, SPLITS, pose_bin


@dataclass
class Summary:
    """Running counts; `add` takes manifest rows, `failures` is counted by reason."""

    ethnicities: Counter[tuple[str, str]] = field(default_factory=Counter)
    poses: Counter[tuple[str, str]] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)

    def add(self, row: Mapping[str, str]) -> None:
        self.ethnicities[row["split"], row["ethnicity"]] += 1
        self.poses[row["split"], pose_bin(float(row["yaw"]))] += 1

    @property
    def usable(self) -> int:
        return self.ethnicities.total()

    def as_dict(self) -> dict[str, object]:
        """JSON-ready counts in a fixed order."""
        return {
            "usable": self.usable,
            "failed": dict(sorted(self.failures.items())),
            "ethnicity": _nested(self.ethnicities),
            "yaw": _nested(self.poses),
        }

    def text(self) -> str:
        """The tables printed at the end of a preparation."""
        labels = sorted({label for _, label in self.ethnicities})
        lines = [
            f"{self.usable} faces usable, {self.failures.total()} pictures left out",
            "",
            *_table("ethnicity", labels, self.ethnicities),
            "",
            *_table("|yaw|", list(POSE_BINS), self.poses),
        ]
        if self.failures:
            lines += ["", "left out (see failed.csv):"]
            lines += [f"  {count:8d}  {reason}" for reason, count in self.failures.most_common()]
        return "\n".join(lines)


def _nested(counts: Counter[tuple[str, str]]) -> dict[str, dict[str, int]]:
    return {
        split: {name: n for (part, name), n in sorted(counts.items()) if part == split}
        for split in SPLITS
        if any(part == split for part, _ in counts)
    }


def _table(title: str, columns: list[str], counts: Counter[tuple[str, str]]) -> list[str]:
    width = max(8, *(len(column) + 2 for column in columns))
    lines = [f"{title:10}" + "".join(f"{name:>{width}}" for name in [*columns, "all"])]
    for split in SPLITS:
        row = [counts[split, column] for column in columns]
        if any(row):
            lines.append(f"{split:10}" + "".join(f"{n:>{width}}" for n in [*row, sum(row)]))
    return lines
