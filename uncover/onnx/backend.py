"""The networks as ONNX files, with the methods of their PyTorch twins and without torch.

They run on onnxruntime or on OpenVINO.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal, TypeVar

import cv2
import numpy as np

from uncover.errors import WeightsError
from uncover.faces import asked_look
from uncover.networks import (
    CropSegmenter,
    DetectorConfig,
    Part,
    PhotoDetector,
    SegmenterConfig,
    pad_for_detector,
    resize_for_detector,
)
from uncover.strict import added_later, from_dict, one_line
from uncover.weights import (
    WeightsConfig,
    check_bytes,
    check_preprocessing,
    hash_file,
    read_config,
    resolve,
)

T = TypeVar("T")
Runtime = Literal["onnx", "openvino"]


@dataclass(frozen=True)
class PainterSettings:
    """What is known of the generator's ONNX file: crop side in pixels, whether it takes a look,
    and how long that vector's latent is."""

    resolution: int
    look: bool = added_later(False)
    latent: int = added_later(0)


class OnnxGenerator:
    """Paints holes in crops; see `uncover.networks.generator.Generator.fill`."""

    def __init__(self, session: Any, config: PainterSettings) -> None:
        self.session, self.config = session, config

    @property
    def told(self) -> bool:
        """Whether it can be told how a face shall look."""
        return self.config.look

    def fill(
        self,
        crops: np.ndarray,
        masks: np.ndarray,
        look: Mapping[str, float | None] | None = None,
    ) -> np.ndarray:
        """Raw output for uint8 RGB crops (B, S, S, 3) and bool holes (B, S, S): uint8, as crops.

        look: smile, open and beard in 0..1, None or missing for the network's own best guess.
        Raises ValueError when the shapes are not those of the configured resolution, and for a look
        when the network cannot be `told`.
        """
        side = self.config.resolution
        if crops.shape[1:] != (side, side, 3) or masks.shape != crops.shape[:3]:
            raise ValueError(
                f"expected crops (B, {side}, {side}, 3) and masks (B, {side}, {side}), "
                f"got {crops.shape} and {masks.shape}"
            )
        hole = masks[:, None].astype(np.float32)
        image = _planes(crops / np.float32(127.5) - 1) * (1 - hole)
        inputs = {"image": image, "mask": hole}
        if self.told:
            inputs["look"] = asked_look(look or {}, len(crops), self.config.latent)
        elif any(value is not None for value in (look or {}).values()):
            raise ValueError("this generator cannot be told how a face shall look")
        (face,) = self.session.run(["face"], inputs)
        return _pixels(face)


@dataclass(frozen=True)
class EnlargerSettings:
    """What is known of the enlarger's ONNX file: crop side in pixels."""

    resolution: int


class OnnxEnlarger:
    """Adds detail to answers; see `uncover.networks.enlarger.Enlarger.enlarge`."""

    def __init__(self, session: Any, config: EnlargerSettings) -> None:
        self.session, self.config = session, config

    def enlarge(self, answers: np.ndarray, crops: np.ndarray, masks: np.ndarray) -> np.ndarray:
        """The answers at twice their resolution: uint8 (B, S, S, 3); the caller composites.

        answers: uint8 (B, S/2, S/2, 3). crops: uint8 (B, S, S, 3). masks: bool (B, S, S).
        """
        hole = masks[:, None].astype(np.float32)
        image = _planes(crops / np.float32(127.5) - 1) * (1 - hole)
        answer = _planes(answers / np.float32(127.5) - 1)
        (face,) = self.session.run(["face"], {"answer": answer, "image": image, "mask": hole})
        return _pixels(face)


class OnnxSegmenter(CropSegmenter):
    """Finds mask pixels and face points; see `uncover.networks.segmenter.MaskSegmenter`."""

    def __init__(self, session: Any, config: SegmenterConfig) -> None:
        self.session, self.config = session, config

    def _run(self, crops: np.ndarray) -> tuple[np.ndarray, ...]:
        images = _planes(crops / np.float32(127.5) - 1)
        names = ["probability", "points", *(["presence"] if self.config.presence else [])]
        found, *others = self.session.run(names, {"images": images})
        return found[:, 0], *others


class OnnxDetector(PhotoDetector):
    """Finds faces; see `uncover.networks.detector.MaskDetector`."""

    def __init__(self, session: Any, config: DetectorConfig) -> None:
        self.session, self.config = session, config

    def _look(self, image: np.ndarray) -> Part:
        resized = resize_for_detector(image, self.config.shorter_side, self.config.longer_side)
        planes = _planes(pad_for_detector(resized)[None] / np.float32(255))[0]
        boxes, labels, scores = self.session.run(["boxes", "labels", "scores"], {"image": planes})
        height, width = image.shape[:2]
        scale = np.tile([width / resized.shape[1], height / resized.shape[0]], 2)
        limit = np.tile([width, height], 2)
        return np.clip(boxes * scale, 0, limit).astype(np.float32), labels, scores

    def _nms(
        self, boxes: np.ndarray, scores: np.ndarray, labels: np.ndarray | None = None
    ) -> np.ndarray:
        corners = boxes.astype(np.float64)
        if labels is not None and len(boxes):
            corners = corners + (labels * (corners.max() + 1))[:, None]
        rectangles = np.column_stack([corners[:, :2], corners[:, 2:] - corners[:, :2]])
        limit = float(self.config.nms_iou)
        kept = cv2.dnn.NMSBoxes(rectangles.tolist(), scores.tolist(), 0.0, limit)
        return np.asarray(kept, dtype=np.int64).reshape(-1)


def load(
    source: str | Path | None = None,
    revision: str | None = None,
    local_files_only: bool = False,
    threads: int | None = None,
    runtime: Runtime = "onnx",
) -> tuple[OnnxDetector, OnnxSegmenter, OnnxGenerator, OnnxEnlarger | None]:
    """The networks of a folder, a Hub repo or the embedded default, ready for `Uncoverer`; no
    enlarger where the weights have none.

    Args:
        source, revision, local_files_only: as in `Uncoverer.from_pretrained`.
        threads: cores to use; None for all.
        runtime: "onnx" (onnxruntime) or "openvino".

    Raises:
        WeightsError: the runtime is missing, or the ONNX files are missing, altered or unfit.
    """
    folder = resolve(source, revision, local_files_only, "onnx")
    config = read_config(folder)

    # All are checked before the first is opened.
    finder, found = _read(folder, config, "detector", DetectorConfig)
    seer, seen = _read(folder, config, "segmenter", SegmenterConfig)
    painter, painted = _read(folder, config, "generator", PainterSettings)
    enlarger = None
    if "enlarger" in config.components:
        finisher, finished = _read(folder, config, "enlarger", EnlargerSettings)
        session = open_session(finisher, "enlarger.onnx", threads, runtime)
        enlarger = OnnxEnlarger(session, finished)
    return (
        OnnxDetector(open_session(finder, "detector.onnx", threads, runtime), found),
        OnnxSegmenter(open_session(seer, "segmenter.onnx", threads, runtime), seen),
        OnnxGenerator(open_session(painter, "generator.onnx", threads, runtime), painted),
        enlarger,
    )


def open_session(
    model: bytes, name: str, threads: int | None = None, runtime: Runtime = "onnx"
) -> Any:
    """An ONNX file's bytes as something with onnxruntime's `run(names, inputs)`.

    Raises:
        WeightsError: the runtime is missing or cannot use the network.
    """
    if runtime == "openvino":
        from uncover.onnx.openvino_session import OpenVinoSession

        return OpenVinoSession(model, threads)
    try:
        import onnxruntime
    except ImportError as error:
        raise WeightsError(
            "onnxruntime is not installed: python -m pip install onnx onnxruntime"
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
    check_preprocessing(component.preprocessing, values, f"config.json {name}")
    return path.read_bytes(), values


def _pixels(faces: np.ndarray) -> np.ndarray:
    """(B, 3, S, S) in -1..1 as uint8 (B, S, S, 3)."""
    levels = np.clip(np.rint((faces + 1) * np.float32(127.5)), 0, 255).astype(np.uint8)
    return np.ascontiguousarray(levels.transpose(0, 2, 3, 1))


def _planes(pictures: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(pictures.transpose(0, 3, 1, 2), dtype=np.float32)
