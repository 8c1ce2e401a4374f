"""The drawn faces that the third tab shows."""

from __future__ import annotations

from page.tabs.good import pictures_html
from page.tryon.drawn import drawn_trials
from tests.browser import stand_ins


def test_best_typical_and_worst_are_ordered_and_shown() -> None:
    trials = drawn_trials(stand_ins.uncoverer(), 4)
    assert [one.title for one in trials] == ["Best", "Typical", "Worst"]
    best, typical, worst = (one.likeness for one in trials)
    assert best > typical > worst
    for one in trials:
        assert one.strip.shape == (256, 768, 3)
        truth, masked, guess = (one.strip[:, i : i + 256] for i in (0, 256, 512))
        assert (truth != masked).any()
        assert (masked != guess).any()
    html = pictures_html(trials)
    assert html.count("<img") == 3
    assert "not an identification" in html
    assert "drawn by a program" in html
