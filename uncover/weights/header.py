"""Reads and checks the header of a safetensors file before a single tensor is allocated."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from uncover.errors import WeightsError
from uncover.strict import parse_json

MAX_HEADER = 2**20
ITEM_SIZE = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8, "I32": 4, "I16": 2, "I8": 1}
ITEM_SIZE |= {"U8": 1, "BOOL": 1}
FLOATS = frozenset({"F64", "F32", "F16", "BF16"})


@dataclass(frozen=True)
class TensorInfo:
    """One tensor as a header describes it: dtype in safetensors' names, such as F16."""

    dtype: str
    shape: tuple[int, ...]


def read_header(path: Path) -> dict[str, TensorInfo]:
    """The tensors that a safetensors file says it holds, after checking that it can hold them.

    The header is 8 bytes of little-endian length and that much JSON
    (https://huggingface.co/docs/safetensors). Its length is limited to 1 MiB and the tensors must
    cover the rest of the file exactly, without gaps or overlaps.

    Raises:
        WeightsError: the file is missing, is no safetensors file, or is cut short; one line.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            prefix = file.read(8)
            length = int.from_bytes(prefix, "little")
            if len(prefix) < 8 or not prefix_is_plausible(prefix, size):
                raise WeightsError(f"{path.name} {_not_safetensors(prefix, length, size)}")
            raw = file.read(length)
    except OSError as error:
        raise WeightsError(f"{path} cannot be read: {error.strerror}") from error
    entries = parse_json(raw, f"{path.name} header")
    entries.pop("__metadata__", None)
    return _check_entries(entries, size - 8 - length, path.name)


def prefix_is_plausible(prefix: bytes, size: int) -> bool:
    """Whether the first 8 bytes of a file of `size` bytes can start a safetensors file."""
    length = int.from_bytes(prefix, "little")
    return 2 <= length <= min(MAX_HEADER, size - 8)


def compare(found: Mapping[str, TensorInfo], wanted: Mapping[str, TensorInfo], where: str) -> None:
    """Check stored tensors against a module's: same names and shapes, and dtypes of one family.

    Raises:
        WeightsError: the first difference, in one line.
    """
    missing, extra = sorted(set(wanted) - set(found)), sorted(set(found) - set(wanted))
    if missing:
        raise WeightsError(f"{where}: tensor {missing[0]!r} is missing ({len(missing)} in all)")
    if extra:
        raise WeightsError(f"{where}: unknown tensor {extra[0][:80]!r} ({len(extra)} in all)")
    for name, want in wanted.items():
        have = found[name]
        if have.shape != want.shape:
            raise WeightsError(
                f"{where}: tensor {name!r} has shape {list(have.shape)}, "
                f"the architecture needs {list(want.shape)}"
            )
        same_family = have.dtype in FLOATS and want.dtype in FLOATS
        if have.dtype != want.dtype and not same_family:
            raise WeightsError(
                f"{where}: tensor {name!r} is {have.dtype}, the architecture needs {want.dtype}"
            )


def _not_safetensors(prefix: bytes, length: int, size: int) -> str:
    if prefix[:2] in (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05"):
        return "is a pickle, not safetensors: pickles can run code and are never loaded"
    if prefix[:4] == b"PK\x03\x04":
        return "is a zip (a torch.save pickle), not safetensors: it is never loaded"
    if prefix.startswith(b"version "):
        return "is a Git LFS pointer, not the weights: run `git lfs pull`"
    if len(prefix) == 8 and length > MAX_HEADER:
        return f"claims a header of {length} bytes, {MAX_HEADER} at most: it is refused"
    return f"is cut short or is no safetensors file ({size} bytes)"


def _check_entries(entries: dict[str, Any], space: int, name: str) -> dict[str, TensorInfo]:
    found: dict[str, TensorInfo] = {}
    spans: list[tuple[int, int]] = []
    for key, entry in entries.items():
        where = f"{name} header, tensor {key[:80]!r}"
        if not isinstance(entry, dict) or set(entry) != {"dtype", "shape", "data_offsets"}:
            raise WeightsError(f"{where}: it must have dtype, shape and data_offsets, no more")
        dtype, shape, span = entry["dtype"], entry["shape"], entry["data_offsets"]
        if not isinstance(dtype, str) or dtype not in ITEM_SIZE:
            raise WeightsError(f"{where}: dtype {dtype!r:.40} is not supported")
        if not _naturals(shape) or len(shape) > 8:
            raise WeightsError(f"{where}: its shape is not a list of sizes")
        if not _naturals(span) or len(span) != 2:
            raise WeightsError(f"{where}: its data_offsets are not a pair")
        if span[1] - span[0] != math.prod(shape) * ITEM_SIZE[dtype]:
            raise WeightsError(f"{where}: its shape and its bytes do not agree")
        spans.append((span[0], span[1]))
        found[key] = TensorInfo(dtype, tuple(shape))
    end = 0
    for start, stop in sorted(spans):
        if start != end:
            raise WeightsError(f"{name} header: tensors overlap or leave gaps")
        end = stop
    if end != space:
        raise WeightsError(f"{name} holds {space} bytes of tensors, its header names {end}")
    return found


def _naturals(value: Any) -> bool:
    return isinstance(value, list) and all(type(v) is int and 0 <= v < 2**48 for v in value)
