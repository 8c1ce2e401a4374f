"""Counts over a manifest while it is written: split x ethnicity, pose bins, failures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from uncover.faces import POSE_BINS, SPLITS, UNKNOWN, pose_bin

LEFT_OUT_NAME = "left_out.csv"
LEFT_OUT_COLUMNS = ("reason", "factor", "slice", "left_out", "of")


@dataclass
class Summary:
    """Running counts; `add` takes manifest rows, `failures` is counted by reason."""

    ethnicities: Counter[tuple[str, str]] = field(default_factory=Counter)
    poses: Counter[tuple[str, str]] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)
    left_out: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    seen: Counter[tuple[str, str]] = field(default_factory=Counter)

    def add(self, row: Mapping[str, str]) -> None:
        self.ethnicities[row["split"], row["ethnicity"]] += 1
        self.poses[row["split"], pose_bin(float(row["yaw"]))] += 1
        self._see(row["ethnicity"], pose_bin(float(row["yaw"])))

    def leave_out(self, reason: str, ethnicity: str, yaw: str) -> None:
        """Count a picture that is left out; `yaw` is "" where no face was found."""
        reason, pose = reason.split(":")[0], pose_bin(float(yaw)) if yaw else UNKNOWN
        self.failures[reason] += 1
        self.left_out[reason, "ethnicity", ethnicity] += 1
        self.left_out[reason, "pose", pose] += 1
        self._see(ethnicity, pose)

    def _see(self, ethnicity: str, pose: str) -> None:
        self.seen["ethnicity", ethnicity] += 1
        self.seen["pose", pose] += 1

    def left_out_rows(self) -> list[list[str]]:
        """Rows of left_out.csv: reason, factor, slice, pictures left out, of so many."""
        return [
            [reason, factor, name, str(n), str(self.seen[factor, name])]
            for (reason, factor, name), n in sorted(self.left_out.items())
        ]

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
            for factor in ("ethnicity", "pose"):
                lines += ["", *self._left_out_table(factor)]
        return "\n".join(lines)

    def _left_out_table(self, factor: str) -> list[str]:
        """Per cent of each slice's pictures that are left out, by reason."""
        names = sorted(name for f, name in self.seen if f == factor)
        width = max(8, *(len(name) + 2 for name in names))
        lines = [f"{'left out, %':28}" + "".join(f"{name:>{width}}" for name in names)]
        for reason, _ in self.failures.most_common():
            shares = [
                100 * self.left_out[reason, factor, name] / self.seen[factor, name]
                for name in names
            ]
            lines.append(f"{reason[:27]:28}" + "".join(f"{share:{width}.1f}" for share in shares))
        return lines


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
