"""The networks as ONNX files, with the methods of their PyTorch twins and without torch.

They run on onnxruntime or on OpenVINO.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal, TypeVar

import cv2
import numpy as np

from uncover.detections import (
    LABELS,
    Detections,
    pad_for_detector,
    resize_for_detector,
    tile_starts,
    without_clutter,
    without_nested,
)
from uncover.errors import WeightsError
from uncover.segmentation import Segmentation, batches, check_crops, resize_square
from uncover.sources import resolve
from uncover.strict import from_dict, one_line
from uncover.weights_config import WeightsConfig, check_bytes, hash_file, read_config

T = TypeVar("T")
Runtime = Literal["onnx", "openvino"]
Part = tuple[np.ndarray, np.ndarray, np.ndarray]


@dataclass(frozen=True)
class PainterSettings:
    """What the generator's ONNX file needs to know of its architecture: crop side in pixels."""

    resolution: int


@dataclass(frozen=True)
class SegmenterSettings:
    """See `uncover.segmenter.SegmenterConfig`."""

    resolution: int
    threshold: float
    dilation: float


@dataclass(frozen=True)
class DetectorSettings:
    """See `uncover.detector.DetectorConfig`."""

    shorter_side: int
    longer_side: int
    tile_above: int
    tile_size: int
    tile_overlap: float
    nms_iou: float


class OnnxGenerator:
    """Paints holes in crops; see `uncover.generator.Generator.fill`."""

    def __init__(self, session: Any, config: PainterSettings) -> None:
        self.session, self.config = session, config

    def fill(self, crops: np.ndarray, masks: np.ndarray) -> np.ndarray:
        """Raw output for uint8 RGB crops (B, S, S, 3) and bool holes (B, S, S): uint8, as crops.

        Raises ValueError when the shapes are not those of the configured resolution.
        """
        side = self.config.resolution
        if crops.shape[1:] != (side, side, 3) or masks.shape != crops.shape[:3]:
            raise ValueError(
                f"expected crops (B, {side}, {side}, 3) and masks (B, {side}, {side}), "
                f"got {crops.shape} and {masks.shape}"
            )
        hole = masks[:, None].astype(np.float32)
        image = _planes(crops / np.float32(127.5) - 1) * (1 - hole)
        (face,) = self.session.run(["face"], {"image": image, "mask": hole})
        pixels = np.clip(np.rint((face + 1) * np.float32(127.5)), 0, 255).astype(np.uint8)
        return np.ascontiguousarray(pixels.transpose(0, 2, 3, 1))


class OnnxSegmenter:
    """Finds mask pixels and face points; see `uncover.segmenter.MaskSegmenter.segment`."""

    def __init__(self, session: Any, config: SegmenterSettings) -> None:
        self.session, self.config = session, config

    def segment(self, crops: np.ndarray) -> Segmentation:
        """Mask probability and the five points of uint8 crops (B, S, S, 3), any S, B may be 0."""
        check_crops(crops)
        count, side = crops.shape[:2]
        probability = np.zeros((count, side, side), np.float32)
        points = np.zeros((count, 5, 2), np.float32)
        for part in batches(count):
            inner = [resize_square(crop, self.config.resolution) for crop in crops[part]]
            images = _planes(np.stack(inner) / np.float32(127.5) - 1)
            found, unit = self.session.run(["probability", "points"], {"images": images})
            probability[part] = [resize_square(plane, side) for plane in found[:, 0]]
            points[part] = unit * side - 0.5
        return Segmentation(probability, points)


class OnnxDetector:
    """Finds faces; see `uncover.detector.MaskDetector.detect`."""

    def __init__(self, session: Any, config: DetectorSettings) -> None:
        self.session, self.config = session, config

    def detect(
        self,
        images: Sequence[np.ndarray],
        min_score: float = 0.0,
        one_label_per_face: bool = True,
    ) -> list[Detections]:
        """Faces of each uint8 RGB photo (H, W, 3); arguments as in `MaskDetector.detect`."""
        results = []
        for image in images:
            if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
                raise ValueError(f"expected uint8 HxWx3, got {image.dtype} {image.shape}")
            boxes, labels, scores = self._look(image)
            if 0 < self.config.tile_above < max(image.shape[:2]):
                parts = [(boxes, labels, scores), *self._look_at_tiles(image)]
                boxes, labels, scores = (np.concatenate(p) for p in zip(*parts, strict=True))
                keep = _nms(boxes, scores, self.config.nms_iou, labels)
                boxes, labels, scores = boxes[keep], labels[keep], scores[keep]
            if one_label_per_face:
                keep = _nms(boxes, scores, self.config.nms_iou)
            else:
                keep = np.argsort(-scores, kind="stable")
            keep = keep[scores[keep] >= min_score]
            named = [LABELS[i - 1] for i in labels[keep].tolist()]
            faces = Detections(boxes[keep], named, scores[keep])
            if one_label_per_face:
                faces = without_clutter(without_nested(faces), *image.shape[:2])
            results.append(faces)
        return results

    def _look(self, image: np.ndarray) -> Part:
        """One pass over one picture: boxes in its pixels, labels 1..3, scores."""
        resized = resize_for_detector(image, self.config.shorter_side, self.config.longer_side)
        planes = _planes(pad_for_detector(resized)[None] / np.float32(255))[0]
        boxes, labels, scores = self.session.run(["boxes", "labels", "scores"], {"image": planes})
        height, width = image.shape[:2]
        scale = np.tile([width / resized.shape[1], height / resized.shape[0]], 2)
        limit = np.tile([width, height], 2)
        return np.clip(boxes * scale, 0, limit).astype(np.float32), labels, scores

    def _look_at_tiles(self, image: np.ndarray) -> list[Part]:
        height, width = image.shape[:2]
        size, margin = self.config.tile_size, 3.0
        found = []
        for y in tile_starts(height, size, self.config.tile_overlap):
            for x in tile_starts(width, size, self.config.tile_overlap):
                tile = image[y : y + size, x : x + size]
                boxes, labels, scores = self._look(tile)
                # A face cut by a tile's inner edge is seen whole by its neighbour.
                cut = (boxes[:, 0] < margin) & (x > 0)
                cut |= (boxes[:, 1] < margin) & (y > 0)
                cut |= (boxes[:, 2] > tile.shape[1] - margin) & (x + size < width)
                cut |= (boxes[:, 3] > tile.shape[0] - margin) & (y + size < height)
                shift = np.array([x, y, x, y], np.float32)
                found.append((boxes[~cut] + shift, labels[~cut], scores[~cut]))
        return found


def load(
    source: str | Path | None = None,
    revision: str | None = None,
    local_files_only: bool = False,
    threads: int | None = None,
    runtime: Runtime = "onnx",
) -> tuple[OnnxDetector, OnnxSegmenter, OnnxGenerator]:
    """The networks of a folder, a Hub repo or the embedded default, ready for `Uncoverer`.

    Args:
        source, revision, local_files_only: as in `Uncoverer.from_pretrained`.
        threads: cores to use; None for all.
        runtime: "onnx" (onnxruntime) or "openvino".

    Raises:
        WeightsError: the runtime is missing, or the ONNX files are missing, altered or unfit.
    """
    folder = resolve(source, revision, local_files_only, "onnx")
    config = read_config(folder)

    def opened(name: str, settings: type[T]) -> tuple[Any, T]:
        model, values = _read(folder, config, name, settings)
        return open_session(model, f"{name}.onnx", threads, runtime), values

    return (
        OnnxDetector(*opened("detector", DetectorSettings)),
        OnnxSegmenter(*opened("segmenter", SegmenterSettings)),
        OnnxGenerator(*opened("generator", PainterSettings)),
    )


def open_session(
    model: bytes, name: str, threads: int | None = None, runtime: Runtime = "onnx"
) -> Any:
    """An ONNX file's bytes as something with onnxruntime's `run(names, inputs)`.

    Raises:
        WeightsError: the runtime is missing or cannot use the network.
    """
    if runtime == "openvino":
        from uncover.openvino_session import OpenVinoSession

        return OpenVinoSession(model, threads)
    try:
        import onnxruntime
    except ImportError as error:
        raise WeightsError(
            "onnxruntime is not installed: python -m pip install 'uncover[onnx]'"
        ) from error
    options = onnxruntime.SessionOptions()
    if threads is not None:
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
    try:
        return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's exceptions share no base class
        raise WeightsError(f"{name} cannot be opened: {one_line(error)}") from error


def _read(folder: Path, config: WeightsConfig, name: str, settings: type[T]) -> tuple[bytes, T]:
    component = config.components.get(name)
    if component is None or component.onnx is None:
        raise WeightsError(f"{folder} has no {name}.onnx: `uncover export onnx` writes it")
    path = folder / component.onnx.file
    if not path.is_file():
        raise WeightsError(f"{path.name} is missing in {folder}")
    check_bytes(
        path.name,
        path.stat().st_size,
        component.onnx.size,
        hash_file(path),
        component.onnx.sha256,
    )
    wanted = {field.name for field in fields(settings)}  # type: ignore[arg-type]
    known = {key: value for key, value in component.arch.items() if key in wanted}
    values = from_dict(settings, known, f"config.json {name}.arch", complete=True)
    return path.read_bytes(), values


def _planes(pictures: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(pictures.transpose(0, 3, 1, 2), dtype=np.float32)


def _nms(
    boxes: np.ndarray, scores: np.ndarray, limit: float, labels: np.ndarray | None = None
) -> np.ndarray:
    """Indices of the boxes that no better one overlaps by more than `limit`, best first.

    With labels, boxes only compete with those of their own label.
    """
    corners = boxes.astype(np.float64)
    if labels is not None and len(boxes):
        corners = corners + (labels * (corners.max() + 1))[:, None]
    rectangles = np.column_stack([corners[:, :2], corners[:, 2:] - corners[:, :2]])
    kept = cv2.dnn.NMSBoxes(rectangles.tolist(), scores.tolist(), 0.0, float(limit))
    return np.asarray(kept, dtype=np.int64).reshape(-1)
