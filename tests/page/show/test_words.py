"""What is said of a result."""

from __future__ import annotations

from dataclasses import replace

import pytest

from page.show.words import summary
from tests.browser import stand_ins
from uncover.results import Face, Reason, Result


@pytest.fixture
def result() -> Result:
    return stand_ins.uncoverer()(stand_ins.ASTRONAUT)


def test_doubtful_finds_are_not_spoken_of(result: Result) -> None:
    sure = Face(
        box=(0, 0, 9, 9), label="without_mask", score=0.9, size=(512, 512), reason=Reason.BARE
    )
    doubtful = replace(sure, label="with_mask", score=0.3, reason=Reason.LOW_SCORE)
    one = summary(replace(result, faces=[sure]))
    assert one.startswith("**1 face found, none painted** (no mask).")
    assert summary(replace(result, faces=[sure, doubtful])) == one
    none = summary(replace(result, faces=[doubtful, replace(doubtful, reason=Reason.NO_FACE)]))
    assert none == summary(replace(result, faces=[]))


def test_who_was_left_out_and_what_is_too_small_is_said(result: Result) -> None:
    left = Face((0, 0, 9, 9), "with_mask", 0.9, (512, 512), Reason.STRUCK_OUT)
    assert summary(replace(result, faces=[left])) == (
        "**1 face found, none painted**: you left it out."
    )
    small = replace(left, reason=Reason.TOO_SMALL)
    one, two = (summary(replace(result, faces=[*result.faces, *[small] * n])) for n in (1, 2))
    assert one.endswith("1 face with a mask is too small to paint.")
    assert two.endswith("2 faces with a mask are too small to paint.")


def test_a_mask_on_the_chin_is_said_with_what_to_do(result: Result) -> None:
    face = Face((0, 0, 9, 9), "mask_worn_incorrectly", 0.9, (512, 512), Reason.ON_CHIN)
    one, two = (summary(replace(result, faces=[face] * n)) for n in (1, 2))
    assert "1 wears its mask on the chin: *Also masks worn on the chin*" in one
    assert "2 wear their mask on the chin" in two
