"""The one line for people where nothing was painted."""

from __future__ import annotations

import pytest

from uncover.results import Face, Reason
from uncover.status import why_nothing


def face(reason: Reason) -> Face:
    return Face(box=(0, 0, 50, 60), label="with_mask", score=0.9, size=(100, 100), reason=reason)


@pytest.mark.parametrize(
    ("reasons", "status", "line"),
    [
        ([], "no_face", "no face found"),
        ([Reason.NO_FACE, Reason.LOW_SCORE], "no_face", "no face found"),
        ([Reason.BARE], "no_masked_face", "no masked face found: every face in it is bare"),
        ([Reason.BARE, Reason.TOO_SMALL], "not_filled", "no face filled: too small"),
        (
            [Reason.ON_CHIN, Reason.ON_CHIN],
            "not_filled",
            "no face filled: mask on the chin; --fill-chin fills these too",
        ),
        (
            [Reason.COVERED],
            "not_filled",
            "no face filled: covered by something else than a mask; --fill-any fills these too",
        ),
        (
            [Reason.ON_CHIN, Reason.COVERED],
            "not_filled",
            "no face filled: mask on the chin, covered by something else than a mask;"
            " --fill-chin and --fill-any fill these too",
        ),
    ],
)
def test_the_line_says_why_and_what_helps(reasons: list[Reason], status: str, line: str) -> None:
    assert why_nothing([face(reason) for reason in reasons]) == (status, line)
