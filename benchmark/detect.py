"""`python -m benchmark detect`: how well faces and their masks are found.

Average precision by class and by face size on photos with COCO boxes (pycocotools), and the
overlap (IoU) of segmented and drawn mask on bare faces with drawn masks, by slice.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from benchmark import datasets, tables
from benchmark.bootstrap import generator_for, mean_interval
from benchmark.crops import face_crop
from benchmark.models import weights_name
from benchmark.options import add_face_arguments
from benchmark.rendered import Case, draw_cases
from benchmark.slices import make_slices
from uncover.errors import UncoverError
from uncover.images import read_image
from uncover.masking import draw_mask
from uncover.weights_config import write_atomically

SIZES = {"all": (0, 1e10), "under 32 px": (0, 32**2), "32-96 px": (32**2, 96**2),
         "over 96 px": (96**2, 1e10)}  # fmt: skip
DRAWS = 2000


def main(arguments: list[str]) -> int:
    """Measure, print and write detect.json and detect.md; exit status 0.

    Raises:
        UncoverError: unusable photos, boxes or weights.
    """
    p = argparse.ArgumentParser(
        prog="python -m benchmark detect",
        description="Average precision of the detector, and IoU of the segmenter on drawn masks.",
    )
    p.add_argument("--boxes", type=Path, metavar="COCO.json", help="photos with COCO face boxes")
    p.add_argument("--photos", type=Path, help="their folder (default: one named as the file)")
    add_face_arguments(p)
    given = p.parse_args(arguments)
    if given.boxes is None and given.data is None and given.drawn is None:
        raise UncoverError("give --boxes COCO.json for the detector, --data or --drawn for masks")
    results: dict[str, Any] = {"weights": weights_name(given.weights)}
    parts = [f"# Finding faces and masks: {results['weights']}\n"]
    if given.boxes is not None:
        results["detector"] = precision(given)
        parts += ["## Average precision by class and face size\n", _ap_table(results["detector"])]
    if given.data is not None or given.drawn is not None:
        results["segmenter"] = mask_iou(given)
        parts += ["## IoU of segmented and drawn mask\n", _iou_table(results["segmenter"])]
    report = "\n".join(parts)
    write_atomically(given.out / "detect.json", (json.dumps(results, indent=1) + "\n").encode())
    write_atomically(given.out / "detect.md", report.encode())
    print(report)
    return 0


def _load(weights: str, component: str) -> Any:
    from uncover.weights import load_bundle

    bundle = load_bundle(None if weights == "default" else weights, components=(component,))
    return getattr(bundle, component).eval()


def precision(given: argparse.Namespace) -> list[dict[str, Any]]:
    """Rows of class, size, number of true faces, AP (IoU 0.5 to 0.95), AP50; None without faces."""
    try:
        from pycocotools.coco import COCO
        from pycocotools.cocoeval import COCOeval
    except ImportError as error:
        raise UncoverError("detect --boxes needs pycocotools: pip install pycocotools") from error
    folder = given.photos or given.boxes.with_suffix("")
    quiet = contextlib.redirect_stdout(io.StringIO())
    try:
        with quiet:
            truth = COCO(str(given.boxes))
        images = sorted(truth.loadImgs(truth.getImgIds()), key=lambda image: image["id"])
    except (OSError, ValueError, KeyError, AssertionError) as error:
        raise UncoverError(f"{given.boxes} cannot be read as COCO boxes") from error
    images = images[: given.limit]
    if not images:
        raise UncoverError(f"{given.boxes} lists no photo")
    names = {category["name"]: category["id"] for category in truth.loadCats(truth.getCatIds())}
    detector = _load(given.weights, "detector")
    found = []
    for image in tqdm(images, "photos", disable=given.quiet, leave=False):
        path = folder / image["file_name"]
        if not path.is_file():
            raise UncoverError(f"{given.boxes.name} names {path.name}, which is not in {folder}")
        seen = detector.detect([read_image(path).rgb], one_label_per_face=False)[0]
        for box, label, score in zip(seen.boxes, seen.labels, seen.scores, strict=True):
            if label in names:
                x0, y0, x1, y1 = (float(v) for v in box)
                found.append(
                    {"image_id": image["id"], "category_id": names[label], "score": float(score),
                     "bbox": [x0, y0, x1 - x0, y1 - y0]}
                )  # fmt: skip
    if not found:
        raise UncoverError(f"the detector found no face in the {len(images)} photos")
    with quiet:
        scored = COCOeval(truth, truth.loadRes(found), "bbox")
        scored.params.imgIds = [image["id"] for image in images]
        scored.params.areaRng = [list(limits) for limits in SIZES.values()]
        scored.params.areaRngLbl = list(SIZES)
        scored.evaluate()
        scored.accumulate()
    values = scored.eval["precision"]  # (IoU, recall, class, size, most detections)
    rows = []
    for k, category in enumerate(scored.params.catIds):
        name = next(n for n, i in names.items() if i == category)
        for a, (size, limits) in enumerate(SIZES.items()):
            boxes = truth.loadAnns(truth.getAnnIds(scored.params.imgIds, [category]))
            n = sum(limits[0] <= box["area"] < limits[1] for box in boxes)
            curve = values[:, :, k, a, -1]
            ap, ap50 = (float(v[v > -1].mean()) if n else None for v in (curve, curve[0]))
            rows.append({"class": name, "size": size, "n": n, "ap": ap, "ap50": ap50})
    return rows


def mask_iou(given: argparse.Namespace) -> list[dict[str, Any]]:
    """Mean IoU with its 95 % interval over all faces and every value of every factor."""
    data = datasets.load_or_draw(given.data, given.drawn, given.split).limited(given.limit)
    cases = draw_cases(
        data, seed=given.seed, size=given.size, align=True, cache=given.cache, quiet=given.quiet
    ).cases
    segmenter = _load(given.weights, "segmenter")
    bar = tqdm(cases, "masks", disable=given.quiet, leave=False)
    overlap = np.array([_overlap(segmenter, case, given.size) for case in bar])
    wanted = [f for f in ("ethnicity", "pose", "mask_type") if f in cases[0].labels]
    rows = []
    for i, factor in enumerate(wanted):
        parts = make_slices({factor: [case.labels[factor] for case in cases]})
        for part in parts if i == 0 else parts[1:]:
            if part.n:
                values = overlap[part.indices]
                bounds = mean_interval(values, DRAWS, generator_for(given.seed, part.name, part.n))
                entry = {"value": float(values.mean()), "low": bounds.low, "high": bounds.high}
                rows.append({"slice": part.name, "n": part.n, "iou": entry})
    return rows


def _overlap(segmenter: Any, case: Case, size: int) -> float:
    face, points = face_crop(case.photo.read(), case.landmarks, size, align=True)
    masked, alpha = draw_mask(face, points, case.style)
    found = segmenter.segment(masked[None]).probability[0] >= segmenter.config.threshold
    drawn = alpha >= 0.5
    either = (found | drawn).sum()
    return float((found & drawn).sum() / either) if either else 1.0


def _ap_table(rows: list[dict[str, Any]]) -> str:
    lines = [
        [row["class"], row["size"], str(row["n"]), tables.number(row["ap"], "ssim"),
         tables.number(row["ap50"], "ssim")]
        for row in rows
    ]  # fmt: skip
    return tables.table(["class", "face (square root of area)", "n", "AP", "AP50"], lines)


def _iou_table(rows: list[dict[str, Any]]) -> str:
    lines = [[row["slice"], str(row["n"]), tables.cell(row["iou"], "ssim")] for row in rows]
    return tables.table(["slice", "n", "IoU [95 %]"], lines)
