"""The state of a run on disk: safetensors and JSON, written whole or not at all.

A checkpoint is a folder: state.json (settings, counters, generator states, the non-tensor part of
the optimisers) and tensors.safetensors. An interrupted write leaves the previous checkpoint in
place. Nothing is pickled.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from uncover.atomic import recovered, whole_folder
from uncover.errors import UncoverError


class CheckpointError(UncoverError):
    """A checkpoint that is missing, broken or from other settings."""


def save_checkpoint(folder: Path, state: dict[str, Any]) -> None:
    """Write `state`, a tree of dicts and lists whose leaves are tensors or JSON values."""
    tensors: dict[str, Tensor] = {}
    tree = _split(state, "", tensors)
    with whole_folder(folder) as part:
        try:
            save_file(tensors, str(part / "tensors.safetensors"))
        except SafetensorError as error:  # of a full disk, too
            raise CheckpointError(f"{folder} cannot be written: {error}") from error
        (part / "state.json").write_text(json.dumps(tree))


def load_checkpoint(folder: Path) -> dict[str, Any]:
    """The tree that `save_checkpoint` wrote, tensors on the CPU. Raises CheckpointError."""
    recovered(folder)
    try:
        tree = json.loads((folder / "state.json").read_text())
        tensors = load_file(str(folder / "tensors.safetensors"))
    except FileNotFoundError:
        raise CheckpointError(f"no checkpoint in {folder}: start without --resume") from None
    except Exception as error:  # safetensors and json each have errors of their own
        raise CheckpointError(f"checkpoint in {folder} is broken: {error}") from None
    return _join(tree, tensors)


def rng_state(generator: np.random.Generator | None = None) -> dict[str, Any]:
    """The states of torch's CPU (and GPU) generators and of a numpy generator."""
    state: dict[str, Any] = {"torch": torch.get_rng_state()}
    if torch.cuda.is_available():
        state["cuda"] = torch.cuda.get_rng_state()
    if generator is not None:
        state["numpy"] = generator.bit_generator.state
    return state


def restore_rng(state: dict[str, Any], generator: np.random.Generator | None = None) -> None:
    """Set the generators back to what `rng_state` returned."""
    torch.set_rng_state(state["torch"])
    if torch.cuda.is_available() and "cuda" in state:
        torch.cuda.set_rng_state(state["cuda"])
    if generator is not None:
        generator.bit_generator.state = state["numpy"]


def _split(node: Any, where: str, tensors: dict[str, Tensor]) -> Any:
    if isinstance(node, Tensor):
        tensors[where] = node.detach().cpu().contiguous().clone()
        return {"__tensor__": where}
    if isinstance(node, dict):
        # JSON has string keys only; optimiser states are keyed by integers.
        return {
            "__dict__": [
                [k, _split(v, f"{where}/{i}.{k}", tensors)] for i, (k, v) in enumerate(node.items())
            ]
        }
    if isinstance(node, (list, tuple)):
        return [_split(v, f"{where}/{i}", tensors) for i, v in enumerate(node)]
    if isinstance(node, np.generic):
        return node.item()
    if node is None or isinstance(node, (bool, int, float, str)):
        return node
    raise TypeError(f"cannot save a {type(node).__name__} at {where}")


def _join(node: Any, tensors: dict[str, Tensor]) -> Any:
    if isinstance(node, list):
        return [_join(v, tensors) for v in node]
    if isinstance(node, dict):
        if "__tensor__" in node:
            return tensors[node["__tensor__"]]
        return {k: _join(v, tensors) for k, v in node["__dict__"]}
    return node
