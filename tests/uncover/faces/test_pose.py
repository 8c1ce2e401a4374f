from __future__ import annotations

from types import SimpleNamespace

import pytest

from training.data.sampling import cell
from training.prepare.summary import Summary
from uncover.faces import pose_bin, pose_name


@pytest.mark.parametrize(
    ("yaw", "expected"),
    [
        (0, "0-15"), (-14.9, "0-15"), (15, "15-30"), (-29.9, "15-30"), (30, "30-60"),
        (-60, "30-60"), (60.1, ">60"), (-99, ">60"), (None, "unknown"), (float("nan"), "unknown"),
    ],
)  # fmt: skip
def test_pose_bins(yaw: float | None, expected: str) -> None:
    assert pose_bin(yaw) == expected


@pytest.mark.parametrize("yaw", [15.0, 30.0, 60.0, -60.0, 60.001])
def test_preparing_and_sampling_count_an_edge_in_the_same_bin(yaw: float) -> None:
    summary = Summary()
    summary.add({"split": "train", "ethnicity": "black", "yaw": str(yaw)})
    assert cell(SimpleNamespace(ethnicity="black", yaw=yaw, sharpness=9.0)).pose == pose_bin(yaw)
    assert summary.poses["train", pose_bin(yaw)] == 1


@pytest.mark.parametrize("text", ["60+", ">60", "over60", "60-90"])
def test_names_of_the_last_bin(text: str) -> None:
    assert pose_name(text) == ">60"
