"""Colours of a drawn head: the frontal texture with skin, eyes, brows, mouth and hair."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from uncover.faces.drawn.head import CROWN, EXTENT, TEXTURE, to_texture
from uncover.faces.mean_face import LIPS

# Skin tones (RGB) from light to dark; a label stands for a band of tones of the drawing, no more.
SKIN = {
    "white": ((244, 214, 196), (222, 178, 152)),
    "asian": ((240, 208, 174), (214, 170, 132)),
    "indian": ((206, 158, 118), (150, 104, 72)),
    "black": ((142, 98, 72), (78, 50, 38)),
}
HAIR = ((28, 22, 20), (52, 36, 26), (96, 62, 38), (150, 108, 60), (188, 176, 162), (110, 44, 24))
IRIS = ((66, 42, 26), (92, 60, 34), (70, 98, 120), (82, 104, 72))
_UNIT = (TEXTURE - 1) / (2 * EXTENT)  # texture pixels per model unit
_SHIFT = 4


@dataclass(frozen=True)
class DrawnLook:
    """Colours (RGB, 0..255) and styles of one drawn head."""

    skin: tuple[float, float, float]
    hair: tuple[float, float, float]
    iris: tuple[float, float, float]
    lips: float
    beard: float
    hairline: float
    parting: float
    brow_weight: float
    bald: bool


def _floats(colour: tuple[float, float, float]) -> tuple[float, float, float]:
    red, green, blue = (float(c) for c in colour)
    return red, green, blue


def random_look(rng: np.random.Generator, ethnicity: str, gender: str) -> DrawnLook:
    """A look for the labels; hair is dark but on "white" heads and grey ones."""
    light, dark = (np.array(tone, float) for tone in SKIN[ethnicity])
    skin = light + (dark - light) * rng.random() + rng.normal(0, 3, 3)
    hair = HAIR[rng.integers(len(HAIR)) if ethnicity == "white" else rng.integers(2)]
    if rng.random() < 0.12:
        hair = HAIR[4]
    iris = IRIS[rng.integers(len(IRIS)) if ethnicity == "white" else rng.integers(2)]
    male = gender == "male"
    return DrawnLook(
        skin=tuple(skin.tolist()),
        hair=_floats(hair),
        iris=_floats(iris),
        lips=float(rng.uniform(0.15, 0.35) if male else rng.uniform(0.3, 0.75)),
        beard=float(rng.choice([0.0, 0.25, 0.8], p=[0.5, 0.3, 0.2])) if male else 0.0,
        hairline=float(rng.uniform(-1.75, -1.45)),
        parting=float(rng.uniform(-0.7, 0.7)),
        brow_weight=float(rng.uniform(0.8, 1.4) if male else rng.uniform(0.5, 0.9)),
        bald=bool(male and rng.random() < 0.12),
    )


def _points(polygon: np.ndarray) -> np.ndarray:
    return np.round(to_texture(polygon) * (1 << _SHIFT)).astype(np.int32)


def _fill(canvas: np.ndarray, polygon: np.ndarray, colour: object, blur: float = 0.0) -> None:
    """Paint a model-space polygon in place, its edge softened by `blur` model units."""
    mask = np.zeros(canvas.shape[:2], np.uint8)
    cv2.fillPoly(mask, [_points(polygon)], 255, cv2.LINE_AA, _SHIFT)
    _blend(canvas, mask, colour, blur)


def _line(canvas: np.ndarray, line: np.ndarray, colour: object, width: float, blur: float) -> None:
    mask = np.zeros(canvas.shape[:2], np.uint8)
    thickness = max(1, round(width * _UNIT))
    cv2.polylines(mask, [_points(line)], False, 255, thickness, cv2.LINE_AA, _SHIFT)
    _blend(canvas, mask, colour, blur)


def _disc(canvas: np.ndarray, centre: np.ndarray, axes: tuple[float, float], colour: object,
          blur: float = 0.0, within: np.ndarray | None = None) -> None:  # fmt: skip
    angle = np.linspace(0, 2 * np.pi, 25)[:-1]
    ring = centre[:2] + np.stack([np.cos(angle) * axes[0], np.sin(angle) * axes[1]], axis=1)
    mask = np.zeros(canvas.shape[:2], np.uint8)
    cv2.fillPoly(mask, [_points(ring)], 255, cv2.LINE_AA, _SHIFT)
    if within is not None:
        mask = cv2.bitwise_and(mask, within)
    _blend(canvas, mask, colour, blur)


def _blend(canvas: np.ndarray, mask: np.ndarray, colour: object, blur: float) -> None:
    """Mix a colour (RGB, or RGB and opacity as a fourth) into float32 `canvas` under `mask`."""
    rgba = np.asarray(colour, np.float32)
    x, y, w, h = cv2.boundingRect(mask)
    pad = int(np.ceil(3 * blur * _UNIT))
    rows = slice(max(0, y - pad), min(TEXTURE, y + h + pad))
    cols = slice(max(0, x - pad), min(TEXTURE, x + w + pad))
    if w == 0 or h == 0:
        return
    alpha = mask[rows, cols].astype(np.float32) / 255
    if blur > 0:
        alpha = cv2.GaussianBlur(alpha, (0, 0), blur * _UNIT)
    alpha = alpha[..., None] * (rgba[3] if len(rgba) == 4 else 1.0)
    canvas[rows, cols] += (rgba[:3] - canvas[rows, cols]) * alpha


def noise(rng: np.random.Generator, size: int, cells: int) -> np.ndarray:
    """Smooth noise, float32 (size, size), about standard normal."""
    small = rng.standard_normal((cells, cells)).astype(np.float32)
    return cv2.resize(small, (size, size), interpolation=cv2.INTER_CUBIC)


def paint_texture(shape: np.ndarray, look: DrawnLook, rng: np.random.Generator) -> np.ndarray:
    """Frontal colours of the head, float32 (TEXTURE, TEXTURE, 3), 0..255, without light."""
    skin, hair = np.array(look.skin), np.array(look.hair)
    canvas = np.empty((TEXTURE, TEXTURE, 3), np.float32)
    canvas[:] = skin
    mottle = noise(rng, TEXTURE, 12) * 2.5 + noise(rng, TEXTURE, 64) * 1.5
    canvas += mottle[..., None]
    red = skin * [1.06, 0.82, 0.8]
    for side in (-1, 1):
        _disc(canvas, np.array([side * 0.75, 0.1]), (0.35, 0.28), [*red, 0.45], 0.2)
    _disc(canvas, shape[30], (0.22, 0.18), [*red, 0.4], 0.1)
    if look.beard:
        _beard(canvas, shape, [*(hair * 0.8 + skin * 0.1), look.beard])
    for side in (-1, 1):  # folds from nostril to mouth corner
        corner, wing = (shape[48], shape[31]) if side < 0 else (shape[54], shape[35])
        start = wing[:2] + np.array([side * 0.1, 0.0])
        _line(canvas, np.array([start, corner[:2] + np.array([side * 0.1, -0.02])]),
              [*(skin * 0.72), 0.5], 0.05, 0.05)  # fmt: skip
    _mouth(canvas, shape, look)
    _nose(canvas, shape, skin)
    for eye, brow in ((slice(36, 42), slice(17, 22)), (slice(42, 48), slice(22, 27))):
        _eye(canvas, shape[eye, :2], look)
        _brow(canvas, shape[brow, :2], look)
    if not look.bald:
        _hair(canvas, shape, look, rng)
    return np.clip(canvas, 0, 255)


def _beard(canvas: np.ndarray, shape: np.ndarray, colour: list[float]) -> None:
    jaw = shape[2:15, :2] * [1.1, 1.1]
    top = [shape[35, :2] + [0.3, 0.12], shape[33, :2] + [0, 0.1], shape[31, :2] + [-0.3, 0.12]]
    _fill(canvas, np.vstack([jaw, top]), colour, 0.07)


def _mouth(canvas: np.ndarray, shape: np.ndarray, look: DrawnLook) -> None:
    skin = np.array(look.skin)
    rose = skin * (1 - look.lips) + np.array([190, 70, 76]) * look.lips
    lip = np.minimum(rose, skin * [1.0, 0.8, 0.82])
    _line(canvas, shape[[56, 57, 58], :2] + [0, 0.12], [*(skin * 0.6), 0.5], 0.06, 0.06)
    _fill(canvas, shape[LIPS, :2], lip, 0.012)
    _fill(canvas, shape[[48, 49, 50, 51, 52, 53, 54, 64, 63, 62, 61, 60], :2],
          [*(lip * 0.82), 0.8], 0.015)  # fmt: skip
    inner = shape[60:68, :2]
    if inner[5:8, 1].mean() - inner[1:4, 1].mean() > 0.13:
        _fill(canvas, inner, (52, 20, 20), 0.008)
        teeth = inner.copy()
        teeth[5:8, 1] = inner[1:4, 1][::-1] + 0.09
        _fill(canvas, teeth, (226, 220, 208), 0.012)
    else:
        _line(canvas, inner[:5], [*(lip * 0.45), 0.9], 0.025, 0.012)


def _nose(canvas: np.ndarray, shape: np.ndarray, skin: np.ndarray) -> None:
    for side, wing in ((-1, shape[31]), (1, shape[35])):
        _disc(
            canvas,
            wing[:2] - np.array([side * 0.12, 0.0]),
            (0.085, 0.05),
            [*(skin * 0.28), 0.9],
            0.02,
        )
        arc = wing[:2] + np.array([[side * 0.02, -0.16], [side * 0.09, -0.08], [side * 0.04, 0.03]])
        _line(canvas, arc, [*(skin * 0.62), 0.6], 0.035, 0.025)
        ridge = np.array([shape[27, :2] + [side * 0.16, 0.0], shape[29, :2] + [side * 0.17, 0.0]])
        _line(canvas, ridge, [*(skin * 0.78), 0.35], 0.08, 0.07)
    _disc(canvas, shape[33] + [0, 0.06, 0], (0.25, 0.05), [*(skin * 0.6), 0.45], 0.04)
    light = np.minimum(skin * 1.2 + 10, 255)
    _line(canvas, shape[27:31, :2] - [0, 0.03], [*light, 0.4], 0.07, 0.05)


def _eye(canvas: np.ndarray, eye: np.ndarray, look: DrawnLook) -> None:
    skin = np.array(look.skin)
    centre = eye.mean(axis=0)
    width = np.ptp(eye[:, 0])
    _disc(canvas, centre - [0, 0.06], (width * 0.75, 0.22), [*(skin * 0.66), 0.55], 0.09)
    within = np.zeros(canvas.shape[:2], np.uint8)
    cv2.fillPoly(within, [_points(eye)], 255, cv2.LINE_AA, _SHIFT)
    _blend(canvas, within, (232, 228, 224), 0.006)
    radius = width * 0.26
    _disc(canvas, centre, (radius, radius), np.array(look.iris) * 0.6, 0.006, within)
    _disc(canvas, centre, (radius * 0.82,) * 2, look.iris, 0.01, within)
    _disc(canvas, centre, (radius * 0.45,) * 2, (12, 10, 10), 0.006, within)
    _disc(canvas, centre - np.array([0.04, 0.05]), (0.03, 0.03), (250, 250, 250), 0.004)
    _line(canvas, eye[[0, 1, 2, 3]], (34, 24, 22), 0.04, 0.012)
    _line(canvas, eye[[3, 4, 5, 0]], [*(skin * 0.5), 0.7], 0.02, 0.012)
    _line(canvas, eye[[0, 1, 2, 3]] - [0, 0.09], [*(skin * 0.6), 0.6], 0.025, 0.02)


def _brow(canvas: np.ndarray, brow: np.ndarray, look: DrawnLook) -> None:
    colour = np.array(look.hair) * 0.75 + np.array(look.skin) * 0.12
    weight = 0.055 * look.brow_weight
    thick = np.array([0.5, 1.0, 1.1, 1.0, 0.6])[:, None] * [0, weight]
    band = np.vstack([brow - thick, (brow + thick)[::-1]])
    _fill(canvas, band, [*colour, 0.85], 0.025)


def _hair(canvas: np.ndarray, shape: np.ndarray, look: DrawnLook, rng: np.random.Generator) -> None:
    """Everything above a hairline that comes down to the temples; strands along it."""
    x = np.linspace(-EXTENT, EXTENT, 49)
    rim = abs(shape[0, 0])
    line = look.hairline + 0.10 * np.abs(x - look.parting) + 1.5 * np.clip(
        (np.abs(x) / rim - 0.72) / 0.28, 0, 1
    ) ** 1.5 * (shape[0, 1] - look.hairline)  # fmt: skip
    line = line + rng.normal(0, 0.02, x.size)
    top = np.array([[EXTENT, CROWN - 0.4], [-EXTENT, CROWN - 0.4]])
    polygon = np.vstack([np.stack([x, np.minimum(line, shape[0, 1] + 0.2)], axis=1), top])
    skin = np.array(look.skin)
    _fill(canvas, polygon + np.array([0, 0.05]), [*(skin * 0.7), 0.5], 0.06)
    strands = noise(rng, TEXTURE, 96)
    strands = cv2.GaussianBlur(strands, (0, 0), sigmaX=1.0, sigmaY=7.0) * 60
    hair = canvas.copy()
    hair[:] = np.array(look.hair)
    hair += strands[..., None] * (0.25 + np.array(look.hair) / 255)
    mask = np.zeros(canvas.shape[:2], np.uint8)
    cv2.fillPoly(mask, [_points(polygon)], 255, cv2.LINE_AA, _SHIFT)
    alpha = cv2.GaussianBlur(mask.astype(np.float32) / 255, (0, 0), 1.2)[..., None]
    canvas += (hair - canvas) * alpha
