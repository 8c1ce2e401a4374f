"""Drawing a mask: coverage alone, or the whole picture."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from uncover.masking.coverage import Placed, box_of, fabric_alpha, place, whole_alpha
from uncover.masking.fabric import fabric_colour
from uncover.masking.face import Floats, check_landmarks
from uncover.masking.light import Light, read_light
from uncover.masking.relief import body_shade, relief, relief_shade
from uncover.masking.style import MaskStyle
from uncover.masking.warp import inverse_map

_WIDE, _TALL = 2.7, 1.65  # texture size in face units: the mask laid flat
_SHADOW = 0.16  # reach of the contact shadow, face units

Box = tuple[int, int, int, int]
Alpha = NDArray[np.float32]


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
    colour = _lit_fabric(placed, style, light, rng, box)
    if placed.straps:
        colour = _add_straps(colour, placed, style, light, box)
    colour = _age(colour, light, rng)
    ground = image[y0:y1, x0:x1].astype(np.float32)
    ground *= _contact_shadow(cover, placed, points, light, rng, box)[..., None]
    mixed = ground + cover[..., None] * (colour - ground)
    masked[y0:y1, x0:x1] = np.clip(mixed + 0.5, 0, 255).astype(np.uint8)
    alpha[y0:y1, x0:x1] = cover
    return masked, alpha


def _check_shape(shape_hw: tuple[int, ...]) -> tuple[int, int]:
    if len(shape_hw) != 2 or min(shape_hw) < 1:
        raise ValueError(f"shape must be (height, width), both at least 1, got {shape_hw}")
    return int(shape_hw[0]), int(shape_hw[1])


def _soften(picture: Alpha, sigma: float) -> Alpha:
    if sigma < 0.3:
        return picture
    return cv2.GaussianBlur(picture, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE)


def _lit_fabric(
    placed: Placed, style: MaskStyle, light: Light, rng: np.random.Generator, box: Box
) -> Alpha:
    """The fabric under the photo's light, drawn flat and then laid on the face: (h, w, 3)."""
    unit = float(np.clip(placed.camera.scale, 16.0, 220.0))
    size = (round(_TALL * unit), round(_WIDE * unit))
    flat = fabric_colour(style, rng, size, unit).astype(np.float32)
    height = relief(style, rng, size)
    shade = body_shade(placed, light, size)
    shade *= 1 + relief_shade(height, light, unit)
    if style.shine > 0.05:
        shade += style.shine * 0.5 * np.clip(shade - 0.98, 0, 1) * 4
    lit = _dye(flat, light) * shade[..., None]
    at = inverse_map(placed, box)
    at += np.array([1.0, 0.0], np.float32)
    at *= np.array([(size[1] - 1) / 2, size[0] - 1], np.float32)
    return cv2.remap(lit, at, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def _dye(flat: Alpha, light: Light) -> Alpha:
    """Fabric colour under the light's tint; a grey photo gets a grey fabric."""
    if light.chroma < 0.99:
        grey = flat.mean(-1, keepdims=True)
        flat = grey + (flat - grey) * np.float32(light.chroma)
    return flat * light.tint


def _add_straps(colour: Alpha, placed: Placed, style: MaskStyle, light: Light, box: Box) -> Alpha:
    """Straps run under the body: wherever the body does not cover, the strap's colour holds."""
    body = fabric_alpha(placed, box)
    dye = style.colour if style.fastening == "wide" else style.strap
    flat = _dye(np.array(dye, np.float32)[None, None], light)
    h, w = body.shape
    x = (np.arange(w, dtype=np.float32) + box[0] - placed.camera.offset[0]) / placed.camera.scale
    y = (np.arange(h, dtype=np.float32) + box[1] - placed.camera.offset[1]) / placed.camera.scale
    slope = x[None] * light.slope[0] + y[:, None] * light.slope[1]
    level = np.clip(0.94 + 0.8 * slope, 0.4, 1.3).astype(np.float32)
    strap = flat * level[..., None]
    return strap + body[..., None] * (colour - strap)


def _age(colour: Alpha, light: Light, rng: np.random.Generator) -> Alpha:
    """Blur and grain like the photo's."""
    sigma = float(np.sqrt(max(light.blur**2 - 0.16, 0.0)))
    colour = _soften(colour, sigma)
    if light.grain > 0.3:
        h, w = colour.shape[:2]
        grain = rng.standard_normal((h, w), np.float32) * np.float32(light.grain)
        colour = colour + _soften(grain, min(light.blur, 0.6))[..., None]
    return colour


def _contact_shadow(
    cover: Alpha,
    placed: Placed,
    landmarks: Floats,
    light: Light,
    rng: np.random.Generator,
    box: Box,
) -> Alpha:
    """Factor (h, w) up to 1 that darkens the skin next to the mask."""
    unit = placed.camera.scale
    reach = 2 * max(1, round(0.045 * unit)) + 1
    away = -light.direction[:2] * 0.035 * unit
    forth = np.array([[1, 0, away[0]], [0, 1, away[1]]], np.float64)
    h, w = cover.shape
    cast = cv2.warpAffine(cover, forth, (w, h), borderMode=cv2.BORDER_REPLICATE)
    cast = cv2.blur(cv2.blur(cast, (reach, reach)), (reach, reach))
    head = np.concatenate([landmarks[:17], landmarks[26:16:-1]])
    skin = np.zeros((h, w), np.float32)
    corners = np.rint((head - (box[0], box[1])) * 16).astype(np.int32)
    cv2.fillPoly(skin, [corners], 1.0, cv2.LINE_8, 4)
    skin = 0.35 + 0.65 * cv2.blur(skin, (reach, reach))
    return 1 - np.float32(rng.uniform(0.25, 0.55)) * cast * skin * (1 - cover)
