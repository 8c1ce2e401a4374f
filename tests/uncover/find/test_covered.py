"""Faces that something other than a mask hides: left alone, unless they are asked for."""

from __future__ import annotations

import numpy as np
import pytest

from tests.uncover.fake_networks import draw_scene, make
from uncover.find.covered import usual_mask

BOX = (60, 30, 140, 135)


def test_a_face_that_surely_is_hidden_and_shows_no_mask_is_covered() -> None:
    photo = draw_scene([BOX], wear="bare")
    result = make([BOX], scores=[0.97])(photo)
    face = result.faces[0]
    assert (face.label, face.reason) == ("covered", "covered by something else than a mask")
    assert not face.doubtful
    assert not face.mask.any()
    np.testing.assert_array_equal(np.asarray(result.image), photo)


@pytest.mark.parametrize(("label", "score"), [("with_mask", 0.8), ("without_mask", 0.97)])
def test_one_that_may_be_bare_is_not_called_covered(label: str, score: float) -> None:
    face = make([BOX], [label], [score])(draw_scene([BOX], wear="bare")).faces[0]
    assert face.label == "without_mask"


def test_it_is_filled_where_a_mask_would_lie_when_asked() -> None:
    photo = draw_scene([BOX], wear="bare")
    uncoverer = make([BOX], scores=[0.97])
    result = uncoverer(photo, fill_any=True)
    face = result.faces[0]
    assert (face.label, face.reason) == ("covered", None)
    assert face.points is not None
    left, right, nose, *mouth = face.points.round().astype(int)
    assert all(face.mask[y, x] for x, y in (nose, *mouth))
    assert not any(face.mask[y, x] for x, y in (left, right))
    outside = ~face.mask
    np.testing.assert_array_equal(np.asarray(result.image)[outside], photo[outside])
    assert uncoverer.detect(photo, fill_any=True)[0].reason is None
    again = uncoverer.refill(result)
    np.testing.assert_array_equal(np.asarray(again.image), np.asarray(result.image))


def test_masks_are_filled_as_ever_when_all_is_asked_for() -> None:
    photo = draw_scene([BOX])
    usual, asked = make([BOX])(photo), make([BOX], fill_any=True)(photo)
    assert usual.faces[0].label == asked.faces[0].label == "with_mask"
    np.testing.assert_array_equal(np.asarray(asked.image), np.asarray(usual.image))


@pytest.mark.parametrize("side", [128, 256])
def test_the_usual_mask_covers_nose_tip_and_mouth_and_leaves_the_eyes(side: int) -> None:
    from uncover.crop import TEMPLATE_5

    usual = usual_mask(side)
    left, right, nose, *mouth = (TEMPLATE_5 * side).round().astype(int)
    assert all(usual[y, x] for x, y in (nose, *mouth))
    assert not any(usual[y, x] for x, y in (left, right))
    assert 0.12 < usual.mean() < 0.5
    assert not usual.flags.writeable
