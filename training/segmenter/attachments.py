"""What drawn masks lack: bands and trims of any colour, glasses in front, filters at the sides."""

from __future__ import annotations

import cv2
import numpy as np

_THIN = 0.16  # of the distance between the eyes: a part of a mask that is narrower is a strap
_BANDS = (
    (225, 190, 40),
    (235, 120, 30),
    (60, 160, 70),
    (40, 80, 190),
    (240, 240, 240),
    (25, 25, 28),
)


def dye_straps(
    image: np.ndarray, mask: np.ndarray, landmarks: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """The straps of a drawn mask in another colour, their light kept.

    image: uint8 (H, W, 3) with the mask drawn. mask: float32 (H, W), its alpha. landmarks: (68, 2).
    Returns uint8 (H, W, 3).
    """
    reach = max(1, round(_THIN * _between_eyes(landmarks) / 2))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    thin = (mask - cv2.morphologyEx(mask, cv2.MORPH_OPEN, kernel)).clip(0, 1)
    total = float(thin.sum())
    if total < 4:
        return image
    colour = _dye(image, rng)
    light = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32)
    light = np.clip(light / max(1.0, float((light * thin).sum()) / total), 0.5, 1.4)
    return _laid(image, colour * light[..., None], thin * rng.uniform(0.75, 1.0))


def add_head_bands(
    image: np.ndarray, mask: np.ndarray, landmarks: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """One or two flat bands a side, from the mask's edge over the ear and to the neck, as
    respirators have, some of them clipped on: the picture, and the mask with them. Arguments as
    for `put_glasses_on`.
    """
    unit, (along, down) = _between_eyes(landmarks), _axes(landmarks)
    colour, clip = _dye(image, rng), _dye(image, rng)
    width, clipped, lower = unit * rng.uniform(0.04, 0.15), rng.random() < 0.4, rng.random() < 0.7
    for sign, upper_end, lower_end in ((-1, 0, 3), (1, 16, 13)):
        if rng.random() < 0.1:
            continue
        nose, mouth = landmarks[30], landmarks[48:68].mean(0)
        ends = [(nose + unit * rng.uniform(0.0, 0.3) * down, upper_end, rng.uniform(-0.7, 0.1))]
        if lower:
            ends.append((mouth + unit * rng.uniform(0.0, 0.35) * down, lower_end, 0.2))
        for start, jaw, height in ends:
            edge = _edge(mask, start, sign * along)
            if edge is None:  # nose or mouth is out
                continue
            end = landmarks[jaw] + unit * rng.uniform(0.0, 0.6) * sign * along
            end = end + unit * (height + rng.normal(0, 0.1)) * down
            sag = unit * rng.uniform(-0.02, 0.08) * down
            t = np.linspace(0, 1, 16)[:, None]
            course = (1 - t) * edge + t * end + 4 * t * (1 - t) * sag
            cover = np.zeros(mask.shape, np.uint8)
            thick = max(1, round(width))
            cv2.polylines(cover, [_fixed(course)], False, 255, thick, cv2.LINE_AA, 4)
            band = cv2.GaussianBlur(cover, (0, 0), 0.6).astype(np.float32) / 255
            core = cv2.GaussianBlur(cover, (0, 0), max(0.8, width / 3)).astype(np.float32) / 255
            image = _laid(image, colour * (0.7 + 0.4 * core[..., None]), band)
            mask = np.maximum(mask, band)
            if clipped:
                cover[:] = 0
                size = width * rng.uniform(1.0, 2.2), width * rng.uniform(1.0, 1.8)
                angle = float(np.degrees(np.arctan2(*(course[1] - course[0])[::-1])))
                box = cv2.boxPoints((tuple(map(float, edge)), size, angle))
                cv2.fillPoly(cover, [_fixed(box)], 255, cv2.LINE_AA, 4)
                image = _laid(image, clip, cover.astype(np.float32) / 255)
                mask = np.maximum(mask, cover.astype(np.float32) / 255)
    return image, mask


def add_trim(
    image: np.ndarray, mask: np.ndarray, landmarks: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """A border of another colour: sewn along the mask's edge, or a second mask that shows from
    under it on one side. The picture, and the mask with it. Arguments as for `put_glasses_on`.
    """
    unit = _between_eyes(landmarks)
    reach = unit * rng.uniform(0.03, 0.12)
    if rng.random() < 0.4:
        side = 2 * max(1, round(reach)) + 1
        kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
        border = mask - cv2.erode(mask, kernel)
    else:
        angle = rng.normal(-np.pi / 2, 0.8)  # upwards as a rule
        move = np.array([[1, 0, 1.5 * reach * np.cos(angle)], [0, 1, 1.5 * reach * np.sin(angle)]])
        border = (cv2.warpAffine(mask, move, mask.shape[::-1]) - mask).clip(0, 1)
    colour = _dye(image, rng)
    if rng.random() < 0.4:
        colour = colour.max() * np.array([1.0, 1.0, 0.98])  # the white of a lining
    depth = cv2.GaussianBlur(border, (0, 0), max(0.8, reach / 2))[..., None]
    image = _laid(image, colour * (0.7 + 0.4 * depth), border)
    return image, np.maximum(mask, border)


def put_glasses_on(
    image: np.ndarray, mask: np.ndarray, landmarks: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Glasses in front of eyes and mask: their frame hides the mask, clear lenses do not.

    image: uint8 (H, W, 3). mask: float32 (H, W), the pixels that were mask. landmarks: (68, 2).
    Returns the picture, and the mask without what the glasses hide.
    """
    unit = _between_eyes(landmarks)
    eyes = np.stack([landmarks[36:42].mean(0), landmarks[42:48].mean(0)])
    along, down = _axes(landmarks)
    low, wide, high = rng.uniform(0.02, 0.28), rng.uniform(0.36, 0.47), rng.uniform(0.24, 0.42)
    square = rng.choice((2.0, 3.0, 5.0))  # exponent of the superellipse
    turn = np.linspace(0, 2 * np.pi, 40)
    cos, sin = np.cos(turn), np.sin(turn)
    x = wide * np.sign(cos) * np.abs(cos) ** (2 / square)
    y = high * np.sign(sin) * np.abs(sin) ** (2 / square)
    frame, lens = (np.zeros(mask.shape, np.uint8) for _ in range(2))
    thick = max(1, round(unit * rng.uniform(0.015, 0.07)))
    middles = [eye + low * unit * down for eye in eyes]
    for middle in middles:
        rim = middle + unit * (x[:, None] * along + y[:, None] * down)
        cv2.fillPoly(lens, [_fixed(rim)], 255, cv2.LINE_AA, 4)
        if rng.random() < 0.9:
            cv2.polylines(frame, [_fixed(rim)], True, 255, thick, cv2.LINE_AA, 4)
    bridge = [middles[0] + wide * unit * along, middles[1] - wide * unit * along]
    cv2.polylines(frame, [_fixed(np.array(bridge))], False, 255, thick, cv2.LINE_AA, 4)
    for middle, sign, ear in ((middles[0], -1, landmarks[0]), (middles[1], 1, landmarks[16])):
        temple = np.array([middle + sign * wide * unit * along, ear - 0.15 * unit * down])
        cv2.polylines(frame, [_fixed(temple)], False, 255, thick, cv2.LINE_AA, 4)
    dark = rng.random() < 0.25
    tint = rng.uniform(0.75, 0.97) if dark else rng.uniform(0.0, 0.3)
    shade = rng.uniform(5, 50, 3) if dark else rng.uniform(60, 255, 3)
    glass = lens.astype(np.float32) / 255
    image = _laid(image, shade, glass * tint)
    solid = frame.astype(np.float32) / 255
    colour = rng.uniform(10, 60, 3) if rng.random() < 0.6 else rng.uniform(20, 240, 3)
    hidden = np.maximum(solid, glass) if tint > 0.6 else solid
    return _laid(image, colour, solid), mask * (1 - hidden)


def add_filters(
    image: np.ndarray, mask: np.ndarray, landmarks: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Round filters beside the mouth, as half-mask respirators have: the picture, and the mask
    with them. Arguments as for `put_glasses_on`.
    """
    unit = _between_eyes(landmarks)
    mouth = landmarks[48:68].mean(0)
    sides = ((4, -1), (12, 1)) if rng.random() < 0.8 else ((4, -1),)
    colour = rng.uniform(10, 70, 3) if rng.random() < 0.6 else rng.uniform(20, 245, 3)
    face = rng.uniform(10, 250, 3) if rng.random() < 0.6 else colour * 0.8
    radius, off = unit * rng.uniform(0.25, 0.5), rng.uniform(0.7, 1.15)
    squeeze, drop = rng.uniform(0.5, 1.0), unit * rng.uniform(-0.1, 0.3)
    for jaw, sign in sides:
        middle = mouth + off * (landmarks[jaw] - mouth) + (0, drop)
        tilt = float(rng.uniform(-20, 20)) + 15 * sign
        cover = np.zeros(mask.shape, np.uint8)
        size = (2 * radius * squeeze, 2 * radius)
        box = (tuple(map(float, middle)), tuple(map(float, size)), tilt)
        cv2.ellipse(cover, box, 255, -1, cv2.LINE_AA)
        alpha = cv2.GaussianBlur(cover, (0, 0), 0.7).astype(np.float32) / 255
        depth = cv2.GaussianBlur(cover, (0, 0), max(1.0, radius / 4)).astype(np.float32) / 255
        image = _laid(image, colour * (0.5 + 0.6 * depth[..., None]), alpha)
        inner = np.zeros(mask.shape, np.uint8)
        share = rng.uniform(0.55, 0.85)
        box = (box[0], (share * size[0], share * size[1]), tilt)
        cv2.ellipse(inner, box, 255, -1 if rng.random() < 0.6 else 2, cv2.LINE_AA)
        image = _laid(image, face, inner.astype(np.float32) / 255 * rng.uniform(0.5, 1.0))
        mask = np.maximum(mask, alpha)
    return image, mask


def _between_eyes(landmarks: np.ndarray) -> float:
    return max(4.0, float(np.linalg.norm(landmarks[42:48].mean(0) - landmarks[36:42].mean(0))))


def _axes(landmarks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Unit vectors along the eyes and down the face."""
    along = (landmarks[42:48].mean(0) - landmarks[36:42].mean(0)) / _between_eyes(landmarks)
    return along, np.array([-along[1], along[0]])


def _dye(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """RGB of a band, as light as the picture is: a white band in a dark room is grey."""
    colour = np.array(_BANDS[rng.integers(len(_BANDS))]) + rng.normal(0, 15, 3)
    if rng.random() < 0.5:
        colour = rng.uniform(10, 245, 3)
    exposure = float(np.median(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY))) / 128
    return colour.clip(5, 250) * np.clip(0.6 + 0.4 * exposure, 0.3, 1.2)


def _edge(mask: np.ndarray, start: np.ndarray, towards: np.ndarray) -> np.ndarray | None:
    """The last point on the mask on the way from ``start``; None where that is not on it."""
    way = start + np.arange(0, max(mask.shape), 0.5)[:, None] * towards
    at = np.round(way).astype(int)
    inside = ((at >= 0) & (at < mask.shape[::-1])).all(1)
    on = mask[at[inside, 1], at[inside, 0]] > 0.5
    run = len(on) if on.all() else int(np.argmin(on))
    return way[run - 1] if run else None


def _fixed(points: np.ndarray) -> np.ndarray:
    return np.round(points * 16).astype(np.int32)


def _laid(image: np.ndarray, ink: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """A colour (3,) or picture (H, W, 3) over uint8 (H, W, 3), as strongly as float32 (H, W)."""
    alpha = alpha[..., None]
    return np.clip(image * (1 - alpha) + ink * alpha, 0, 255).round().astype(np.uint8)
