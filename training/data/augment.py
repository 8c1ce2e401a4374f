"""What a camera and the world do to a picture: light, blur, noise, hands and hair in front."""

from __future__ import annotations

import cv2
import numpy as np


def vary_light(rng: np.random.Generator, image: np.ndarray) -> np.ndarray:
    """Random exposure, gamma, colour cast, saturation, blur, noise and JPEG loss."""
    gain = np.exp(rng.normal(0, 0.2)) * (rng.uniform(0.3, 0.8) if rng.random() < 0.12 else 1.0)
    gains = gain * np.exp(rng.normal(0, 0.06, 3))
    gamma, bias = np.exp(rng.normal(0, 0.18)), rng.normal(0, 8)
    ramp = (np.arange(256) / 255) ** gamma * 255
    table = (ramp[:, None] * gains + bias).clip(0, 255).astype(np.uint8)
    image = cv2.LUT(np.ascontiguousarray(image), table[None])
    if rng.random() < 0.25:
        grey = cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
        share = 1.0 if rng.random() < 0.3 else rng.uniform(0, 0.8)
        image = cv2.addWeighted(grey, share, image, 1 - share, 0)
    height, width = image.shape[:2]
    if rng.random() < 0.2:
        if rng.random() < 0.5:
            image = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.5, 2.0))
        else:
            factor = rng.uniform(0.3, 0.8)
            size = max(8, round(width * factor)), max(8, round(height * factor))
            image = cv2.resize(
                cv2.resize(image, size, interpolation=cv2.INTER_AREA), (width, height)
            )
    if rng.random() < 0.15:
        noise = rng.normal(0, rng.uniform(2, 14), image.shape).astype(np.float32)
        image = (image + noise).clip(0, 255).astype(np.uint8)
    if rng.random() < 0.2:
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(25, 85))]
        image = cv2.imdecode(cv2.imencode(".jpg", image, quality)[1], cv2.IMREAD_COLOR)
    return image


def add_occluder(
    rng: np.random.Generator, image: np.ndarray, mask: np.ndarray, skin: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Fingers, a blob or strands of hair in front of a face.

    Args:
        image: uint8 (H, W, 3). mask: float32 (H, W), the pixels that were mask.
        skin: RGB of this face's skin, for hands.

    Returns:
        The picture, and the mask without what the occluder hides.
    """
    height, width = mask.shape
    side = max(height, width)
    cover = np.zeros((height, width), np.uint8)
    kind = rng.choice(("fingers", "blob", "hair"), p=(0.5, 0.2, 0.3))
    near = rng.uniform(0.15, 0.95, 2) * (width, height)
    if kind == "fingers":
        # Parallel strokes that enter from a side or from below.
        angle = rng.uniform(-0.3, np.pi + 0.3)
        along = np.array([np.cos(angle), np.sin(angle)])
        thick = side * rng.uniform(0.03, 0.07)
        for i in range(rng.integers(1, 5)):
            tip = near + along[::-1] * (-1, 1) * i * thick * 1.15 + rng.normal(0, thick / 4, 2)
            end = tip + along * side * rng.uniform(0.25, 0.9) + rng.normal(0, thick / 2, 2)
            _stroke(cover, tip, end, thick)
        colour = skin * rng.uniform(0.75, 1.15) + rng.normal(0, 6, 3)
    elif kind == "blob":
        axes = side * rng.uniform(0.04, 0.16, 2)
        turn = float(rng.uniform(0, 180))
        cv2.ellipse(cover, (tuple(map(float, near)), tuple(map(float, 2 * axes)), turn), 255, -1)
        colour = rng.uniform(10, 245, 3) if rng.random() < 0.6 else skin * rng.uniform(0.7, 1.2)
    else:
        start = np.array([rng.uniform(0, width), -0.05 * height])
        for _ in range(rng.integers(3, 14)):
            a = start + rng.normal(0, side * 0.06, 2)
            fall = np.array([rng.normal(0, side * 0.12), side * rng.uniform(0.4, 1.0)])
            b = a + fall
            bend = (a + b) / 2 + rng.normal(0, side * 0.06, 2)
            t = np.linspace(0, 1, 16)[:, None]
            curve = (1 - t) ** 2 * a + 2 * t * (1 - t) * bend + t**2 * b
            points = (curve * 16).round().astype(np.int32)[None]
            cv2.polylines(cover, points, False, 255, int(rng.integers(1, 4)), cv2.LINE_AA, 4)
        colour = rng.uniform(10, 90) * np.array([1.0, rng.uniform(0.7, 1), rng.uniform(0.5, 1)])
    alpha = cv2.GaussianBlur(cover, (0, 0), rng.uniform(0.5, 1.2)).astype(np.float32) / 255
    # Round shading: darker towards the edges.
    depth = cv2.GaussianBlur(cover, (0, 0), side * 0.015).astype(np.float32) / 255
    shade = 0.6 + 0.4 * depth[..., None] + rng.normal(0, 0.02, (height, width, 1))
    front = (np.clip(colour, 0, 255) * shade).clip(0, 255)
    mixed = image * (1 - alpha[..., None]) + front * alpha[..., None]
    return mixed.astype(np.uint8), mask * (1 - alpha)


def _stroke(cover: np.ndarray, start: np.ndarray, end: np.ndarray, thick: float) -> None:
    a, b = (tuple(int(v) for v in np.round(p)) for p in (start, end))
    cv2.line(cover, a, b, 255, max(1, round(thick)), cv2.LINE_AA)
