"""Sliders for smile, mouth and beard: where the weights know a look, and a word where not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from page.tabs.look import LOOKS, OWN
from page.visit.editor import for_editor
from page.visit.visit import again, open_photo, start
from tests.browser import stand_ins
from tests.uncover.small_generator import small_generator
from uncover.errors import UncoverError


@pytest.mark.parametrize("told", [True, False])
def test_sliders_are_there_where_they_have_an_effect(tmp_path: Path, told: bool) -> None:
    parts = stand_ins.parts(stand_ins.chosen(tmp_path, small_generator(told=told)))
    assert all((name in parts) is told for name in LOOKS)
    assert ("no-look" in parts) is not told
    if told:
        assert parts["look-words"].value == OWN
    else:
        assert "No sliders for smile, mouth and beard" in parts["no-look"].value


def test_a_look_changes_the_painted_face(tmp_path: Path) -> None:
    uncoverer = stand_ins.uncoverer(small_generator(told=True))
    photo, out = stand_ins.clothed(tmp_path / "photo.png"), tmp_path / "out"
    visit, plain = start(uncoverer, photo, out, "feather", False)
    answer = for_editor(visit, open_photo(photo))
    pictures = [plain.after.read_bytes()]
    for look in ({}, {"smile": 1.0}, {"smile": 1.0, "beard": 0.0}):
        _, view = again(uncoverer, visit, answer, out, "feather", look=look)
        pictures.append(view.after.read_bytes())
    assert pictures[0] == pictures[1]
    assert len(set(pictures)) == 3
    _, anew = start(uncoverer, photo, out, "feather", False, look={"smile": 1.0})
    assert anew.after.read_bytes() == pictures[2]


def test_weights_that_know_no_look_refuse_one(tmp_path: Path) -> None:
    photo = stand_ins.clothed(tmp_path / "photo.png")
    with pytest.raises(UncoverError, match="cannot be told"):
        start(
            stand_ins.uncoverer(), photo, tmp_path, "feather", False, look={"open": np.float64(1)}
        )
