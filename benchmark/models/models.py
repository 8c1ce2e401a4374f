"""What is under test: anything that paints a hole in a face crop."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, Protocol

import numpy as np

import uncover
from benchmark.run import digest
from uncover.crop import TEMPLATE_5
from uncover.errors import UncoverError, WeightsError

_FILLING_CODE = (
    *("alignment", "compositing", "generator", "geometry", "images", "photo", "pipeline"),
    *("regions", "registry", "results", "segmenter", "weights"),
)


class FillModel(Protocol):
    """name: as reported. fingerprint: equal for equal behaviour; values are cached under it.

    weights_sha256: of what was learned, None if nothing was. parallel: whether `fill` may be
    called from several threads. notes: anything the report should say about the model.
    """

    name: str
    fingerprint: str
    weights_sha256: str | None
    parallel: bool
    notes: dict[str, Any]

    def fill(self, image: np.ndarray, hole: np.ndarray) -> np.ndarray:
        """uint8 (S, S, 3) and bool (S, S), True where to paint -> a picture of the same size."""
        ...


def paint(model: FillModel, image: np.ndarray, hole: np.ndarray, photo: str) -> np.ndarray:
    """The model's fill, with every pixel outside the hole as it was: uint8 (S, S, 3).

    Raises:
        UncoverError: another size, values that are not finite, or the model's own failure.
    """
    try:
        result = np.asarray(model.fill(image.copy(), hole.copy()))
    except (UncoverError, KeyboardInterrupt, MemoryError):
        raise
    except Exception as error:
        kind = type(error).__name__
        text = " ".join(str(error).split()) or "no message"
        raise UncoverError(f"model {model.name} failed on {photo}: {kind}: {text}") from error
    if result.shape != image.shape:
        raise UncoverError(
            f"model {model.name} gave a picture of shape {result.shape} for {photo}; "
            f"it must be {image.shape}"
        )
    if result.dtype != np.uint8:
        result = _to_uint8(result, model.name, photo)
    return np.where(hole[..., None], result, image)


def _to_uint8(result: np.ndarray, name: str, photo: str) -> np.ndarray:
    if not np.issubdtype(result.dtype, np.floating):
        raise UncoverError(f"model {name} gave {result.dtype} values; give uint8 or floats in 0..1")
    if not np.isfinite(result).all():
        raise UncoverError(f"model {name} gave NaN or infinite values for {photo}")
    if result.min() < -0.01 or result.max() > 1.01:
        raise UncoverError(
            f"model {name} gave floats from {result.min():.3g} to {result.max():.3g} for {photo}; "
            "give uint8 or floats in 0..1"
        )
    return np.rint(result.clip(0, 1) * 255).astype(np.uint8)


class UncoverModel:
    """Weights of this project, through the call its users make: `Uncoverer.fill`."""

    parallel = True

    def __init__(self, name: str, source: str | None, device: str = "cpu") -> None:
        """Load generator and segmenter of a weights folder, a Hub repo, or (None) the default.

        Where there is no generator, the original's model takes its place if the folder has one.

        Filling a square picture frames the face by the segmenter's points. Weights without a
        segmenter borrow the default's; without that either, the crop is taken as framed.

        Raises:
            WeightsError: the weights do not load, or hold values that are not finite.
        """
        import torch

        from uncover.pipeline import Uncoverer
        from uncover.weights import load_component, read_config, resolve

        folder = resolve(source)
        config = read_config(folder)
        original = "generator" not in config.components and "seed_generator" in config.components
        part = "seed_generator" if original else "generator"
        generator = load_component(folder, part, config).to(device).eval()
        if not all(bool(torch.isfinite(p).all()) for p in generator.parameters()):
            raise WeightsError(f"the weights in {source or 'the default'} hold NaN or infinity")
        segmenter, framed_by = _segmenter(folder, config, device)
        component = config.components[part]
        self.name = name
        self.weights_sha256: str | None = component.sha256
        kind = torch.device(device).type
        what = component.sha256 if original else config.fingerprint()
        self.fingerprint = digest(what, framed_by, _code(), torch.__version__, kind)
        self.notes: dict[str, Any] = {"training": component.training or {}}
        # Square pictures of up to 512 px are one face crop: no detector is asked.
        self._uncoverer = Uncoverer(None, segmenter, generator)  # type: ignore[arg-type]

    def fill(self, image: np.ndarray, hole: np.ndarray) -> np.ndarray:
        """See `FillModel.fill`."""
        return np.asarray(self._uncoverer.fill(image, hole).image)


class _AsFramed:
    """Stands in for a segmenter: every crop is framed already."""

    config = None

    def segment(self, crops: np.ndarray) -> Any:
        """The canonical points of each crop."""
        points = np.repeat(TEMPLATE_5[None].astype(np.float32), len(crops), 0) * crops.shape[1]
        return SimpleNamespace(points=points, probability=np.zeros(crops.shape[:3], np.float32))


def _segmenter(folder: Path, config: Any, device: str) -> tuple[Any, str]:
    """The segmenter that frames faces for these weights, and what tells it from another."""
    from uncover.weights import load_bundle, load_component

    listed = config.components.get("segmenter")
    if listed:
        return load_component(folder, "segmenter", config).to(device).eval(), listed.sha256
    try:
        default = load_bundle(None, components=("segmenter",))
    except WeightsError:
        return _AsFramed(), "as framed"
    return default.segmenter.to(device).eval(), default.config["components"]["segmenter"]["sha256"]


def weights_name(source: str) -> str:
    """What a weights source is called in reports: its folder's name, RUN for RUN/weights."""
    if source == "default":
        return "uncover"
    folder = Path(source).expanduser()
    if not folder.is_dir():
        return source
    folder = folder.resolve()
    if folder == Path(uncover.__file__).resolve().parent.parent / "weights":
        return "uncover"
    return folder.parent.name if folder.name == "weights" and folder.parent.name else folder.name


def _code() -> str:
    """Fingerprint of the code between a crop and its fill."""
    folder = Path(uncover.__file__).parent
    files = [path for name in _FILLING_CODE if (path := folder / f"{name}.py").is_file()]
    return digest(*(file.read_text(encoding="utf-8") for file in files))
