from __future__ import annotations

import pytest

from tests.fuzz.api import run


@pytest.mark.timeout(900)
def test_hostile_calls_are_answered_or_refused_in_one_sentence() -> None:
    counts, faults, _ = run(0, 150)
    assert faults == []
    assert counts["refused at once"] > 50
    assert counts["refused in the queue"] > 10
