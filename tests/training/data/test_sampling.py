"""Balanced draws and their split over processes."""

from __future__ import annotations

from collections import Counter
from types import SimpleNamespace

import numpy as np
import pytest

from training.data.sampling import (
    SHARPNESS_BINS,
    Balance,
    Cell,
    StridedDraws,
    cell,
    cell_weights,
    draw_probabilities,
    sharpness_bin,
)
from uncover.errors import UncoverError
from uncover.faces import wide_group


def face(ethnicity, yaw, sharpness=50.0):
    return SimpleNamespace(ethnicity=ethnicity, yaw=yaw, sharpness=sharpness)


FACES = [face("white", 0.0)] * 90 + [face("black", 0.0)] * 9 + [face("black", -20.0)]


def shares(balance):
    p = draw_probabilities(FACES, Balance(balance))
    assert p.sum() == pytest.approx(1)
    return p[:90].sum(), p[90:99].sum(), p[99:].sum()


def test_balance_zero_is_the_data_as_it_is():
    assert shares(0.0) == pytest.approx((0.9, 0.09, 0.01))


def test_balance_half_lies_between_and_follows_the_square_root():
    weights = np.sqrt([90, 9, 1])
    assert shares(0.5) == pytest.approx(tuple(weights / weights.sum()), rel=1e-6)


def test_balance_one_is_equal_up_to_the_limit_on_one_photo():
    white, black, side = shares(1.0)
    assert white == pytest.approx(black)
    assert side == pytest.approx(0.2 / (0.2 + 2 / 3))  # 20 x its share at balance 0


def test_favoured_photos_are_drawn_so_many_times_as_often():
    p = draw_probabilities(FACES, Balance(0.0, favour={"black": 3.0}))
    assert p[90:99].mean() == pytest.approx(3 * p[:90].mean())
    assert p.sum() == pytest.approx(1)
    with pytest.raises(UncoverError, match="'green'"):
        draw_probabilities(FACES, Balance(0.0, favour={"green": 2.0}))


def test_balance_out_of_range():
    with pytest.raises(UncoverError, match="sharp must lie in"):
        Balance(sharp=1.5)


def test_missing_labels_are_a_cell_of_their_own():
    assert cell(face("", np.nan, np.nan)) == ("unknown", "unknown", "unknown")


@pytest.mark.parametrize(
    ("sharpness", "expected"),
    [(0, "soft"), (28.9, "soft"), (29, "middling"), (87.9, "middling"), (88, "sharp")],
)
def test_a_bin_of_sharpness_begins_at_its_edge(sharpness, expected):
    assert sharpness_bin(sharpness) == expected


def drawn(faces, balance):
    """Share of the draws by (wide group, sharpness bin)."""
    found = Counter()
    for one, p in zip(faces, draw_probabilities(faces, balance), strict=True):
        found[wide_group(one.ethnicity), sharpness_bin(one.sharpness)] += p
    return found


MIXED = [
    *[face("white", 0.0, 10.0)] * 80,
    *[face("white", 0.0, 40.0)] * 30,
    *[face("white", 0.0, 200.0)] * 10,
    *[face("east-asian", 0.0, 200.0)] * 20,
    *[face("asian", 0.0, 200.0)] * 20,
]


def test_sharp_photos_come_as_often_as_soft_ones_and_their_group_no_more_often():
    before, after = (drawn(MIXED, Balance(0.0, sharp=sharp)) for sharp in (0.0, 1.0))
    assert before["white", "sharp"] == pytest.approx(10 / 160)
    assert [after["white", name] for name in SHARPNESS_BINS] == pytest.approx([0.25] * 3)
    assert after["east-asian", "sharp"] == pytest.approx(0.25)


def test_groups_come_equally_often_whatever_their_sets_call_them():
    after = drawn(MIXED, Balance(0.0, groups=1.0))
    assert after["east-asian", "sharp"] == pytest.approx(0.5)
    assert after["white", "soft"] / after["white", "sharp"] == pytest.approx(8)


def test_a_sharpness_can_be_favoured():
    p = draw_probabilities(MIXED, Balance(0.0, favour={"sharp": 4.0}))
    assert p[-1] == pytest.approx(4 * p[0])


def test_shards_that_do_not_tell_sharpness_are_said_to():
    with pytest.raises(UncoverError, match="pack them again"):
        cell_weights({Cell("white", "0-15"): 3}, Balance(sharp=0.5))


def test_processes_share_the_draws_without_overlap():
    parts = [list(StridedDraws(5, 20, rank, 3)) for rank in range(3)]
    assert sorted(k for part in parts for k in part) == list(range(5, 20))
    assert len(StridedDraws(5, 20, 0, 3)) == len(parts[0])
