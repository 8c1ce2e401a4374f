"""Crops to learn from whether there is a face: what a detector finds, right and wrong, and more.

Finds in labelled photos and in drawn textures, faces with drawn masks, and places beside them; each
framed as the pipeline would.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from tqdm import tqdm

from training.data import LabelledPhoto, is_held_out, read_rgb
from training.presence.textures import draw_texture, lay_mask
from uncover.crop import WHOLE_FACE, Box, FaceCrop, frame_face, overlap, refine, whole_face
from uncover.faces import FaceRecord
from uncover.masking import draw_mask, random_style
from uncover.networks import MaskSegmenter, whereabouts

SIDE = 256  # of the crops
LEAST_SCORE = 0.2  # of a find in a labelled photo that counts as an example
LEAST_BOX = 20.0  # pixels
HELD_OUT = 0.2
MOST_IN_TEXTURE = 4  # finds that count


@dataclass(frozen=True)
class Example:
    """A framed crop: the network's features, whether it shows a face, and where it comes from.

    score: the detector's; 1 for places it was not asked about. held_out: kept out of training.
    """

    features: np.ndarray
    face: bool
    score: float = 1.0
    held_out: bool = False


def examine(segmenter: MaskSegmenter, photo: np.ndarray, boxes: Sequence[Box]) -> np.ndarray:
    """Features float32 (N, D) of what lies in each box, framed as the pipeline does."""
    rough = [FaceCrop.from_box(box, SIDE) for box in boxes]
    points = segmenter.segment(np.stack([crop.extract(photo) for crop in rough])).points
    level = [refine(crop, p) or crop for crop, p in zip(rough, points, strict=True)]
    kept: list[torch.Tensor] = []
    hook = segmenter.bottom.register_forward_hook(
        lambda module, given, out: kept.append(whereabouts(out.float()))
    )
    segmenter.segment(np.stack([crop.extract(photo) for crop in level]))
    hook.remove()
    return torch.cat(kept).numpy()


def judge(box: Box, score: float, photo: LabelledPhoto) -> bool | None:
    """Whether a find is a face; None where the labels do not say.

    Close-ups are labelled by their main faces only, so a small find that the detector is sure of
    may be a passer-by.
    """
    best = max(overlap(box, tuple(map(float, known))) for known in photo.boxes)
    if best > 0.5:
        return True
    if best > 0.1:
        return None
    main = max(min(b[2] - b[0], b[3] - b[1]) for b in photo.boxes)
    small = min(box[2] - box[0], box[3] - box[1]) < 0.5 * main
    return None if small and score >= 0.5 else False


def from_labelled(
    photos: Sequence[LabelledPhoto], detector: torch.nn.Module, segmenter: MaskSegmenter
) -> Iterator[Example]:
    """What the detector finds in labelled photos, right and wrong."""
    for photo in tqdm(photos, "labelled photos", disable=None):
        rgb = read_rgb(photo.file)
        found = detector.detect([rgb])[0]
        boxes: list[Box] = []
        known: list[tuple[bool, float]] = []
        for i in np.argsort(-found.scores):
            x0, y0, x1, y1 = (float(v) for v in found.boxes[i])
            box, score = (x0, y0, x1, y1), float(found.scores[i])
            twice = any(overlap(box, other) >= 0.5 for other in boxes)
            if score < LEAST_SCORE or min(x1 - x0, y1 - y0) < LEAST_BOX or twice:
                continue
            face = judge(box, score, photo)
            if face is not None:
                boxes.append(box)
                known.append((face, score))
        if boxes:
            held = is_held_out(photo.file.name, HELD_OUT)
            rows = examine(segmenter, rgb, boxes)
            for row, (face, score) in zip(rows, known, strict=True):
                yield Example(row, face, score, held)


def from_drawn(
    records: Sequence[FaceRecord], segmenter: MaskSegmenter, rng: np.random.Generator
) -> Iterator[Example]:
    """Faces with drawn masks, and places beside them, most of them with a mask nobody wears."""
    for record in tqdm(records, "drawn masks", disable=None):
        rgb, points = read_rgb(record.file), record.landmarks
        frame = frame_face(points, SIDE)
        worn, _ = draw_mask(rgb, points, random_style(rng))
        face = whole_face(frame)
        yield Example(examine(segmenter, worn, [_jittered(face, rng)])[0], True)
        place = empty_place(rgb.shape[:2], face, rng)
        if place is not None:
            if rng.random() < 0.6:
                unit = frame.to_crop(points) / SIDE
                low, span = WHOLE_FACE[:2], WHOLE_FACE[2:] - WHOLE_FACE[:2]
                size = np.array([place[2] - place[0], place[3] - place[1]])
                moved = (unit - low) / span * size + place[:2]
                rgb, _ = draw_mask(rgb, moved.astype(np.float32), random_style(rng))
            yield Example(examine(segmenter, rgb, [place])[0], False)


def from_textures(
    records: Sequence[FaceRecord],
    detector: torch.nn.Module,
    segmenter: MaskSegmenter,
    rng: np.random.Generator,
) -> Iterator[Example]:
    """What the detector takes for faces in pictures without any, half of them with a mask, which
    counts whether it was found or not. One for each face, whose landmarks shape the mask."""
    for i, record in enumerate(tqdm(records, "textures", disable=None)):
        picture, held = draw_texture(rng), i % round(1 / HELD_OUT) == 0
        boxes: list[Box] = []
        scores: list[float] = []
        if i % 2:
            picture, box = lay_mask(picture, record.landmarks, rng)
            boxes, scores = [box], [1.0]
        found = detector.detect([picture])[0]
        for k in np.argsort(-found.scores):
            x0, y0, x1, y1 = (float(v) for v in found.boxes[k])
            box, score = (x0, y0, x1, y1), float(found.scores[k])
            twice = any(overlap(box, other) >= 0.5 for other in boxes)
            if len(boxes) == MOST_IN_TEXTURE or score < LEAST_SCORE:
                break
            if min(x1 - x0, y1 - y0) >= LEAST_BOX and not twice:
                boxes.append(box)
                scores.append(score)
        if boxes:
            rows = examine(segmenter, picture, boxes)
            for row, score in zip(rows, scores, strict=True):
                yield Example(row, False, score, held)


def empty_place(shape: tuple[int, int], face: Box, rng: np.random.Generator) -> Box | None:
    """A box of a face's proportions that covers next to nothing of the face; None if none fits."""
    height, width = shape
    for _ in range(30):
        side = rng.uniform(0.35, 1.1) * (face[2] - face[0])
        if min(width, height) < 0.7 * side:
            continue
        x, y = rng.uniform(-0.3 * side, np.array([width, height]) - 0.7 * side)
        box = (float(x), float(y), float(x + side), float(y + 1.28 * side))
        shared = np.minimum(box[2:], face[2:]) - np.maximum(box[:2], face[:2])
        if np.maximum(shared, 0).prod() < 0.12 * side * side:
            return box
    return None


def _jittered(box: Box, rng: np.random.Generator) -> Box:
    size = np.array([box[2] - box[0], box[3] - box[1]] * 2)
    moved = np.array(box) + rng.normal(0, 0.05, 4) * size
    return tuple(float(v) for v in moved)  # type: ignore[return-value]
