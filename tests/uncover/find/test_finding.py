"""Which faces are filled, what the others are left alone for, and how masks are labelled."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from tests.uncover.fake_networks import CLOTH, cloth_left, draw_scene, make
from uncover.find.tasks import believed
from uncover.results import Reason

BOX = (60, 30, 140, 135)


@pytest.mark.parametrize(
    ("label", "score", "box", "wear", "reason"),
    [
        ("with_mask", 0.9, BOX, "worn", None),
        ("mask_worn_incorrectly", 0.9, BOX, "worn", None),
        ("without_mask", 0.9, BOX, "bare", "bare"),
        ("without_mask", 0.9, BOX, "worn", None),
        ("with_mask", 0.4, BOX, "worn", "low score"),
        ("with_mask", 0.9, (60, 30, 78, 53), "worn", "too small"),
        ("with_mask", 0.9, BOX, "bare", "no mask pixels found"),
        ("mask_worn_incorrectly", 0.9, BOX, "chin", Reason.ON_CHIN),
        ("with_mask", 0.9, BOX, "chin", Reason.ON_CHIN),
    ],
)
def test_faces_are_left_alone_for_a_reason(
    label: str, score: float, box: tuple[int, ...], wear: str, reason: str | None
) -> None:
    photo = draw_scene([BOX], wear=wear)
    uncoverer = make([box], [label], [score])
    result = uncoverer(photo)
    assert [face.reason for face in result.faces] == [reason]
    assert [face.reason for face in uncoverer.detect(photo)] == [reason]
    if reason is not None:
        np.testing.assert_array_equal(np.asarray(result.image), photo)
        assert not result.faces[0].mask.any()
        assert uncoverer.generator.batches == []


def test_reasons_are_plain_text_for_programs() -> None:
    face = make([BOX])(draw_scene([BOX], wear="bare")).faces[0]
    assert type(face.to_dict()["reason"]) is str
    assert json.dumps(face.to_dict()["reason"]) == '"no mask pixels found"'


def test_chin_masks_are_filled_when_asked() -> None:
    photo = draw_scene([BOX], wear="chin")
    result = make([BOX])(photo, fill_chin=True)
    assert result.faces[0].reason is None
    assert cloth_left(np.asarray(result.image)) == 0
    assert make([BOX], fill_chin=True)(photo).filled


def test_a_mask_on_the_chin_of_a_face_called_bare_is_found_and_left_alone() -> None:
    photo = draw_scene([BOX], wear="chin")
    uncoverer = make([BOX], ["without_mask"])
    face = uncoverer(photo).faces[0]
    assert (face.label, face.reason) == ("mask_worn_incorrectly", Reason.ON_CHIN)
    assert face.polygon
    assert not face.mask.any()
    filled = uncoverer(photo, fill_chin=True)
    assert filled.faces[0].label == "mask_worn_incorrectly"
    assert cloth_left(np.asarray(filled.image)) == 0


def test_a_worn_mask_on_a_face_called_bare_is_found_and_filled() -> None:
    photo = draw_scene([BOX], wear="worn")
    result = make([BOX], ["without_mask"])(photo)
    assert [face.label for face in result.filled] == ["with_mask"]
    assert cloth_left(np.asarray(result.image)) == 0


@pytest.mark.parametrize(
    ("labels", "filled"),
    [
        (["with_mask", "with_mask"], [0.9]),
        (["without_mask", "with_mask"], [0.9]),
        (["with_mask", "without_mask"], [0.7]),
        (["without_mask", "without_mask"], [0.9]),
    ],
)
def test_two_halves_of_a_face_are_one_face(labels: list[str], filled: list[float]) -> None:
    halves = [(60, 30, 118, 135), (82, 30, 140, 135)]
    uncoverer = make(halves, labels, [0.7, 0.9])
    uncoverer.segmenter.keen = True  # both look at the same points
    result = uncoverer(draw_scene([BOX]))
    assert [face.score for face in result.filled] == pytest.approx(filled)
    assert cloth_left(np.asarray(result.image)) == 0


def test_small_bare_faces_are_not_searched_for_a_mask() -> None:
    uncoverer = make([BOX, (0, 0, 40, 60)], ["without_mask"] * 2)
    uncoverer(draw_scene([BOX], wear="bare"))
    assert uncoverer.segmenter.batches == [1, 1]
    uncoverer.settings = replace(uncoverer.settings, chin_box=200.0)
    assert uncoverer.detect(draw_scene([BOX], wear="chin"))[0].reason == "bare"
    assert uncoverer.segmenter.batches == [1, 1]


def test_a_bare_face_keeps_its_label_whatever_the_closer_look_says() -> None:
    for changes in ({"wild": True}, {"presence": 0.001}, {}):
        uncoverer = make([BOX], ["without_mask"])
        uncoverer.segmenter.config = replace(uncoverer.segmenter.config, presence=0.5)
        for name, value in changes.items():
            setattr(uncoverer.segmenter, name, value)
        face = uncoverer.detect(draw_scene([BOX], wear="chin" if changes else "bare"))[0]
        assert (face.label, face.reason) == ("without_mask", "bare")


def test_a_face_called_masked_on_which_there_is_no_mask_is_called_bare() -> None:
    face = make([BOX])(draw_scene([BOX], wear="bare")).faces[0]
    assert (face.label, face.reason) == ("without_mask", "no mask pixels found")


@pytest.mark.parametrize("label", ["with_mask", "mask_worn_incorrectly"])
def test_the_label_says_that_the_nose_is_out(label: str) -> None:
    face = make([BOX], [label])(draw_scene([BOX], wear="nose_out")).faces[0]
    assert (face.label, face.reason) == ("mask_worn_incorrectly", None)
    assert make([BOX], [label])(draw_scene([BOX])).faces[0].label == label


def test_smallest_score_can_be_changed_per_call() -> None:
    uncoverer = make([BOX], scores=[0.3])
    photo = draw_scene([BOX])
    assert not uncoverer(photo).filled
    assert uncoverer(photo, min_score=0.25).filled


def test_very_doubtful_faces_are_not_listed() -> None:
    assert make([BOX], scores=[0.1]).detect(draw_scene([BOX])) == []


def test_one_face_found_twice_is_one_face() -> None:
    near = (62, 31, 141, 134)
    result = make([near, BOX], ["without_mask", "with_mask"], [0.6, 0.9])(draw_scene([BOX]))
    assert [face.label for face in result.faces] == ["with_mask"]


def test_detect_gives_what_would_be_painted() -> None:
    uncoverer = make([BOX])
    photo = draw_scene([BOX])
    face = uncoverer.detect(photo)[0]
    np.testing.assert_array_equal(face.mask, uncoverer(photo).faces[0].mask)
    assert uncoverer.generator.batches == [1]
    assert face.roll == pytest.approx(0, abs=1e-3)
    assert face.points is not None
    assert face.points.shape == (5, 2)
    polygon = np.array(face.polygon)
    assert (polygon.min(0) > (60, 30)).all()
    assert (polygon.max(0) < (140, 135)).all()


def test_many_faces_go_through_in_batches() -> None:
    boxes = [
        (10 + 60 * i, 10 + 70 * j, 55 + 60 * i, 70 + 70 * j) for i in range(6) for j in range(6)
    ]
    photo = draw_scene(boxes, (440, 380))
    uncoverer = make(boxes)
    result = uncoverer(photo)
    assert len(result.filled) == 36
    assert uncoverer.generator.batches == [16, 16, 4]
    assert max(uncoverer.segmenter.batches) == 16
    assert cloth_left(np.asarray(result.image)) == 0
    stored = sum(face.patch.size for face in result.faces)
    assert stored < 2 * photo.shape[0] * photo.shape[1]
    painted = np.any([face.mask for face in result.faces], axis=0)
    np.testing.assert_array_equal(np.asarray(result.image)[~painted], photo[~painted])


@pytest.mark.parametrize("wear", ["bare", "chin"])
def test_a_bare_neighbour_is_never_painted(wear: str) -> None:
    neighbour = (118, 60, 190, 155)
    photo = draw_scene([neighbour], wear=wear)
    masked = draw_scene([BOX])
    cloth = np.abs(masked.astype(int) - CLOTH).sum(-1) < 40
    photo[cloth] = masked[cloth]
    photo[90:125, 120:160] = CLOTH  # a strap that crosses onto the neighbour
    result = make([BOX, neighbour], ["with_mask", "without_mask"])(photo)
    painted = result.faces[0].mask
    assert painted.any()
    assert not painted[60:155, 141:190].any()


def test_points_that_cannot_be_right_fall_back_on_the_box() -> None:
    uncoverer = make([BOX])
    uncoverer.segmenter.wild = True
    uncoverer.settings = replace(uncoverer.settings, trusted_score=0.1)
    assert cloth_left(np.asarray(uncoverer(draw_scene([BOX])).image)) == 0


@pytest.mark.parametrize(
    ("presence", "score", "reason"),
    [
        (0.9, 0.6, None),
        (0.05, 0.6, Reason.NO_FACE),
        (0.05, 0.95, None),
        (0.001, 0.95, Reason.NO_FACE),
    ],
)
def test_finds_that_show_no_face_are_left_alone(
    presence: float, score: float, reason: str | None
) -> None:
    uncoverer = make([BOX], scores=[score])
    uncoverer.segmenter.config = replace(uncoverer.segmenter.config, presence=0.4)
    uncoverer.segmenter.presence = presence
    result = uncoverer(draw_scene([BOX]))
    assert [face.reason for face in result.faces] == [reason]


def test_what_does_not_look_like_a_face_is_left_alone_unless_the_detector_is_sure() -> None:
    uncoverer = make([BOX])
    uncoverer.segmenter.wild = True
    uncoverer.settings = replace(uncoverer.settings, trusted_score=1.0)
    result = uncoverer(draw_scene([BOX]))
    assert [face.reason for face in result.faces] == ["no face under the mask"]
    assert not result.faces[0].mask.any()


def test_belief_multiplies_odds() -> None:
    assert believed(0.5, 0.5) == pytest.approx(0.5)
    assert believed(0.8, 0.5) == pytest.approx(0.8)  # a detector that cannot say changes nothing
    assert believed(0.5, 0.8) == pytest.approx(8 / 9)  # odds of 4, to the power 1.5
    assert 0 < believed(0.0, 0.0) < 1e-6
