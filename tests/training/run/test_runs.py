"""The schedule of a run, when something is due, and signals that ask it to end."""

from __future__ import annotations

import os
import signal

import pytest

from training.run import catch_interrupt, crossed, schedule
from training.run.runs import handlers_kept


def test_the_rate_rises_holds_and_falls_to_nothing() -> None:
    rates = [schedule(seen, images=100, warmup=10, decay=0.5) for seen in (0, 4, 9, 50, 75, 99)]
    assert rates == pytest.approx([0.1, 0.5, 1, 1, 0.5, 0.02])
    assert schedule(100, images=100, warmup=10, decay=0.5) == 0
    assert schedule(103, images=100, warmup=10, decay=0.5) == 0


@pytest.mark.parametrize(
    ("seen", "expected"), [(4, False), (8, False), (12, True), (16, False), (20, True)]
)
def test_something_is_due_once_when_a_multiple_is_passed(seen: int, expected: bool) -> None:
    assert crossed(seen, batch=4, every=10) is expected


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_is_noted_the_second_ends_and_others_are_not_touched(number: int) -> None:
    before = [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)]
    with handlers_kept():
        interrupted = catch_interrupt()
        assert not interrupted()
        os.kill(os.getpid(), number)
        assert interrupted()
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), number)
    assert [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)] == before
