"""How good a detector is: COCO's average precision by class and face size, and close-up rates."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from training.data import LabelledPhoto, read_rgb
from training.run import write_sheet
from uncover.crop import overlap
from uncover.networks import LABELS, Detections, MaskDetector

SIZES = {
    "all": (0.0, 1e10),
    "under32": (0.0, 32.0**2),
    "from32": (32.0**2, 1e10),
    "32to96": (32.0**2, 96.0**2),
    "from96": (96.0**2, 1e10),
}
"""Face size by the area of its box in photo pixels, as COCO does."""

COLOURS = {"with_mask": (60, 220, 60), "without_mask": (240, 60, 60)}


def average_precision(
    photos: Sequence[LabelledPhoto], found: Sequence[Detections]
) -> dict[str, float]:
    """AP at IoU 0.5 and averaged over 0.5:0.95, by class and size: {"ap50/with_mask/all": ...}.

    Combinations without a labelled face are left out. Faces outside a size range, and detections
    of such faces, neither help nor hurt (COCO's rule).
    """
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    images = [{"id": i} for i in range(len(photos))]
    truth, results = [], []
    for i, photo in enumerate(photos):
        for box, label in zip(_xywh(photo.boxes), photo.labels.tolist(), strict=True):
            entry = {"image_id": i, "category_id": label, "bbox": box, "iscrowd": 0}
            truth.append({**entry, "id": len(truth) + 1, "area": box[2] * box[3]})
    for i, faces in enumerate(found):
        for box, name, score in zip(_xywh(faces.boxes), faces.labels, faces.scores, strict=True):
            entry = {"image_id": i, "category_id": LABELS.index(name) + 1, "bbox": box}
            results.append({**entry, "score": float(score)})
    scores: dict[str, float] = {}
    if not truth:
        return scores
    with contextlib.redirect_stdout(io.StringIO()):
        reference = COCO()
        reference.dataset = {
            "info": {},
            "images": images,
            "annotations": truth,
            "categories": [{"id": i + 1, "name": name} for i, name in enumerate(LABELS)],
        }
        reference.createIndex()
        if not results:
            detected = COCO()
            detected.dataset = {**reference.dataset, "annotations": []}
            detected.createIndex()
        else:
            detected = reference.loadRes(results)
        run = COCOeval(reference, detected, "bbox")
        run.params.areaRng = [list(r) for r in SIZES.values()]
        run.params.areaRngLbl = list(SIZES)
        run.params.maxDets = [1, 10, 200]
        run.evaluate()
        run.accumulate()
    precision = run.eval["precision"]  # IoU x recall x class x size x limit; -1: nothing labelled
    for c, name in enumerate(LABELS):
        for s, size in enumerate(SIZES):
            if (precision[0, :, c, s, 2] > -1).any():
                scores[f"ap50/{name}/{size}"] = float(precision[0, :, c, s, 2].mean())
                scores[f"ap/{name}/{size}"] = float(precision[:, :, c, s, 2].mean())
    return scores


def found_as(
    photos: Sequence[LabelledPhoto], found: Sequence[Detections], name: str, score: float = 0.5
) -> tuple[int, int]:
    """(found, labelled): faces of label ``name``, found where such a box overlaps by IoU 0.5."""
    hits = total = 0
    for photo, faces in zip(photos, found, strict=True):
        same = [
            box
            for box, label, s in zip(faces.boxes, faces.labels, faces.scores, strict=True)
            if label == name and s >= score
        ]
        for box in photo.boxes[photo.labels == LABELS.index(name) + 1]:
            total += 1
            hits += any(overlap(box, other) >= 0.5 for other in same)
    return hits, total


def score_detector(
    model: MaskDetector,
    scenes: Sequence[LabelledPhoto],
    closeups: Sequence[LabelledPhoto],
    bare: Sequence[Path],
) -> dict[str, float]:
    """AP on scenes; share of labelled close-ups found; of bare faces, found and called masked."""
    found = [model.detect([read_rgb(p.file)], one_label_per_face=False)[0] for p in scenes]
    scores = {k: v for k, v in average_precision(scenes, found).items() if k.startswith("ap50")}
    found = [model.detect([read_rgb(p.file)])[0] for p in closeups]
    for name in ("with_mask", "without_mask"):
        hits, total = found_as(closeups, found, name)
        if total:
            scores[f"closeups/{name}"] = hits / total
    if bare:
        labels = [set(model.detect([read_rgb(f)], 0.5)[0].labels) for f in bare]
        masked = {"with_mask", "mask_worn_incorrectly"}
        scores["bare/called_masked"] = sum(bool(seen & masked) for seen in labels) / len(bare)
        scores["bare/found"] = sum("without_mask" in seen for seen in labels) / len(bare)
    return scores


def draw_sheet(
    path: Path, model: MaskDetector, photos: Sequence[LabelledPhoto], columns: int = 6
) -> None:
    """A contact sheet: what is found (thick) over what is labelled (thin)."""
    tiles = []
    for photo in photos:
        image = read_rgb(photo.file)
        faces = model.detect([image], 0.5)[0]
        scale = 256 / max(image.shape[:2])
        size = round(image.shape[1] * scale), round(image.shape[0] * scale)
        small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
        for box, label in zip(photo.boxes, photo.labels.tolist(), strict=True):
            _draw(small, box * scale, LABELS[label - 1], 1)
        for box, name in zip(faces.boxes, faces.labels, strict=True):
            _draw(small, box * scale, name, 2)
        tile = np.full((256, 256, 3), 40, np.uint8)
        tile[: small.shape[0], : small.shape[1]] = small
        tiles.append(tile)
    write_sheet(path, tiles, columns, grey=40)


def _xywh(boxes: np.ndarray) -> list[list[float]]:
    return [[float(x0), float(y0), float(x1 - x0), float(y1 - y0)] for x0, y0, x1, y1 in boxes]


def _draw(image: np.ndarray, box: np.ndarray, name: str, width: int) -> None:
    x0, y0, x1, y1 = (round(float(v)) for v in box)
    cv2.rectangle(image, (x0, y0), (x1, y1), COLOURS.get(name, (250, 220, 40)), width)
