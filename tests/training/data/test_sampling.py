"""Balanced draws and their split over processes."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from training.data.sampling import StridedDraws, cell, draw_probabilities
from uncover.errors import UncoverError


def face(ethnicity, yaw):
    return SimpleNamespace(ethnicity=ethnicity, yaw=yaw)


FACES = [face("white", 0.0)] * 90 + [face("black", 0.0)] * 9 + [face("black", -20.0)]


def shares(balance):
    p = draw_probabilities(FACES, balance)
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
    p = draw_probabilities(FACES, 0.0, {"black": 3.0})
    assert p[90:99].mean() == pytest.approx(3 * p[:90].mean())
    assert p.sum() == pytest.approx(1)
    with pytest.raises(UncoverError, match="'green'"):
        draw_probabilities(FACES, 0.0, {"green": 2.0})


def test_balance_out_of_range():
    with pytest.raises(ValueError, match="must lie in"):
        draw_probabilities(FACES, 1.5)


def test_missing_labels_are_a_cell_of_their_own():
    assert cell(face("", np.nan)) == ("unknown", "unknown")


def test_processes_share_the_draws_without_overlap():
    parts = [list(StridedDraws(5, 20, rank, 3)) for rank in range(3)]
    assert sorted(k for part in parts for k in part) == list(range(5, 20))
    assert len(StridedDraws(5, 20, 0, 3)) == len(parts[0])
