"""Mask styles: the mix that is drawn, and what is refused."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from uncover.masking import KINDS, WEAR, MaskStyle, draw_mask, mask_alpha, random_style

POINTS = np.random.default_rng(0).uniform(50, 200, (68, 2)).astype(np.float32)
IMAGE = np.zeros((256, 256, 3), np.uint8)


def test_the_mix_is_what_people_wear() -> None:
    rng = np.random.default_rng(0)
    styles = [random_style(rng) for _ in range(1500)]
    kinds = Counter(style.kind for style in styles)
    wear = Counter(style.wear for style in styles)
    for counts, odds in (
        (kinds, dict(zip(KINDS, (0.55, 0.15, 0.05, 0.20, 0.05), strict=True))),
        (wear, dict(zip(WEAR, (0.92, 0.05, 0.03), strict=True))),
    ):
        for name, share in odds.items():
            assert abs(counts[name] / 1500 - share) < 0.04
    assert len({style.pattern for style in styles}) == 9
    assert {style.fastening for style in styles} == {"loops", "ties", "head", "wide", "none"}
    dark = sum(max(style.colour) < 60 for style in styles) / 1500
    pale = sum(min(style.colour) > 205 for style in styles) / 1500
    assert 0.1 < dark < 0.4
    assert 0.1 < pale < 0.4


def test_fixed_fields_are_kept() -> None:
    rng = np.random.default_rng(0)
    for kind in KINDS:
        style = random_style(rng, kind=kind, wear="chin", colour=(1, 2, 3), seed=7)
        assert (style.kind, style.wear, style.colour, style.seed) == (kind, "chin", (1, 2, 3), 7)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"kind": "scarf"}, "unknown kind 'scarf'"),
        ({"wear": "hat"}, "unknown wear 'hat'"),
        ({"kind": "n95", "cut": "pleated"}, "unknown cut of kind 'n95'"),
        ({"pattern": "tartan"}, "unknown pattern"),
        ({"fastening": "glue"}, "unknown fastening"),
        ({"fit": 1.5}, "fit must be a number from 0 to 1"),
        ({"top": float("nan")}, "top must be a number from 0 to 1"),
        ({"wrinkles": "many"}, "wrinkles must be a number"),
        ({"colour": (1, 2)}, "colour must be three numbers"),
        ({"accent": (0, 0, 300)}, "accent must be three numbers"),
        ({"valve": 2}, "valve must be -1, 0 or 1"),
        ({"seed": -1}, "seed must be a whole number"),
    ],
)
def test_a_bad_style_is_refused(fields: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        MaskStyle(**fields)  # type: ignore[arg-type]


def test_random_style_refuses_unknown_fields_and_kinds() -> None:
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match="no field hue"):
        random_style(rng, hue=3)
    with pytest.raises(ValueError, match="unknown kind"):
        random_style(rng, kind="scarf")


@pytest.mark.parametrize(
    ("points", "message"),
    [
        (POINTS[:67], r"shape \(68, 2\), got \(67, 2\)"),
        (np.zeros((68, 3)), r"shape \(68, 2\)"),
        (np.full((68, 2), np.nan), "finite"),
        (np.where(np.arange(136).reshape(68, 2) == 5, np.inf, POINTS), "finite"),
        (POINTS.astype(str), "must be numbers"),
        (POINTS > 100, "must be numbers"),
        (np.full((68, 2), 9.0), "less than 4 pixels"),
        (POINTS + 1e7, "million pixels"),
    ],
)
def test_bad_landmarks_are_refused(points: np.ndarray, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        mask_alpha(points, (256, 256), MaskStyle())
    with pytest.raises(ValueError, match=message):
        draw_mask(IMAGE, points, MaskStyle())


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (IMAGE[..., 0], r"shape \(H, W, 3\)"),
        (np.zeros((8, 8, 4), np.uint8), r"shape \(H, W, 3\)"),
        (IMAGE.astype(np.float32), "must be uint8"),
        ([[1, 2], [3, 4]], r"shape \(H, W, 3\), got list"),
        (np.zeros((0, 8, 3), np.uint8), "at least 1"),
    ],
)
def test_bad_images_are_refused(image: np.ndarray, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        draw_mask(image, POINTS, MaskStyle())


def test_a_bad_shape_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        mask_alpha(POINTS, (0, 256), MaskStyle())
