"""`python -m training.clutter`: what a detector takes for masked faces and is none, to train on.

Photos with labelled faces and drawn textures, half of these with a mask laid on them, are searched;
finds that are no face are written in the form of `training.pseudo`, with an empty mask, and may be
among the data of `training.segmenter`: that a phone, a sign or a mask on a table is not to be
painted is learnt there, and `training.presence` finds it easier to tell them from faces. Photos
that the detector's training keeps apart are kept apart here too.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
from tqdm import tqdm

from training.coco import (
    LabelledPhoto,
    find_labelled_sets,
    find_prepared_faces,
    is_held_out,
    read_rgb,
)
from training.commands import command_parser, run_to_exit
from training.presence_examples import HELD_OUT, LEAST_BOX, LEAST_SCORE, judge
from training.pseudo import INDEX, MARGIN, SIDE
from training.textures import draw_texture, lay_mask
from uncover.alignment import Box, overlap
from uncover.detector import MaskDetector
from uncover.errors import UncoverError
from uncover.geometry import TEMPLATE_5, FaceCrop
from uncover.records import FaceRecord

SURE = 0.5  # a find that the detector is as sure of may be a face that nobody labelled
POINTS = (TEMPLATE_5 * MARGIN + (1 - MARGIN) / 2) * SIDE
"""Where the five points of a face would lie: a find is framed as if it were one."""


def in_photos(
    photos: Sequence[LabelledPhoto], detector: MaskDetector
) -> Iterator[tuple[np.ndarray, Box]]:
    """Photos that are not kept apart, and in them what is found and is no labelled face."""
    for photo in tqdm(photos, "labelled photos", disable=None):
        if is_held_out(photo.file.name, HELD_OUT):
            continue
        rgb = read_rgb(photo.file)
        for box, score in _finds(detector, rgb):
            if score < SURE and judge(box, score, photo) is False:
                yield rgb, box


def in_textures(
    records: Sequence[FaceRecord], detector: MaskDetector, rng: np.random.Generator
) -> Iterator[tuple[np.ndarray, Box]]:
    """Drawn textures, one for each face, whose landmarks shape the mask on every second; the masks,
    and what else is found."""
    for i, record in enumerate(tqdm(records, "textures", disable=None)):
        picture = draw_texture(rng)
        if i % 2:
            picture, laid = lay_mask(picture, record.landmarks, rng)
            yield picture, laid
        for box, _ in _finds(detector, picture)[:2]:
            yield picture, box


def write(finds: Iterator[tuple[np.ndarray, Box]], out: Path) -> int:
    """Write finds into a folder and return how many there are.

    Raises:
        UncoverError: there are none.
    """
    out.mkdir(parents=True, exist_ok=True)
    index = []
    for number, (picture, box) in enumerate(finds):
        frame = FaceCrop.from_box(box, round(MARGIN * SIDE))
        shift = (1 - MARGIN) / 2 * SIDE
        wide = FaceCrop(frame.matrix + np.array([[0, 0, shift]] * 2), SIDE)
        name = f"clutter_{number:05d}.png"
        nothing = np.zeros((SIDE, SIDE), np.uint8)
        cv2.imwrite(str(out / name), np.dstack([wide.extract(picture)[..., ::-1], nothing]))
        index.append({"file": name, "points": POINTS.round(2).ravel().tolist()})
    if not index:
        raise UncoverError("the detector finds nothing but faces in --data")
    (out / INDEX).write_text(json.dumps(index), encoding="utf-8")
    return len(index)


def _finds(detector: MaskDetector, rgb: np.ndarray) -> list[tuple[Box, float]]:
    """Boxes and scores, best first, each thing once."""
    found = detector.detect([rgb])[0]
    kept: list[tuple[Box, float]] = []
    for i in np.argsort(-np.asarray(found.scores), kind="stable"):
        x0, y0, x1, y1 = (float(v) for v in found.boxes[i])
        box, score = (x0, y0, x1, y1), float(found.scores[i])
        if score < LEAST_SCORE or min(x1 - x0, y1 - y0) < LEAST_BOX:
            continue
        if all(overlap(box, other) < 0.5 for other, _ in kept):
            kept.append((box, score))
    return kept


def main(argv: list[str] | None = None) -> int:
    """Entry point; returns the exit code."""
    from uncover.weights import load_component

    parser = command_parser("training.clutter", __doc__)
    parser.add_argument(
        "--data", type=Path, action="append", required=True,
        help="folder with labelled photos, or made by training.prepare; may repeat",
    )  # fmt: skip
    parser.add_argument("--detector", type=Path, required=True, help="weights folder")
    parser.add_argument("--out", type=Path, required=True, help="folder to write")
    parser.add_argument("--textures", type=int, default=400, metavar="N", help="drawn textures")
    args = parser.parse_args(argv)

    def work() -> None:
        for folder in args.data:
            if not folder.is_dir():
                raise UncoverError(f"--data {folder}: no such folder")
        detector = load_component(args.detector, "detector").eval()
        photos = [p for root in args.data for s in find_labelled_sets(root) for p in s.photos]
        records = [r for root in args.data for r in find_prepared_faces(root) if r.split == "train"]
        rng = np.random.default_rng(0)
        chosen = [records[i] for i in rng.permutation(len(records))[: args.textures]]

        def finds() -> Iterator[tuple[np.ndarray, Box]]:
            yield from in_photos(photos, detector)
            yield from in_textures(chosen, detector, rng)

        print(f"{write(finds(), args.out)} finds that are no face in {args.out}")

    return run_to_exit(work)


if __name__ == "__main__":
    sys.exit(main())
