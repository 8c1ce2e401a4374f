"""What became of a photo: its status, and one line for people where nothing was painted."""

from __future__ import annotations

from typing import Literal

from uncover.results import Face, Reason

Status = Literal["filled", "no_face", "no_masked_face", "not_filled", "failed"]


def why_nothing(faces: list[Face]) -> tuple[Status, str]:
    """Status and one line for a photo in which nothing was painted."""
    sure = (face.reason for face in faces if not face.doubtful)
    reasons = list(dict.fromkeys(reason for reason in sure if reason is not None))
    if not reasons:
        return "no_face", "no face found"
    if reasons == [Reason.BARE]:
        return "no_masked_face", "no masked face found: every face in it is bare"
    worth = [reason for reason in reasons if reason != Reason.BARE]
    options = {Reason.ON_CHIN: "--fill-chin", Reason.COVERED: "--fill-any"}
    asked = [option for reason, option in options.items() if reason in worth]
    fill = "fills" if len(asked) == 1 else "fill"
    hint = f"; {' and '.join(asked)} {fill} these too" if asked else ""
    return "not_filled", f"no face filled: {', '.join(worth)}{hint}"
