"""Drawing a mask: coverage alone, or the whole picture."""

from __future__ import annotations

from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from uncover.masking.coverage import Box, Placed, box_of, place, whole_alpha
from uncover.masking.fabric import fabric_colour, fabric_dye
from uncover.masking.face import Floats, check_landmarks
from uncover.masking.light import Light, read_light
from uncover.masking.relief import body_shade, relief, relief_shade
from uncover.masking.style import MaskStyle
from uncover.masking.surface import flat_size
from uncover.masking.warp import inverse_map

_SHADOW = 0.18  # reach of the contact shadow, face units
_RELIEF = 48.0  # finest relief, texture pixels per face unit

Alpha = NDArray[np.float32]
_Scalar = TypeVar("_Scalar", np.float32, np.uint8)


def mask_alpha(
    landmarks: NDArray[np.generic], shape_hw: tuple[int, int], style: MaskStyle
) -> Alpha:
    """Which pixels a mask covers, straps included.

    Args:
        landmarks: (68, 2) dlib order, x and y in pixels; may lie outside the image.
        shape_hw: height and width of the image.
        style: the mask.

    Returns:
        float32 (height, width) in 0..1; between them along the edges.

    Raises:
        ValueError: landmarks or size that cannot be used.
    """
    points = check_landmarks(landmarks)
    h, w = _check_shape(shape_hw)
    alpha = np.zeros((h, w), np.float32)
    placed = place(points, style)
    box = box_of(placed, (h, w), 0.0)
    x0, y0, x1, y1 = box
    if x1 > x0 and y1 > y0:
        alpha[y0:y1, x0:x1] = whole_alpha(placed, box)
    return alpha


def draw_mask(
    image: NDArray[np.uint8], landmarks: NDArray[np.generic], style: MaskStyle
) -> tuple[NDArray[np.uint8], Alpha]:
    """Put a mask on a bare face.

    The fabric takes the light, tint, blur and grain that the photo shows, and throws a narrow
    shadow on the skin around it. Pixels further away keep their bytes.

    Args:
        image: uint8 (H, W, 3) RGB; left as it is.
        landmarks: (68, 2) dlib order, x and y in pixels; may lie outside the image.
        style: the mask; it fixes the result.

    Returns:
        The masked photo, uint8 (H, W, 3), and the fabric's coverage, float32 (H, W) in 0..1,
        blurred as the photo is; the shadow lies outside it.

    Raises:
        ValueError: an image or landmarks that cannot be used.
    """
    if not isinstance(image, np.ndarray) or image.ndim != 3 or image.shape[2] != 3:
        shape = getattr(image, "shape", type(image).__name__)
        raise ValueError(f"image must be an array of shape (H, W, 3), got {shape}")
    if image.dtype != np.uint8:
        raise ValueError(f"image must be uint8, got {image.dtype}")
    points = check_landmarks(landmarks)
    h, w = _check_shape(image.shape[:2])
    masked = image.copy()
    alpha = np.zeros((h, w), np.float32)
    placed = place(points, style)
    box = box_of(placed, (h, w), _SHADOW)
    x0, y0, x1, y1 = box
    if x1 - x0 < 2 or y1 - y0 < 2:
        return masked, alpha
    rng = np.random.default_rng((style.seed, 2))
    light = read_light(image, placed.camera)
    cover = _soften(whole_alpha(placed, box), light.blur)
    fabric = _lit_fabric(placed, style, light, rng, box)
    shadow = _contact_shadow(cover, placed, points, light, rng, box)
    keep = shadow * (1 - cover)
    # cv2 multiplies bytes by weights, three channels at a time, much faster than numpy.
    tinted = cv2.merge([cover * tint for tint in light.tint])
    mixed = cv2.multiply(fabric, tinted, dtype=cv2.CV_32F)
    ground = cv2.multiply(image[y0:y1, x0:x1], cv2.merge([keep] * 3), dtype=cv2.CV_32F)
    cv2.add(mixed, ground, dst=mixed)
    lift = np.full_like(cover, 0.5)
    if light.grain > 0.2:
        lift += cover * _grain(cover.shape, light, rng)
    cv2.add(mixed, cv2.merge([lift] * 3), dst=mixed)
    masked[y0:y1, x0:x1] = np.clip(mixed, 0, 255, out=mixed)
    alpha[y0:y1, x0:x1] = cover
    return masked, alpha


def _check_shape(shape_hw: tuple[int, ...]) -> tuple[int, int]:
    if len(shape_hw) != 2 or min(shape_hw) < 1:
        raise ValueError(f"shape must be (height, width), both at least 1, got {shape_hw}")
    return int(shape_hw[0]), int(shape_hw[1])


def _soften(picture: NDArray[_Scalar], sigma: float) -> NDArray[_Scalar]:
    if sigma < 0.3:
        return picture
    taps = 2 * int(np.ceil(2.6 * sigma)) + 1
    return cv2.GaussianBlur(picture, (taps, taps), sigma, borderType=cv2.BORDER_REPLICATE)


def _lit_fabric(
    placed: Placed, style: MaskStyle, light: Light, rng: np.random.Generator, box: Box
) -> NDArray[np.uint8]:
    """Fabric and straps under the photo's light, laid on the face, uint8 (h, w, 3)."""
    tall, wide = flat_size(placed.surface)
    unit = float(np.clip(placed.camera.scale, 16.0, 220.0))
    size = (round(tall * unit), round(wide * unit))
    coarse = min(unit, _RELIEF)
    small = (round(tall * coarse), round(wide * coarse))
    flat = fabric_colour(style, rng, size, unit)
    shade = body_shade(placed, light, small)
    shade *= 1 + relief_shade(relief(style, rng, small), light, coarse)
    shade = np.minimum(shade, 0.95 + 0.5 * (shade - 0.95))  # bright fabric keeps its folds
    shade = cv2.resize(shade, size[::-1], interpolation=cv2.INTER_LINEAR)
    lit = cv2.multiply(flat, cv2.merge([shade] * 3), dtype=cv2.CV_8U)
    colour = cv2.remap(
        lit,
        inverse_map(placed, box, size),
        None,
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    dye = fabric_dye(style, style.colour if style.fastening == "wide" else style.strap)
    for strap in placed.straps:
        offset = (strap.mean(0) - placed.camera.offset) / placed.camera.scale
        level = float(np.clip(0.9 + 0.8 * offset @ light.slope, 0.4, 1.1))
        corners = np.rint((strap - box[:2]) * 16).astype(np.int32)
        ink = tuple(c * level for c in dye)
        cv2.fillPoly(colour, [corners], ink, cv2.LINE_AA, 4)
        cv2.polylines(colour, [corners], True, ink, 2, cv2.LINE_AA, 4)  # no fabric shows beside it
    if light.chroma < 0.99:  # a grey photo gets a grey fabric
        colour = cv2.transform(colour, light.chroma * np.eye(3) + (1 - light.chroma) / 3)
    return _soften(colour, float(np.sqrt(max(light.blur**2 - 0.16, 0.0))))


_NOISE = np.random.default_rng(0).standard_normal((128, 128), np.float32)


def _grain(shape: tuple[int, ...], light: Light, rng: np.random.Generator) -> Alpha:
    """Noise as coarse and as strong as the photo's."""
    start = rng.integers(0, 128, 2)
    tile = np.roll(_NOISE * np.float32(light.grain), start, (0, 1))
    tile = _soften(tile, min(light.blur, 0.6))
    repeats = (-(-shape[0] // 128), -(-shape[1] // 128))
    return np.tile(tile, repeats)[: shape[0], : shape[1]]


def _contact_shadow(
    cover: Alpha,
    placed: Placed,
    landmarks: Floats,
    light: Light,
    rng: np.random.Generator,
    box: Box,
) -> Alpha:
    """Factor (h, w) up to 1 that darkens the skin next to the mask; 1 under the mask."""
    unit = placed.camera.scale / 2  # at half size
    reach = 2 * max(1, round(0.045 * unit)) + 1
    away = -light.direction[:2] * 0.035 * unit
    h, w = cover.shape
    half = (max(1, w // 2), max(1, h // 2))
    cast = cv2.resize(cover, half, interpolation=cv2.INTER_AREA)
    forth = np.array([[1, 0, away[0]], [0, 1, away[1]]], np.float64)
    cast = cv2.warpAffine(cast, forth, half, borderMode=cv2.BORDER_REPLICATE)
    cast = cv2.blur(cv2.blur(cast, (reach, reach)), (reach, reach))
    head = np.concatenate([landmarks[:17], landmarks[26:16:-1]])
    skin = np.zeros(half[::-1], np.float32)
    corners = np.rint((head - (box[0], box[1])) * 8).astype(np.int32)
    cv2.fillPoly(skin, [corners], 1.0, cv2.LINE_8, 4)
    cast *= 0.35 + 0.65 * cv2.blur(skin, (reach, reach))
    cast *= np.float32(rng.uniform(0.25, 0.55))
    return 1 - cv2.resize(cast, (w, h), interpolation=cv2.INTER_LINEAR)
