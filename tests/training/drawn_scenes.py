"""Tiny labelled photos for the detector's tests: drawn faces on plain ground, one COCO file."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np

from training.detector.scenes import face_box
from uncover.faces.drawn import draw_face


def write_drawn_scenes(root: Path, name: str, count: int, seed: int = 0) -> Path:
    """``root/name.json`` and ``root/name/``: `count` photos with one face each, with and without
    a blue block over the mouth in turn."""
    rng = np.random.default_rng(seed)
    (root / name).mkdir(parents=True, exist_ok=True)
    images, annotations = [], []
    for i in range(count):
        face = draw_face(seed + i, 64)
        photo = np.full((96, 128, 3), rng.integers(0, 256, 3), np.uint8)
        x, y = int(rng.integers(0, 64)), int(rng.integers(0, 32))
        photo[y : y + 64, x : x + 64] = face.image
        box = face_box(face.landmarks) + np.float32([x, y, x, y])
        x0, y0, x1, y1 = (float(v) for v in box)
        if i % 2 == 0:
            top = int(y0 + 0.55 * (y1 - y0))
            photo[top : int(y1), int(x0) : int(x1)] = (140, 190, 220)
        cv2.imwrite(str(root / name / f"{i}.png"), photo[..., ::-1])
        images.append({"id": i, "file_name": f"{i}.png", "width": 128, "height": 96})
        annotations.append(
            {
                "id": i,
                "image_id": i,
                "category_id": 1 + i % 2,
                "bbox": [x0, y0, x1 - x0, y1 - y0],
            }
        )
    content = {
        "images": images,
        "annotations": annotations,
        "categories": [
            {"id": 1, "name": "with_mask"},
            {"id": 2, "name": "without_mask"},
            {"id": 3, "name": "mask_worn_incorrectly"},
        ],
    }
    (root / f"{name}.json").write_text(json.dumps(content))
    return root
