"""The one place that loads and saves weights: a folder, a Hub repo, or the embedded default.

A weights folder holds config.json and one safetensors file per network, never a pickle. Loading is
strict: the config is checked field by field, each file's size, sha256 and header are checked
against the architecture, and only then is memory allocated.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import nn

from uncover.atomic import write_atomically
from uncover.errors import WeightsError
from uncover.strict import from_dict, one_line, to_dict
from uncover.weights import registry
from uncover.weights.config import (
    CONFIG,
    INFERENCE,
    Component,
    Preprocessing,
    WeightsConfig,
    check_bytes,
    read_config,
    write_config,
)
from uncover.weights.header import TensorInfo, compare, read_header
from uncover.weights.preprocessing import check_preprocessing, default_preprocessing
from uncover.weights.sources import default_folder, resolve

DTYPES = {"float16": torch.float16, "float32": torch.float32}
_NAMES = {
    torch.float64: "F64",
    torch.float32: "F32",
    torch.float16: "F16",
    torch.bfloat16: "BF16",
    torch.int64: "I64",
    torch.int32: "I32",
    torch.int16: "I16",
    torch.int8: "I8",
    torch.uint8: "U8",
    torch.bool: "BOOL",
}


@dataclass(frozen=True)
class Bundle:
    """Networks in evaluation mode on the CPU, in float32, with the config they came with.

    config: config.json as it was read. source: what was asked for. folder: where the files lie.
    sha256: fingerprint of architectures and weights, equal for equal networks. A network that was
    not asked for, or an enlarger that the folder does not have, is None.
    """

    config: dict[str, Any]
    source: str
    folder: Path
    sha256: str
    generator: Any = None
    segmenter: Any = None
    detector: Any = None
    enlarger: Any = None


def load_bundle(
    source: str | Path | None = None,
    revision: str | None = None,
    local_files_only: bool = False,
    components: Sequence[str] | None = None,
) -> Bundle:
    """Load the networks of a weights folder, a Hub repo or the embedded default.

    Args:
        source: a folder, "user/repo", or None for the embedded default.
        revision: branch, tag or commit of a Hub repo.
        local_files_only: use only what was pulled before, without the network.
        components: which networks to load; None for all that painting uses.

    Raises:
        WeightsError: anything that cannot be found or trusted; one line.
    """
    folder = resolve(source, revision, local_files_only)
    config = read_config(folder)
    # All are checked before the first takes up memory.
    wanted = dict.fromkeys((*INFERENCE, *config.used())) if components is None else components
    checked = {name: _checked(folder, name, config) for name in wanted}
    if {"enlarger", "generator"} <= checked.keys():
        fine, coarse = (checked[name][1].resolution for name in ("enlarger", "generator"))
        if fine != 2 * coarse:
            raise WeightsError(
                f"{folder}: its enlarger is for a generator of {fine // 2} px, not of {coarse}: "
                "train one for it (python -m training.enlarger), or leave it out"
            )
    loaded = {name: _load(folder, name, *found) for name, found in checked.items()}
    name = "default" if source is None else str(source)
    return Bundle(to_dict(config), name, folder, config.fingerprint(), **loaded)


def load_component(folder: str | Path, name: str, config: WeightsConfig | None = None) -> nn.Module:
    """Load one network of a weights folder, strictly, in float32 and evaluation mode.

    Raises:
        WeightsError: a missing, altered or unfitting file or config; one line, raised before
            any large allocation.
    """
    folder = Path(folder)
    return _load(folder, name, *_checked(folder, name, config or read_config(folder)))


def _checked(folder: Path, name: str, config: WeightsConfig) -> tuple[Component, Any]:
    """A component and its architecture, found good without reading its tensors."""
    component = config.components.get(name)
    if component is None:
        raise WeightsError(f"{folder} has no {name}: its config.json does not list one")
    return component, check_component(folder, name, component)


def _load(folder: Path, name: str, component: Component, arch: Any) -> nn.Module:
    data = _read(folder / component.file, component)
    try:
        stored = safetensors.torch.load(data)
    except SafetensorError as error:
        raise WeightsError(f"{component.file} cannot be read: {one_line(error)}") from error
    del data
    network = registry.build(name, arch)
    states = {key: stored[key].to(value.dtype) for key, value in network.state_dict().items()}
    network.load_state_dict(states, strict=True)
    return network.eval()


def check_component(folder: Path, name: str, component: Component) -> Any:
    """Check a component's config, size and header against its architecture, allocating nothing.

    Returns:
        The architecture's dataclass.
    """
    where = f"{CONFIG} {name}"
    arch = registry.parse_arch(name, component.arch, f"{where}.arch")
    check_preprocessing(component.preprocessing, arch, where)
    network = registry.build_on_meta(name, arch, f"{where}.arch")
    wanted = {
        key: TensorInfo(_NAMES[value.dtype], tuple(value.shape))
        for key, value in network.state_dict().items()
    }
    path = folder / component.file
    if not path.is_file():
        raise WeightsError(f"{component.file} is missing in {folder}")
    found = read_header(path)
    check_bytes(component.file, path.stat().st_size, component.size, None, component.sha256)
    compare(found, wanted, component.file)
    return arch


def save_component(
    folder: str | Path,
    name: str,
    module: nn.Module,
    config: Any,
    *,
    training: dict[str, Any] | None = None,
    preprocessing: dict[str, Any] | None = None,
    dtype: str = "float16",
) -> None:
    """Write NAME.safetensors and enter it in config.json; other components stay as they are.

    Floating tensors are stored as `dtype`, integer ones (BatchNorm's counters) as they are. Each
    file appears under its name only when complete.

    Args:
        folder: the weights folder; made if missing.
        name: "generator", "segmenter", "detector", "enlarger" or a discriminator's name.
        module: the network; only its state is stored.
        config: the dataclass it was built from.
        training: settings, data summary and the like; anything JSON can hold.
        preprocessing: fields of `Preprocessing`; None records what this version does.
        dtype: "float16" or "float32".

    Raises:
        WeightsError: a tensor holds NaN, infinity or more than float16 can; one line.
    """
    if dtype not in DTYPES:
        raise WeightsError(f"dtype must be float16 or float32, not {dtype!r}")
    folder = Path(folder)
    old = read_config(folder) if (folder / CONFIG).exists() else WeightsConfig()
    tensors = {
        key: _stored(key, value, DTYPES[dtype]) for key, value in module.state_dict().items()
    }
    data = safetensors.torch.save(tensors)
    if preprocessing is None:
        described = default_preprocessing(config)
    else:
        described = from_dict(Preprocessing, to_dict(preprocessing), "preprocessing")
    entry = Component(
        arch=to_dict(config),
        file=f"{name}.safetensors",
        dtype=dtype,  # type: ignore[arg-type]
        sha256=hashlib.sha256(data).hexdigest(),
        size=len(data),
        training=to_dict(training or {}),
        preprocessing=described,
    )
    components = {**old.components, name: entry}
    try:
        new = dataclasses.replace(old, components=components, onnx=None)
    except ValueError as error:
        raise WeightsError(one_line(error)) from error
    write_atomically(folder / entry.file, data)
    write_config(folder, new)


def _stored(name: str, tensor: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    tensor = tensor.detach().to("cpu", copy=True).contiguous()
    if not tensor.is_floating_point():
        return tensor
    if not torch.isfinite(tensor).all():
        raise WeightsError(f"tensor {name!r} holds NaN or infinity: it is not saved")
    small = tensor.to(dtype)
    if not torch.isfinite(small).all():
        raise WeightsError(
            f"tensor {name!r} holds {tensor.abs().max().item():.4g}, too much for float16: "
            "save it as float32"
        )
    return small


def _read(path: Path, component: Component) -> bytes:
    with path.open("rb") as file:
        data = file.read(component.size + 1)
    digest = hashlib.sha256(data).hexdigest()
    check_bytes(component.file, len(data), component.size, digest, component.sha256)
    return data


__all__ = [
    "Bundle",
    "check_component",
    "default_folder",
    "load_bundle",
    "load_component",
    "resolve",
    "save_component",
]
