"""`python -m training.pseudo`: masks on real photos by agreement of a segmenter with itself.

Each confident masked face is looked at mirrored, turned, nearer and farther. Where all looks agree
on the mask and on the points, their mean is taken for the truth, holes filled; other faces are left
out. What may be a strap beside it is neither taught as mask nor as face. The photos that the
detector's training keeps apart are kept apart here too.

Where an outline made by hand lies in --outlines, it is the truth, and nothing has to agree: a
picture of the photo's size, named as the photo but .png, 255 = mask, 128 = nobody knows.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from tqdm import tqdm

from training.data import is_held_out, read_rgb
from training.run import command_parser, run_to_exit
from uncover.atomic import write_atomically
from uncover.crop import FaceCrop, mask_overlap, refine
from uncover.errors import UncoverError
from uncover.networks import MaskDetector, MaskSegmenter

INDEX = "pseudo.json"
SIDE = 400
UNKNOWN = 128
MARGIN = 0.7
DOUBT = 0.1  # from this mean probability on, what is not in the mask may still be
EDGE = 3  # so near to the mask, in crop pixels, doubt is just its edge
THIN = 11  # crop pixels: what is wider is no strap; collars and necks are taught as they are
OUTLINED_SCORE = 0.3  # from this score on a find is believed where an outline lies on it
VIEWS = ((1.0, 0.0), (0.85, 6.0), (1.15, -4.0), (1.0, -10.0))
"""(magnification, turn in degrees); each is used mirrored as well."""


@dataclass(frozen=True)
class RealMask:
    """uint8 (S, S, 3) around a face, bool (S, S) mask, bool (S, S) where the mask is known,
    float32 (5, 2) points in its pixels."""

    image: np.ndarray
    mask: np.ndarray
    known: np.ndarray
    points: np.ndarray


def is_pseudo_labelled(folder: Path) -> bool:
    """Whether `training.pseudo` made this folder."""
    return (folder / INDEX).is_file()


def read_real_masks(folder: Path) -> list[RealMask]:
    """The faces of a folder that `training.pseudo` made; none from another folder.

    Raises:
        UncoverError: a broken index or picture.
    """
    if not is_pseudo_labelled(folder):
        return []
    faces = []
    try:
        for entry in json.loads((folder / INDEX).read_text(encoding="utf-8")):
            picture = cv2.imread(str(folder / entry["file"]), cv2.IMREAD_UNCHANGED)
            rgb = cv2.cvtColor(picture, cv2.COLOR_BGRA2RGB)
            points = np.array(entry["points"], np.float32).reshape(5, 2)
            alpha = picture[..., 3]
            faces.append(RealMask(rgb, alpha == 255, alpha != UNKNOWN, points))
    except (ValueError, KeyError, TypeError, cv2.error) as error:
        raise UncoverError(f"{folder}: made by training.pseudo but broken; make it anew") from error
    return faces


@dataclass(frozen=True)
class Agreement:
    """Mean mask probability (S, S) and points (5, 2) of all looks; overlap: the least IoU of one
    look's mask with the mean's; spread: the points' mean deviation in crop sides."""

    probability: np.ndarray
    points: np.ndarray
    overlap: float
    spread: float


def look_again(segmenter: MaskSegmenter, photo: np.ndarray, crop: FaceCrop) -> Agreement:
    """What several looks at one face say, in the pixels of ``crop``."""
    side = crop.size
    middle = (side - 1) / 2
    views, ways, mirrored = [], [], []
    for scale, turn in VIEWS:
        way = cv2.getRotationMatrix2D((middle, middle), turn, scale)
        view = FaceCrop(way @ np.vstack([crop.matrix, [0, 0, 1]]), side).extract(photo)
        for flip in (False, True):
            views.append(np.ascontiguousarray(view[:, ::-1]) if flip else view)
            ways.append(way)
            mirrored.append(flip)
    found = segmenter.segment(np.stack(views))
    planes, points = [], []
    for plane, five, way, flip in zip(found.probability, found.points, ways, mirrored, strict=True):
        if flip:
            plane = np.ascontiguousarray(plane[:, ::-1])
            five = (five * (-1, 1) + (side - 1, 0))[[1, 0, 2, 4, 3]]
        back = cv2.invertAffineTransform(way)
        planes.append(cv2.warpAffine(plane, back, (side, side), borderMode=cv2.BORDER_REPLICATE))
        points.append(five @ back[:, :2].T + back[:, 2])
    mean = np.mean(planes, axis=0)
    whole = mean >= 0.5
    inner = np.zeros_like(whole)
    edge = side // 10
    inner[edge:-edge, edge:-edge] = True
    overlaps = [mask_overlap((p >= 0.5) & inner, whole & inner) for p in planes]
    deviation = np.linalg.norm(np.std(points, axis=0), axis=1).mean() / side
    return Agreement(mean, np.mean(points, axis=0), min(overlaps), float(deviation))


def label_photo(
    photo: np.ndarray,
    detector: MaskDetector,
    segmenter: MaskSegmenter,
    min_score: float = 0.8,
    min_overlap: float = 0.85,
    max_spread: float = 0.02,
) -> Iterator[RealMask]:
    """The faces of a photo on whose mask all looks agree."""
    found = detector.detect([photo], min_score)[0]
    inner = segmenter.config.resolution
    for box, label in zip(found.boxes, found.labels, strict=True):
        if label != "with_mask" or min(box[2] - box[0], box[3] - box[1]) < 64:
            continue
        rough = FaceCrop.from_box(box, inner)
        crop = refine(rough, segmenter.segment(rough.extract(photo)[None]).points[0])
        if crop is None:
            continue
        looks = look_again(segmenter, photo, crop)
        mask = solid(looks.probability >= 0.5)
        if looks.overlap < min_overlap or looks.spread > max_spread or not 0.08 < mask.mean() < 0.6:
            continue
        scale, shift, wide = wider(crop)
        grow = np.array([[scale, 0, shift], [0, scale, shift]])
        target = cv2.warpAffine(mask.astype(np.uint8), grow, (SIDE, SIDE)) > 0
        clear = (~doubtful(looks.probability, mask)).astype(np.uint8)
        looked_at = cv2.warpAffine(clear, grow, (SIDE, SIDE)) > 0
        looked_at &= shown(photo, wide)
        points = (looks.points * scale + shift).astype(np.float32)
        yield RealMask(wide.extract(photo), target & looked_at, looked_at, points)


def wider(crop: FaceCrop) -> tuple[float, float, FaceCrop]:
    """A wider piece of the photo, so that training can frame it in many ways: the scale and shift
    that lead there from the crop's pixels, and its frame."""
    scale = MARGIN * SIDE / crop.size
    shift = (1 - MARGIN) / 2 * SIDE
    return scale, shift, FaceCrop(crop.matrix * scale + np.array([[0, 0, shift]] * 2), SIDE)


def shown(photo: np.ndarray, crop: FaceCrop) -> np.ndarray:
    """Bool (S, S): where a crop shows the photo and nothing beyond it."""
    whole = np.ones(photo.shape[:2], np.uint8)
    return cv2.warpAffine(whole, crop.matrix, (crop.size, crop.size)) > 0


def label_by_hand(
    photo: np.ndarray, outline: np.ndarray, detector: MaskDetector, segmenter: MaskSegmenter
) -> Iterator[RealMask]:
    """The faces on which a mask of `outline` lies, uint8 (H, W): 255 = mask, 128 = unknown."""
    inner = segmenter.config.resolution
    for box in detector.detect([photo], OUTLINED_SCORE)[0].boxes:
        x0, y0, x1, y1 = (max(0, round(float(v))) for v in box)
        if min(x1 - x0, y1 - y0) < 64 or not (outline[y0:y1, x0:x1] == 255).any():
            continue
        rough = FaceCrop.from_box(box, inner)
        crop = refine(rough, segmenter.segment(rough.extract(photo)[None]).points[0])
        if crop is None:
            continue
        scale, shift, wide = wider(crop)
        size = (SIDE, SIDE)
        mask, open_ = (
            cv2.warpAffine((outline == value).astype(np.uint8) * 255, wide.matrix, size) > 127
            for value in (255, UNKNOWN)
        )
        known = shown(photo, wide) & ~open_
        points = look_again(segmenter, photo, crop).points * scale + shift
        yield RealMask(wide.extract(photo), mask & known, known, points.astype(np.float32))


def doubtful(probability: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Where a mean probability (S, S) sees a strap that is not in the mask (S, S) made of it."""
    distance = cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, 5)
    doubt = ((probability >= DOUBT) & (distance > EDGE)).astype(np.uint8)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (THIN, THIN))
    doubt -= cv2.morphologyEx(doubt, cv2.MORPH_OPEN, kernel)
    return cv2.dilate(doubt, np.ones((5, 5), np.uint8)).astype(bool) & ~mask


def solid(mask: np.ndarray) -> np.ndarray:
    """The largest piece of a bool mask, small gaps closed and holes (prints, valves) filled."""
    size = max(3, mask.shape[0] // 40) | 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    closed = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_CLOSE, kernel)
    outlines, _ = cv2.findContours(closed, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    filled = np.zeros_like(closed)
    if outlines:
        cv2.drawContours(filled, [max(outlines, key=cv2.contourArea)], -1, 1, cv2.FILLED)
    return filled > 0


def label_folder(
    source: Path,
    out: Path,
    detector: MaskDetector,
    segmenter: MaskSegmenter,
    held_out: float = 0.2,
    outlines: Path | None = None,
) -> int:
    """Label the photos of a folder and return the number of faces kept.

    Raises:
        UncoverError: nothing usable, or an outline that is not of its photo's size.
    """
    files = sorted(p for p in source.iterdir() if p.suffix.lower() in (".jpg", ".jpeg", ".png"))
    files = [file for file in files if not is_held_out(file.name, held_out)]
    out.mkdir(parents=True, exist_ok=True)
    index = []
    for file in tqdm(files, unit="photo", disable=None):
        photo = read_rgb(file)
        outline = None if outlines is None else read_outline(outlines, file, photo)
        if outline is None:
            faces = label_photo(photo, detector, segmenter)
        else:
            faces = label_by_hand(photo, outline, detector, segmenter)
        for number, face in enumerate(faces):
            name = f"{file.stem}_{number}.png"
            alpha = np.where(face.known, face.mask * 255, UNKNOWN).astype(np.uint8)
            cv2.imwrite(str(out / name), np.dstack([face.image[..., ::-1], alpha]))
            index.append({"file": name, "points": face.points.round(2).ravel().tolist()})
    if not index:
        raise UncoverError(f"{source}: on no face of these photos do all looks agree")
    write_atomically(out / INDEX, json.dumps(index).encode())
    return len(index)


def read_outline(folder: Path, file: Path, photo: np.ndarray) -> np.ndarray | None:
    """The outline made by hand of a photo, uint8 (H, W); None where there is none.

    Raises:
        UncoverError: not a picture, or not of the photo's size.
    """
    path = folder / f"{file.stem}.png"
    if not path.is_file():
        return None
    outline = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    if outline is None or outline.shape != photo.shape[:2]:
        height, width = photo.shape[:2]
        raise UncoverError(f"{path}: must be a picture of {width} x {height} pixels, as its photo")
    return outline


def main(argv: list[str] | None = None) -> int:
    """Entry point; returns the exit code."""
    from uncover.weights import load_component

    parser = command_parser("training.pseudo", __doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of photos")
    parser.add_argument("--detector", type=Path, required=True, help="weights folder")
    parser.add_argument("--segmenter", type=Path, required=True, help="weights folder")
    parser.add_argument("--out", type=Path, required=True, help="folder to write")
    parser.add_argument("--held-out", type=float, default=0.2, help="share of photos to leave")
    parser.add_argument("--outlines", type=Path, help="folder of masks outlined by hand")
    args = parser.parse_args(argv)

    def work() -> None:
        for option, folder in (("--data", args.data), ("--outlines", args.outlines)):
            if folder is not None and not folder.is_dir():
                raise UncoverError(f"{option} {folder}: no such folder")
        kept = label_folder(
            args.data,
            args.out,
            load_component(args.detector, "detector"),
            load_component(args.segmenter, "segmenter"),
            args.held_out,
            args.outlines,
        )
        print(f"{kept} faces labelled in {args.out}")

    return run_to_exit(work)
