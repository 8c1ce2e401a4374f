"""Finds face masks in photos and paints a plausible face under each: a guess, never an identity."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from uncover.errors import UncoverError

if TYPE_CHECKING:
    from uncover.pipeline import Uncoverer
    from uncover.results import Face, Result

__all__ = ["Face", "Result", "UncoverError", "Uncoverer", "__version__"]
__version__ = "0.1.0"

_LAZY = {"Uncoverer": "pipeline", "Face": "results", "Result": "results"}


def __getattr__(name: str) -> Any:
    """Import the heavy parts (PyTorch) only when they are first used."""
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f".{_LAZY[name]}", __name__), name)


def __dir__() -> list[str]:
    return sorted(__all__)
