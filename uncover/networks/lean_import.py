"""Imports torchvision without PyTorch's compiler, which would take as long as PyTorch itself.

`torchvision.ops.roi_align` takes one function from `torch._dynamo.utils` when it is imported. That
loads the whole compiler with sympy behind it: seconds on a small machine, and over 100 MB, for
something that only training on a GPU with deterministic algorithms ever calls.
"""

from __future__ import annotations

import sys
import threading
from types import ModuleType

COMPILER = "torch._dynamo"


def is_compile_supported(device_type: str) -> bool:
    """PyTorch's function of this name, loaded when it is called."""
    from importlib import import_module

    return bool(import_module(f"{COMPILER}.utils").is_compile_supported(device_type))


def import_torchvision() -> None:
    """Import torchvision's detection models; later, PyTorch's compiler can be imported as ever.

    With other threads about, which might import the compiler meanwhile, or where torchvision asks
    it for more than is known here, this is an ordinary import.
    """
    if COMPILER not in sys.modules and threading.active_count() == 1:
        import torch

        package, utils = ModuleType(COMPILER), ModuleType(f"{COMPILER}.utils")
        package.__path__ = []
        utils.is_compile_supported = is_compile_supported  # type: ignore[attr-defined]
        sys.modules.update({package.__name__: package, utils.__name__: utils})
        try:
            import torchvision.models.detection
        except (ImportError, AttributeError):
            pass  # asked for something else: below, without the stand-in
        finally:
            for module in (package, utils):
                if sys.modules.get(module.__name__) is module:
                    del sys.modules[module.__name__]
            if vars(torch).get("_dynamo") is package:
                del torch._dynamo
    import torchvision.models.detection  # noqa: F401
