"""`python -m benchmark detect`: how well faces and their masks are found.

Average precision by class and by face size on photos with COCO boxes (pycocotools); how segmented
and drawn mask agree on bare faces, by slice; how many bare faces are called masked; how faces are
labelled whose masks are worn right, below the nose and on the chin.
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

from benchmark.detect.masks import mask_table, score_masks
from benchmark.detect.wear import MASKED, SURE, label_rows, label_table
from benchmark.models import weights_name
from benchmark.photos import Case, datasets, draw_cases
from benchmark.report import tables
from benchmark.run import add_face_arguments
from uncover.atomic import write_atomically
from uncover.errors import UncoverError
from uncover.images import read_image
from uncover.pipeline import Uncoverer

SIZES = {"all": (0, 1e10), "under 32 px": (0, 32**2), "from 32 px": (32**2, 1e10),
         "32-96 px": (32**2, 96**2), "over 96 px": (96**2, 1e10)}  # fmt: skip


def main(arguments: list[str]) -> int:
    """Measure, print and write detect.json and detect.md; exit status 0.

    Raises:
        UncoverError: unusable photos, boxes or weights.
    """
    p = argparse.ArgumentParser(
        prog="python -m benchmark detect",
        description="Average precision of the detector; overlap, missed pixels and eye line of the "
        "segmenter on drawn masks.",
    )
    p.add_argument("--boxes", type=Path, metavar="COCO.json", help="photos with COCO face boxes")
    p.add_argument("--photos", type=Path, help="their folder (default: one named as the file)")
    p.add_argument(
        "--bare", action="store_true", help="also count the bare faces of --data called masked"
    )
    p.add_argument(
        "--wear",
        action="store_true",
        help="also label the faces of --data, bare and with masks worn in each way",
    )
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
        cases = face_cases(given)
        results["segmenter"] = score_masks(_load(given.weights, "segmenter"), cases, given)
        parts += ["## Segmented and drawn mask\n", mask_table(results["segmenter"])]
        if given.bare:
            results["bare"] = bare = called_masked(given)
            share = 100 * bare["called_masked"] / bare["n"]
            parts += [f"Bare faces called masked: {bare['called_masked']} of {bare['n']}, "
                      f"{share:.2f} %\n"]  # fmt: skip
        if given.wear:
            results["wear"] = label_rows(_load_all(given.weights), cases, given)
            parts += ["## Labels of whole photos\n", label_table(results["wear"])]
    report = "\n".join(parts)
    write_atomically(given.out / "detect.json", (json.dumps(results, indent=1) + "\n").encode())
    write_atomically(given.out / "detect.md", report.encode())
    print(report)
    return 0


def _load(weights: str, component: str) -> Any:
    from uncover.weights import load_bundle

    bundle = load_bundle(None if weights == "default" else weights, components=(component,))
    return getattr(bundle, component).eval()


def _load_all(weights: str) -> Uncoverer:
    return Uncoverer.from_pretrained(None if weights == "default" else weights)


def precision(given: argparse.Namespace) -> list[dict[str, Any]]:
    """Rows of class, size, number of true faces, AP (IoU 0.5 to 0.95), AP50, None without faces;
    for faces of all sizes also the share found with a score of at least `SURE`."""
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
    shares = found_share(truth, found, scored.params.imgIds)
    for k, category in enumerate(scored.params.catIds):
        name = next(n for n, i in names.items() if i == category)
        for a, (size, limits) in enumerate(SIZES.items()):
            boxes = truth.loadAnns(truth.getAnnIds(scored.params.imgIds, [category]))
            n = sum(limits[0] <= box["area"] < limits[1] for box in boxes)
            curve = values[:, :, k, a, -1]
            ap, ap50 = (float(v[v > -1].mean()) if n else None for v in (curve, curve[0]))
            row = {"class": name, "size": size, "n": n, "ap": ap, "ap50": ap50}
            rows.append(row | ({"found": shares[category]} if size == "all" and n else {}))
    return rows


def found_share(truth: Any, found: list[dict[str, Any]], images: list[int]) -> dict[int, float]:
    """Category -> share of its faces that a box of that category and a score of at least `SURE`
    overlaps by IoU 0.5; `found` as COCO results."""
    from pycocotools import mask as coco_mask

    shares = {}
    for category in truth.getCatIds():
        hits = total = 0
        sure = [f for f in found if f["category_id"] == category and f["score"] >= SURE]
        for image in images:
            faces = truth.loadAnns(truth.getAnnIds([image], [category]))
            boxes = [f["bbox"] for f in sure if f["image_id"] == image]
            total += len(faces)
            if faces and boxes:
                ious = coco_mask.iou(boxes, [face["bbox"] for face in faces], [0] * len(faces))
                hits += int((np.asarray(ious).max(axis=0) >= 0.5).sum())
        shares[category] = hits / total if total else float("nan")
    return shares


def called_masked(given: argparse.Namespace) -> dict[str, Any]:
    """How many bare photos hold a face that is called masked at a score of at least `SURE`."""
    photos = datasets.load_or_draw(given.data, given.drawn, given.split).limited(given.limit).photos
    detector = _load(given.weights, "detector")
    wrong = []
    for photo in tqdm(photos, "bare faces", disable=given.quiet, leave=False):
        seen = detector.detect([photo.read()], min_score=SURE)[0]
        if set(seen.labels) & MASKED:
            wrong.append(photo.name)
    return {"n": len(photos), "called_masked": len(wrong), "photos": wrong}


def face_cases(given: argparse.Namespace) -> list[Case]:
    """The data's faces, with landmarks and the masks to draw."""
    data = datasets.load_or_draw(given.data, given.drawn, given.split).limited(given.limit)
    return draw_cases(
        data, seed=given.seed, size=given.size, align=True, cache=given.cache, quiet=given.quiet
    ).cases


def _ap_table(rows: list[dict[str, Any]]) -> str:
    lines = [
        [row["class"], row["size"], str(row["n"]), tables.number(row["ap"], 3),
         tables.number(row["ap50"], 3), tables.number(row.get("found"), 3)]
        for row in rows
    ]  # fmt: skip
    return tables.table(
        ["class", "face (square root of area)", "n", "AP", "AP50", "found at 0.5"], lines
    )
