"""Pictures without a face: drawn textures and clutter, on some of them a mask that nobody wears.

A detector trained on people alone takes pebbles, grass and coffee cups for faces. These pictures
are drawn like the masks are, by code and from a seed, and hold nothing but the lesson.
"""

from __future__ import annotations

import cv2
import numpy as np

from uncover.masking import draw_mask, random_style


def draw_texture(rng: np.random.Generator, width: int = 480, height: int = 360) -> np.ndarray:
    """uint8 (height, width, 3): one kind of texture, or clutter on another."""
    kinds = (_noise, _pebbles, _blades, _tiles, _clutter)
    picture = kinds[int(rng.integers(len(kinds)))](rng, width, height)
    if rng.random() < 0.3:
        soft = cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.5, 2.5))
        picture = soft if rng.random() < 0.5 else cv2.addWeighted(picture, 1.8, soft, -0.8, 0)
    light = np.linspace(rng.uniform(0.5, 1.1), rng.uniform(0.5, 1.1), width)[None, :, None]
    return np.clip(picture * light, 0, 255).astype(np.uint8)


def lay_mask(
    picture: np.ndarray, landmarks: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, tuple[float, float, float, float]]:
    """A mask drawn where no face is, as large as a face would be; the picture and the face's box.

    landmarks: (68, 2), of any face: the mask's shape. It is turned, up to upside down, and moved.
    """
    height, width = picture.shape[:2]
    middle = landmarks.mean(0)
    span = np.ptp(landmarks, axis=0).max()
    size = rng.uniform(0.2, 0.8) * min(width, height)
    angle = np.deg2rad(rng.normal(0, 30) if rng.random() < 0.6 else rng.uniform(-180, 180))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    place = rng.uniform((0.25 * width, 0.25 * height), (0.75 * width, 0.75 * height))
    points = (landmarks - middle) / span * size @ turn.T + place
    drawn, _ = draw_mask(picture, points.astype(np.float32), random_style(rng))
    x, y = (float(v) for v in place)
    return drawn, (x - 0.6 * size, y - 0.75 * size, x + 0.6 * size, y + 0.65 * size)


def _colour(rng: np.random.Generator) -> np.ndarray:
    """RGB, grey more often than garish."""
    return np.clip(rng.uniform(20, 235) + rng.normal(0, rng.exponential(25), 3), 0, 255)


def _noise(rng: np.random.Generator, width: int, height: int) -> np.ndarray:
    """Noise whose power falls with the frequency to a random exponent."""
    steep = rng.uniform(0.3, 2.2)
    fy, fx = np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None]
    falling = np.maximum(np.hypot(fx, fy), 1 / max(width, height)) ** -steep
    grey = [
        np.fft.irfft2(np.fft.rfft2(rng.normal(size=(height, width))) * falling, (height, width))
        for _ in range(1 + 2 * int(rng.random() < 0.5))
    ]
    field = np.stack([grey[i % len(grey)] for i in range(3)], axis=-1)
    return _colour(rng) + field / field.std() * rng.uniform(15, 60)


def _pebbles(rng: np.random.Generator, width: int, height: int) -> np.ndarray:
    """Cells around random points, each with a colour and a rounded shade of its own."""
    side = rng.uniform(10, 60)
    count = int(width * height / side**2)
    seeds = np.full((height, width), 255, np.uint8)
    seeds[rng.integers(0, height, count), rng.integers(0, width, count)] = 0
    far, cell = cv2.distanceTransformWithLabels(
        seeds, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    tint = _colour(rng) + rng.normal(0, rng.uniform(5, 45), (int(cell.max()) + 1, 1))
    tint = tint + rng.normal(0, rng.uniform(0, 15), (len(tint), 3))
    shade = np.clip(1.15 - rng.uniform(0.4, 1.1) * far / side, 0.1, 1.2)
    grain = rng.normal(0, rng.uniform(0, 12), (height, width))
    return tint[cell] * shade[..., None] + grain[..., None]


def _blades(rng: np.random.Generator, width: int, height: int) -> np.ndarray:
    """Many short strokes of one direction, as grass, fur or hair."""
    picture = np.full((height, width, 3), _colour(rng), np.float32)
    base, lean = _colour(rng), rng.uniform(0, np.pi)
    for _ in range(int(rng.integers(300, 1500))):
        start = rng.uniform((0, 0), (width, height))
        angle = lean + rng.normal(0, 0.5)
        end = start + rng.uniform(8, 60) * np.array([np.cos(angle), np.sin(angle)])
        tint = (base + rng.normal(0, 35)).tolist()
        cv2.line(
            picture, start.astype(int).tolist(), end.astype(int).tolist(), tint,
            int(rng.integers(1, 4)), cv2.LINE_AA,
        )  # fmt: skip
    return picture


def _tiles(rng: np.random.Generator, width: int, height: int) -> np.ndarray:
    """Bricks, boards, checks: a grid of patches with joints."""
    wide, high = rng.integers(12, 120, 2)
    y, x = np.mgrid[:height, :width]
    row = y // high
    shifted = x + (row % 2) * (wide // 2) * int(rng.random() < 0.6)
    tint = _colour(rng) + rng.normal(0, rng.uniform(3, 40), (256, 1)) + rng.normal(0, 5, (256, 3))
    picture = tint[(row * 31 + shifted // wide * 17) % 256]
    joint = (y % high < rng.integers(1, 5)) | (shifted % wide < rng.integers(1, 5))
    picture[joint] = _colour(rng)
    return picture + rng.normal(0, rng.uniform(0, 12), (height, width))[..., None]


def _clutter(rng: np.random.Generator, width: int, height: int) -> np.ndarray:
    """Discs, boxes and lines of all sizes on a texture: things, round ones above all."""
    ground = (_noise, _tiles)[int(rng.integers(2))](rng, width, height)
    picture = np.ascontiguousarray(np.clip(ground, 0, 255), np.float32)
    for _ in range(int(rng.integers(4, 40))):
        x, y = rng.uniform((0, 0), (width, height)).astype(int).tolist()
        a, b = (rng.lognormal(3.0, 0.8, 2) + 2).astype(int).tolist()
        tint, turn = _colour(rng).tolist(), float(rng.uniform(0, 180))
        thick = -1 if rng.random() < 0.7 else int(rng.integers(1, 8))
        kind = rng.random()
        if kind < 0.6:
            cv2.ellipse(picture, (x, y), (a, b), turn, 0, 360, tint, thick, cv2.LINE_AA)
        elif kind < 0.85:
            cv2.rectangle(picture, (x - a, y - b), (x + a, y + b), tint, thick)
        else:
            cv2.line(picture, (x - a, y - b), (x + a, y + b), tint, abs(thick) + 1, cv2.LINE_AA)
    return cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.4, 1.2))
