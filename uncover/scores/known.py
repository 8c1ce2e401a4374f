"""Every metric that a run may give: its name in results.json, its title, and what is good.

Reports, charts, cards, comparisons and the page read from here and nowhere else.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

HIGH, LOW, ONE, LIMIT = "high", "low", "one", "limit"
_MARKS = {HIGH: "↑", LOW: "↓", ONE: "→ 1", LIMIT: "(a limit)"}
_WORDS = {
    HIGH: "higher is better",
    LOW: "lower is better",
    ONE: "1 is as in the photos",
    LIMIT: "a limit, not a goal",
}


@dataclass(frozen=True)
class Metric:
    """One metric.

    title: in reports. plain: the same for readers who do not know the metric, or "".
    aim: "high", "low", "one" (the photos' own value is 1), or "limit" (never a success: not
    ranked). digits: shown behind the point. of_set: a value of a set of photos, not the average of
    values per photo. middle: a slice's value is the median, not the mean. network: what of the run
    it depends on: "features", "lpips_net" or nothing.
    """

    name: str
    title: str
    aim: str
    digits: int = 3
    unit: str = ""
    of_set: bool = False
    middle: bool = False
    network: str = ""
    plain: str = ""

    @property
    def mark(self) -> str:
        """An arrow for tables."""
        return _MARKS[self.aim]

    @property
    def words(self) -> str:
        """The direction in words, for charts."""
        return _WORDS[self.aim]


_ALL = (
    Metric("coverage", "coverage", HIGH, of_set=True),
    Metric("ssim", "SSIM whole", HIGH),
    Metric("ssim_hole", "SSIM hole", HIGH),
    Metric("psnr", "PSNR whole", HIGH, 1, "dB"),
    Metric("psnr_hole", "PSNR hole", HIGH, 1, "dB", plain="PSNR in the hole"),
    Metric("lpips", "LPIPS", LOW, network="lpips_net"),
    Metric("sharpness", "sharpness", ONE, 2, middle=True, plain="sharpness, share of the photo's"),
    Metric("edge", "edge", ONE, 2, middle=True),
    Metric("mouth", "mouth", LOW, 2),
    Metric(
        "c2st",
        "C2ST texture",
        LOW,
        of_set=True,
        network="features",
        plain="told from photos, AUC (.5 is best)",
    ),
    Metric("c2st_structure", "C2ST structure", LOW, of_set=True, network="features"),
    Metric("identity", "identity", LIMIT, 2),
    # Kernel distances depend on the features' scale: thousandths for some, tens for others.
    Metric("kid", "KID", LOW, 4, of_set=True, network="features"),
    Metric("fid", "FID", LOW, 1, of_set=True, network="features"),
)
METRICS: dict[str, Metric] = {metric.name: metric for metric in _ALL}
"""name -> metric, in the order in which reports show them."""


def badness(metric: str, values: Any) -> Any:
    """How bad values are, larger is worse: for ranks, gaps and colours.

    For metrics whose good value is 1 it is the distance from 1.
    """
    aim = METRICS[metric].aim
    if aim == ONE:
        return np.abs(np.asarray(values) - 1.0)
    return -np.asarray(values) if aim == HIGH else np.asarray(values)
