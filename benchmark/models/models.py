"""What is under test: anything that paints a hole in a face crop."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np

import uncover
from benchmark.digests import code_digest, digest
from benchmark.photos import Cut
from uncover.errors import UncoverError, WeightsError
from uncover.faces import five_points

_NOT_FILLING = ("onnx", "commands")
"""Rooms of `uncover` that no fill passes through here."""


@dataclass(frozen=True, eq=False)
class Shown:
    """What is known of a picture beside its pixels.

    id: as in a saved set. photo: its name below the data's folder. landmarks: float32 (68, 2) of
    the bare face in pixels of the picture. cut: where in the photo the picture lies, or None.
    """

    id: str
    photo: str
    landmarks: np.ndarray | None = None
    cut: Cut | None = None


class FillModel(Protocol):
    """name: as reported. fingerprint: equal for equal behaviour; values are cached under it.

    weights_sha256: of what was learned, None if nothing was. parallel: whether `fill` may be
    called from several threads. notes: anything the report should say about the model.

    A model that has the method `fill_shown(image, hole, shown)` as well is given a `Shown`, too.
    One that has `begin(pictures)` gets all pictures of a process before the first is filled.
    """

    name: str
    fingerprint: str
    weights_sha256: str | None
    parallel: bool
    notes: dict[str, Any]

    def fill(self, image: np.ndarray, hole: np.ndarray) -> np.ndarray:
        """uint8 (S, S, 3) and bool (S, S), True where to paint -> a picture of the same size."""
        ...


def paint(
    model: FillModel, image: np.ndarray, hole: np.ndarray, photo: str, shown: Shown | None = None
) -> np.ndarray:
    """The model's fill, with every pixel outside the hole as it was: uint8 (S, S, 3).

    Raises:
        UncoverError: nothing painted, another size, values that are not finite, or the model's own
            failure.
    """
    try:
        if shown is not None and hasattr(model, "fill_shown"):
            result = np.asarray(model.fill_shown(image.copy(), hole.copy(), shown))
        else:
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
    if np.array_equal(result[hole], image[hole]):
        raise UncoverError(f"model {model.name} painted nothing on {photo}")
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

        A face is framed by its landmarks, as the pipeline frames it; a picture without any is
        taken as framed.

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
        component = config.components[part]
        self.name = name
        self.weights_sha256: str | None = component.sha256
        kind = torch.device(device).type
        what = component.sha256 if original else config.fingerprint()
        versions = (torch.__version__, cv2.__version__)
        self.fingerprint = digest(what, filling_code(), *versions, kind)
        self.notes: dict[str, Any] = {"training": component.training or {}}
        # Neither detector nor segmenter is asked where the face is framed already.
        enlarger = None
        if not original and "enlarger" in config.components:
            enlarger = load_component(folder, "enlarger", config).to(device).eval()
        self._uncoverer = Uncoverer(None, None, generator, enlarger=enlarger)  # type: ignore[arg-type]

    def fill(self, image: np.ndarray, hole: np.ndarray) -> np.ndarray:
        """See `FillModel.fill`."""
        return np.asarray(self._uncoverer.fill(image, hole).image)

    def fill_shown(self, image: np.ndarray, hole: np.ndarray, shown: Shown) -> np.ndarray:
        """See `FillModel`."""
        if shown.landmarks is None:
            return self.fill(image, hole)
        points = five_points(shown.landmarks)
        return np.asarray(self._uncoverer.fill(image, hole, points=points).image)


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


def filling_code() -> str:
    """Fingerprint of all the code that a fill may pass through."""
    return code_digest(*filling_files())


def filling_files() -> list[Path]:
    """Every file of `uncover` but for other backends and the commands, and this one; stubs too,
    which say where a room's names come from."""
    folder = Path(uncover.__file__).parent
    files = [
        file
        for file in sorted((*folder.rglob("*.py"), *folder.rglob("*.pyi")))
        if file.relative_to(folder).parts[0] not in _NOT_FILLING
    ]
    return [*files, Path(__file__)]
