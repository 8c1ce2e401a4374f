from __future__ import annotations

import cv2
import numpy as np
import pytest

from uncover.crop.geometry import TEMPLATE_5, FaceCrop
from uncover.find.wearing import how_worn, surely_on_chin, surely_worn, top_edge

SIDE = 128
POINTS = TEMPLATE_5 * SIDE
WHOLE = FaceCrop.whole(SIDE, SIDE, SIDE)


def mask(y0: float, y1: float, x0: float = 0.2, x1: float = 0.8) -> np.ndarray:
    out = np.zeros((SIDE, SIDE), bool)
    out[int(y0 * SIDE) : int(y1 * SIDE), int(x0 * SIDE) : int(x1 * SIDE)] = True
    return out


def with_straps(body: np.ndarray) -> np.ndarray:
    out = body.astype(np.uint8)
    for x in (0.2, 0.8):
        cv2.line(out, (int(x * SIDE), int(0.8 * SIDE)), (int(x * SIDE), int(0.35 * SIDE)), 1, 3)
    return out > 0


def sure(found: np.ndarray, rim: int = 0, certain: float = 0.98, **photo: object) -> bool:
    """`surely_on_chin` of a mask with a rim of doubtful pixels."""
    kernel = np.ones((2 * rim + 1, 2 * rim + 1), np.uint8)
    around = cv2.dilate(found.astype(np.uint8), kernel) > 0
    probability = np.where(found, certain, np.where(around, 0.3, 0.01)).astype(np.float32)
    crop, size = photo.get("crop", WHOLE), photo.get("size", (SIDE, SIDE))
    return surely_on_chin(probability, found, POINTS, crop, size)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("y0", "y1", "wear"),
    [
        (0.38, 0.88, "worn"),
        (0.46, 0.88, "worn"),  # just over the tip
        (0.49, 0.88, "worn"),  # below the tip by so little that it is not clear
        (0.54, 0.90, "nose_out"),
        (0.60, 0.95, "nose_out"),
        (0.72, 0.98, "chin"),
    ],
)
def test_how_a_mask_is_worn_follows_from_where_it_lies(y0: float, y1: float, wear: str) -> None:
    assert how_worn(mask(y0, y1), POINTS) == wear


def test_a_mask_beside_the_nose_of_a_turned_face_leaves_it_free() -> None:
    points = np.add(POINTS, (0.0, -0.06 * SIDE))
    assert how_worn(mask(0.5, 0.9), points) == "nose_out"
    assert how_worn(mask(0.5, 0.9), np.add(POINTS, (0.0, 0.06 * SIDE))) == "worn"


def test_top_edge_is_counted_from_nose_to_mouth() -> None:
    nose, mouth = TEMPLATE_5[2, 1], TEMPLATE_5[3, 1]
    assert top_edge(mask(nose, 0.9), POINTS) == pytest.approx(0, abs=0.06)
    assert top_edge(mask(mouth, 0.9), POINTS) == pytest.approx(1, abs=0.06)
    assert top_edge(mask(0.4, 0.9, 0.8, 0.95), POINTS) == np.inf
    outside = np.add(POINTS, (10 * SIDE, 0))
    assert top_edge(mask(0.4, 0.9), outside) == np.inf


@pytest.mark.parametrize(
    ("found", "rim", "certain", "expected"),
    [
        (with_straps(mask(0.75, 0.95)), 0, 0.8, True),
        (with_straps(mask(0.75, 0.95)), 8, 0.8, False),  # a border as blurred as a beard's
        (with_straps(mask(0.75, 0.95)), 8, 0.9, True),  # but sure within
        (mask(0.75, 0.95), 0, 0.98, True),
        (mask(0.75, 0.95), 0, 0.8, False),  # no straps and little certainty: a collar
        (mask(0.75, 0.80), 0, 0.98, False),  # a thin stripe
        (mask(0.75, 0.95, 0.8, 1.0), 0, 0.98, False),  # beside the face
        (mask(0.42, 0.90), 0, 0.98, False),  # worn
        (np.zeros((SIDE, SIDE), bool), 0, 0.98, False),
    ],
)
def test_only_a_clear_mask_on_the_chin_is_one(
    found: np.ndarray, rim: int, certain: float, expected: bool
) -> None:
    assert sure(found, rim, certain) is expected


def test_what_the_crop_mirrors_beyond_the_photos_edge_does_not_count() -> None:
    hanging = mask(0.75, 0.95)
    assert sure(hanging)
    assert not sure(hanging, size=(int(0.77 * SIDE), SIDE))


@pytest.mark.parametrize(
    ("y0", "y1", "certain", "doubtful", "surely"),
    [
        (0.42, 0.9, 0.98, 0.0, True),
        (0.42, 0.9, 0.98, 0.2, True),
        (0.42, 0.9, 0.98, 0.6, False),  # over half of it might be a beard
        (0.42, 0.9, 0.9, 0.0, False),
        (0.54, 0.9, 0.98, 0.0, False),  # the nose is out
        (0.72, 0.98, 0.98, 0.0, False),  # on the chin
        (0.42, 0.6, 0.98, 0.0, False),  # too small
    ],
)
def test_only_a_clear_worn_mask_is_one(
    y0: float, y1: float, certain: float, doubtful: float, surely: bool
) -> None:
    found = mask(y0, y1)
    probability = np.where(found, certain, 0.01).astype(np.float32)
    probability[:, : int((0.2 + 0.6 * doubtful) * SIDE)][
        found[:, : int((0.2 + 0.6 * doubtful) * SIDE)]
    ] = 0.6
    assert surely_worn(probability, found, POINTS, WHOLE, (SIDE, SIDE)) == surely


def test_a_worn_mask_that_is_mostly_mirrored_beyond_the_edge_is_not_clear() -> None:
    found = mask(0.42, 0.9)
    probability = np.where(found, 0.98, 0.01).astype(np.float32)
    assert not surely_worn(probability, found, POINTS, WHOLE, (SIDE, SIDE // 4))
