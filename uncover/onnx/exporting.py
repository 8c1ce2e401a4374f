"""Writes the networks as ONNX, and one file that goes from crop to face.

The exported files are compared with PyTorch before they are entered in config.json. Uses the
TorchScript-based exporter: torchvision's Faster R-CNN (NMS, RoIAlign) is written for it.
"""

from __future__ import annotations

import dataclasses
import hashlib
import shutil
import tempfile
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from uncover.atomic import write_atomically
from uncover.errors import WeightsError
from uncover.faces import asked_look
from uncover.networks import ENLARGED, fold
from uncover.onnx.graphs import (
    CropToFace,
    DetectorGraph,
    EnlargerGraph,
    SegmenterGraph,
    ToldGraph,
)
from uncover.weights import (
    ADDED,
    CARD,
    INFERENCE,
    OnnxFile,
    load_bundle,
    read_config,
    write_config,
)

OPSET = 17
TOLERANCE = 1e-3


def export(folder: Path, out: Path) -> dict[str, int]:
    """Export the weights in `folder` to `out`, with the same config.json plus the ONNX entries.

    `out` may be `folder` itself. Nothing is written unless every file agrees with PyTorch.

    Returns:
        The files written and their sizes in bytes.

    Raises:
        WeightsError: onnx or onnxruntime is missing, or an exported network disagrees.
    """
    _need_packages()
    config = read_config(folder)
    bundle = load_bundle(folder)
    painting = [name for name in (*INFERENCE, *ADDED) if name in config.components]
    side, inner = bundle.generator.config.resolution, bundle.segmenter.config.resolution
    crops = torch.from_numpy(_drawn(2, side))
    told = bool(getattr(bundle.generator, "told", False))
    looks = []
    if told:
        looks = [torch.from_numpy(asked_look({"smile": 0.8}, 2, bundle.generator.config.latent))]
    photo = torch.from_numpy(_drawn(1, 320)[0]).permute(2, 0, 1).float() / 255
    inputs: dict[str, tuple[nn.Module, tuple[Tensor, ...], list[str], list[str]]] = {
        "generator": (
            ToldGraph(bundle.generator) if told else bundle.generator,
            (*_hidden(crops), *looks),
            ["image", "mask", *(["look"] if told else [])],
            ["face"],
        ),
        "segmenter": (
            SegmenterGraph(bundle.segmenter),
            (torch.from_numpy(_drawn(2, inner)).permute(0, 3, 1, 2) / 127.5 - 1,),
            ["images"],
            ["probability", "points", "presence"][: 3 if bundle.segmenter.config.presence else 2],
        ),
        "detector": (
            DetectorGraph(bundle.detector),
            (photo,),
            ["image"],
            ["boxes", "labels", "scores"],
        ),
        "crop_to_face": (
            CropToFace(bundle.segmenter, bundle.generator),
            (crops,),
            ["crops"],
            ["faces", "masks"],
        ),
    }
    if bundle.enlarger is not None:
        image, mask = _hidden(torch.from_numpy(_drawn(2, bundle.enlarger.config.resolution)))
        answer = torch.nn.functional.avg_pool2d(image, ENLARGED)
        names = ["answer", "image", "mask"]
        inputs["enlarger"] = (
            EnlargerGraph(bundle.enlarger), (answer, image, mask), names, ["face"]
        )  # fmt: skip
    entries: dict[str, OnnxFile] = {}
    with tempfile.TemporaryDirectory(prefix="uncover-onnx-") as scratch:
        written = {name: Path(scratch) / f"{name}.onnx" for name in inputs}
        for name, (module, example, names, results) in inputs.items():
            _write(fold(module.eval()), example, names, results, written[name])
            entries[name] = _entry(written[name])
        out.mkdir(parents=True, exist_ok=True)
        for path in written.values():
            write_atomically(out / path.name, path.read_bytes())
    if out.resolve() != folder.resolve():
        for name in [config.components[c].file for c in painting]:
            write_atomically(out / name, (folder / name).read_bytes())
        if (folder / CARD).is_file():
            shutil.copyfile(folder / CARD, out / CARD)
    components = {
        name: dataclasses.replace(component, onnx=entries.get(name))
        for name, component in config.components.items()
        if name in painting or out.resolve() == folder.resolve()
    }
    final = dataclasses.replace(config, components=components, onnx=entries["crop_to_face"])
    write_config(out, final)
    return {entry.file: entry.size for entry in entries.values()}


def difference(
    path: Path, module: nn.Module, example: Sequence[Tensor], outputs: slice = slice(None)
) -> float:
    """Largest absolute difference between an ONNX file and the module on one input.

    outputs: which of the outputs to compare. Outputs of different shapes give infinity.
    """
    import onnxruntime

    session = onnxruntime.InferenceSession(path.read_bytes(), providers=["CPUExecutionProvider"])
    names = [item.name for item in session.get_inputs()]
    values = [tensor.numpy() for tensor in example]
    found = session.run(None, dict(zip(names, values, strict=True)))
    with torch.no_grad():
        wanted = module(*example)
    wanted = (wanted,) if isinstance(wanted, Tensor) else wanted
    worst = 0.0
    for ours, theirs in zip(wanted[outputs], found[outputs], strict=True):
        if tuple(ours.shape) != theirs.shape:
            return float("inf")
        if ours.numel():
            gap = np.abs(ours.double().numpy() - theirs.astype(np.float64))
            worst = max(worst, float(gap.max()))
    return worst


def _write(
    module: nn.Module,
    example: tuple[Tensor, ...],
    names: list[str],
    results: list[str],
    path: Path,
) -> None:
    detector = "boxes" in results
    axes: dict[str, dict[int, str]] = {name: {0: "batch"} for name in names + results}
    if detector:
        axes = {"image": {1: "height", 2: "width"}} | {name: {0: "faces"} for name in results}
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            module,
            example,
            str(path),
            dynamo=False,
            opset_version=OPSET,
            input_names=names,
            output_names=results,
            dynamic_axes=axes,
        )
    # Near-equal scores may change the order of a detector's faces, so only its sorted scores are
    # compared here; the tests compare face by face. Pixels may round the other way, by one.
    limit = 1.0 if results[0] == "faces" else TOLERANCE
    gap = difference(path, module, example, slice(2, 3) if detector else slice(None))
    if not gap <= limit:
        raise WeightsError(f"{path.name} differs from PyTorch by {gap:.2g}: not written")


def _hidden(crops: Tensor) -> tuple[Tensor, Tensor]:
    """Crops as the generator's input, with the lower half hidden."""
    image = crops.permute(0, 3, 1, 2).float() / 127.5 - 1
    mask = torch.zeros(len(crops), 1, *crops.shape[1:3])
    mask[:, :, crops.shape[1] // 2 :] = 1
    return image * (1 - mask), mask


def _drawn(count: int, side: int) -> np.ndarray:
    from uncover.faces import draw_face

    return np.stack([draw_face(seed, side).image for seed in range(count)])


def _entry(path: Path) -> OnnxFile:
    data = path.read_bytes()
    return OnnxFile(path.name, hashlib.sha256(data).hexdigest(), len(data))


def _need_packages() -> None:
    try:
        import onnx  # noqa: F401
        import onnxruntime  # noqa: F401
    except ImportError as error:
        raise WeightsError(
            f"{error.name} is not installed: python -m pip install onnx onnxruntime"
        ) from error
