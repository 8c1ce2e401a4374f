"""Reads and checks the header of a safetensors file before a single tensor is allocated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from safetensors import SafetensorError, safe_open

from uncover.errors import WeightsError
from uncover.strict import one_line

MAX_HEADER = 2**20
FLOATS = frozenset({"F64", "F32", "F16", "BF16"})
DTYPES = FLOATS | {"I64", "I32", "I16", "I8", "U8", "BOOL"}


@dataclass(frozen=True)
class TensorInfo:
    """One tensor as a header describes it: dtype in safetensors' names, such as F16."""

    dtype: str
    shape: tuple[int, ...]


def read_header(path: Path) -> dict[str, TensorInfo]:
    """The tensors that a safetensors file says it holds, after checking that it can hold them.

    A file starts with 8 bytes of little-endian length and that much JSON
    (https://huggingface.co/docs/safetensors). Its length is limited to 1 MiB here; the library
    that loads it later checks the rest: the tensors must cover the file, without gaps or overlaps.

    Raises:
        WeightsError: the file is missing, is no safetensors file, or is cut short; one line.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            prefix = file.read(8)
        if len(prefix) < 8 or not prefix_is_plausible(prefix, size):
            length = int.from_bytes(prefix, "little")
            raise WeightsError(f"{path.name} {_not_safetensors(prefix, length, size)}")
        with safe_open(path, framework="numpy") as stored:
            slices = {key: stored.get_slice(key) for key in stored.keys()}  # noqa: SIM118
            found = {k: TensorInfo(v.get_dtype(), tuple(v.get_shape())) for k, v in slices.items()}
    except OSError as error:
        raise WeightsError(f"{path} cannot be read: {error.strerror}") from error
    except SafetensorError as error:
        raise WeightsError(f"{path.name} is cut short or broken: {one_line(error)}") from error
    for key, tensor in found.items():
        if tensor.dtype not in DTYPES:
            raise WeightsError(f"{path.name}: tensor {key[:80]!r} is {tensor.dtype}, not supported")
    return found


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
