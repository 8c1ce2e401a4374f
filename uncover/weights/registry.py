"""Which class builds which component of a weights folder; classes are imported when needed."""

from __future__ import annotations

import importlib
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.nn.modules import module as hooks
from torch.overrides import TorchFunctionMode

from uncover.errors import WeightsError
from uncover.strict import from_dict, one_line

MAX_PARAMETERS = 400_000_000
MAX_TENSORS = 4_000


@dataclass(frozen=True)
class Spec:
    """Where a component's module class and config class are found."""

    module: str
    cls: str
    config: str


REGISTRY: dict[str, Spec] = {
    "generator": Spec("uncover.networks.generator", "Generator", "GeneratorConfig"),
    "segmenter": Spec("uncover.networks.segmenter", "MaskSegmenter", "SegmenterConfig"),
    "detector": Spec("uncover.networks.detector", "MaskDetector", "DetectorConfig"),
    "enlarger": Spec("uncover.networks.enlarger", "Enlarger", "EnlargerConfig"),
    "seed_generator": Spec(
        "uncover.networks.context_encoder", "ContextEncoder", "ContextEncoderConfig"
    ),
}


def register(name: str, module: str, cls: str, config: str) -> None:
    """Make another component loadable, such as a discriminator from the training side."""
    REGISTRY[name] = Spec(module, cls, config)


def classes(name: str) -> tuple[type[nn.Module], type[Any]]:
    """The module class and the config class of a component."""
    spec = REGISTRY.get(name)
    if spec is None:
        raise WeightsError(f"no class is known for component {name!r}")
    found = importlib.import_module(spec.module)
    return getattr(found, spec.cls), getattr(found, spec.config)


def build(name: str, config: Any) -> nn.Module:
    """Build a component in float32 whose values are still to be read from a file.

    No time is spent on random weights, and the global random state is not disturbed.
    """
    cls, _ = classes(name)
    with torch.random.fork_rng(devices=[]), _WithoutInit():
        return cls(config)


def parse_arch(name: str, arch: Any, where: str) -> Any:
    """Turn the stored architecture into the component's config dataclass; all keys are needed."""
    _, config_cls = classes(name)
    return from_dict(config_cls, arch, where, complete=True)


def build_on_meta(name: str, config: Any, where: str) -> nn.Module:
    """Build a component without memory, to learn its tensors; stops as soon as it grows absurd.

    Raises:
        WeightsError: over 400 M parameters, over 4,000 tensors, or values that no layer accepts.
    """
    cls, _ = classes(name)
    with _Budget(where), _WithoutInit(), torch.device("meta"):
        try:
            return cls(config)
        except (ValueError, TypeError, RuntimeError, OverflowError, ArithmeticError) as error:
            raise WeightsError(f"{where} cannot be built: {one_line(error)}") from error


class _WithoutInit(TorchFunctionMode):
    """`torch.nn.init` does nothing.

    On the meta device it would also import PyTorch's compiler, which takes a second.
    """

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        values = kwargs or {}
        if getattr(func, "__module__", None) == "torch.nn.init":
            return args[0] if args else values["tensor"]
        return func(*args, **values)


class _Budget:
    """Counts what modules register in this thread and refuses to go over the limits.

    Hooks of `torch.nn` are global, so other threads pass through untouched.
    """

    def __init__(self, where: str) -> None:
        self.where = where
        self.thread = threading.get_ident()
        self.values = 0
        self.items = 0
        self.handles: list[Any] = []

    def __enter__(self) -> _Budget:
        self.handles = [
            hooks.register_module_parameter_registration_hook(self._count),
            hooks.register_module_buffer_registration_hook(self._count),
            hooks.register_module_module_registration_hook(self._count),
        ]
        return self

    def __exit__(self, *_: object) -> None:
        for handle in self.handles:
            handle.remove()

    def _count(self, module: nn.Module, name: str, item: Any) -> None:
        if threading.get_ident() != self.thread:
            return
        self.items += 1
        if isinstance(item, torch.Tensor):
            self.values += item.numel()
        if self.values > MAX_PARAMETERS or self.items > MAX_TENSORS:
            raise WeightsError(
                f"{self.where} asks for an absurd size: over {MAX_PARAMETERS // 10**6} million "
                f"parameters or {MAX_TENSORS} tensors and layers"
            )
