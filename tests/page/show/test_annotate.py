from __future__ import annotations

import numpy as np
import pytest

from page.show.annotate import caption, draw_faces, face_pair, zoom_rect
from uncover.results import Face, Reason

FACE = Face((10.0, 20.0, 60.0, 90.0), "with_mask", 0.98, (200, 300))


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "Face 1: mask, 98 % sure"),
        ({"reason": Reason.BARE}, "Face 1: mask, 98 % sure; left alone: no mask on it"),
    ],
)
def test_caption(changes: dict[str, str], expected: str) -> None:
    face = Face(FACE.box, FACE.label, FACE.score, FACE.size, **changes)
    assert caption(face, 1).replace("98%", "98 %") == expected


def test_boxes_are_drawn_and_shrunk() -> None:
    photo = np.full((200, 300, 3), 90, np.uint8)
    drawn = draw_faces(photo, [FACE])
    assert drawn.shape == photo.shape
    assert (drawn != photo).any()
    assert draw_faces(photo, [FACE], longest=150).shape == (100, 150, 3)
    assert (photo == 90).all()


def test_doubtful_finds_are_not_drawn() -> None:
    photo = np.full((200, 300, 3), 90, np.uint8)
    doubtful = Face((90, 90, 150, 160), "with_mask", 0.3, (200, 300), Reason.LOW_SCORE)
    assert np.array_equal(draw_faces(photo, [FACE, doubtful]), draw_faces(photo, [FACE]))


@pytest.mark.parametrize(
    ("box", "shape"),
    [((0, 0, 10, 10), (20, 400)), ((390, 5, 420, 60), (70, 400)), (FACE.box, (200, 300))],
)
def test_zoom_stays_inside(box, shape) -> None:
    x0, y0, x1, y1 = zoom_rect(box, shape)
    assert 0 <= x0 < x1 <= shape[1]
    assert 0 <= y0 < y1 <= shape[0]


def test_pair_shows_both() -> None:
    before, after = np.zeros((200, 300, 3), np.uint8), np.full((200, 300, 3), 200, np.uint8)
    pair = face_pair(before, after, FACE, side=80)
    assert pair[:, :40].max() == 0
    assert pair[:, -40:].min() == 200
