"""The config.json of a weights folder: its fields, their checks, reading and writing.

Needs no torch, so the ONNX side reads the same file.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from uncover.atomic import write_atomically
from uncover.errors import WeightsError
from uncover.strict import from_dict, read_json, to_dict

FORMAT = "uncover/1"
LICENCE = "cc-by-nc-sa-4.0"
CONFIG = "config.json"
CARD = "README.md"
RESULTS = "results.json"
INFERENCE = ("generator", "segmenter", "detector")
ADDED = ("enlarger",)
"""Networks that painting uses where a folder has them."""
OPTIONAL = (*ADDED, "seed_generator", "discriminator_global", "discriminator_local")
MAX_FILE = 4 * 2**30
PICKLES = (".pt", ".pth", ".bin", ".pkl", ".pickle", ".ckpt", ".joblib", ".mar")
REFUSED = frozenset((*PICKLES, ".npy", ".npz", ".h5", ".keras", ".msgpack", ".pb", ".tar", ".zip"))


@dataclass(frozen=True)
class OnnxFile:
    """One ONNX export beside the safetensors; size in bytes."""

    file: str
    sha256: str
    size: int

    def __post_init__(self) -> None:
        check_file(self.file, self.sha256, self.size, (".onnx",))


@dataclass(frozen=True)
class Preprocessing:
    """How a picture becomes a network's input; see `uncover.crop.geometry` for the face frame.

    resolution: side of the square crop in pixels. range: what bytes 0..255 map to.
    border: how a crop that leaves the photo is filled. template: the five points of the face frame
    in unit coordinates, x right and y down.
    """

    resolution: int | None = None
    range: tuple[float, float] | None = None
    border: Literal["reflect101"] | None = None
    template: tuple[tuple[float, float], ...] | None = None


@dataclass(frozen=True)
class Component:
    """One network of a bundle.

    arch: the fields of its config class. size in bytes. training: settings, data summary and
    whatever else its loop recorded.
    """

    arch: dict[str, Any]
    file: str
    dtype: Literal["float16", "float32"]
    sha256: str
    size: int
    training: dict[str, Any]
    preprocessing: Preprocessing
    onnx: OnnxFile | None = None

    def __post_init__(self) -> None:
        check_file(self.file, self.sha256, self.size, (".safetensors",))


@dataclass(frozen=True)
class WeightsConfig:
    """A whole config.json.

    git: the revision of the code that published it. data: training faces counted by
    ethnicity x pose. results: benchmark results in short. onnx: the one file from crop to face.
    """

    components: dict[str, Component] = field(default_factory=dict)
    format: str = FORMAT
    licence: str = LICENCE
    git: str | None = None
    data: dict[str, Any] | None = None
    results: dict[str, Any] | None = None
    onnx: OnnxFile | None = None

    def __post_init__(self) -> None:
        if self.format != FORMAT:
            raise ValueError(f"format is {self.format!r:.40}, this version reads {FORMAT!r}")
        for name, component in self.components.items():
            if name not in INFERENCE + OPTIONAL:
                raise ValueError(f"unknown component {name[:80]!r}")
            if component.file != f"{name}.safetensors":
                raise ValueError(f"{name} must lie in {name}.safetensors, not {component.file!r}")

    def files(self) -> dict[str, tuple[str, int]]:
        """Every file the config names, with its sha256 and size in bytes."""
        named: list[Component | OnnxFile | None] = [self.onnx]
        for component in self.components.values():
            named += [component, component.onnx]
        return {item.file: (item.sha256, item.size) for item in named if item is not None}

    def used(self) -> tuple[str, ...]:
        """The networks used for inference that there are, those of `INFERENCE` first."""
        return tuple(name for name in INFERENCE + ADDED if name in self.components)

    def fingerprint(self) -> str:
        """sha256 over architecture and weights of the networks used for inference."""
        parts = [
            [name, self.components[name].sha256, self.components[name].arch] for name in self.used()
        ]
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def check_file(file: str, sha256: str, size: int, suffixes: tuple[str, ...]) -> None:
    """Check one file entry: a plain name of an allowed kind, a sha256 and a sane size."""
    suffix = Path(file).suffix.lower()
    if suffix not in suffixes:
        raise ValueError(f"{file[:80]!r} is refused: only {', '.join(suffixes)} files are loaded")
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*", file):
        raise ValueError(f"{file[:80]!r} is refused: not a plain file name")
    if not re.fullmatch(r"[0-9a-f]{64}", sha256):
        raise ValueError(f"sha256 of {file} is not 64 hexadecimal digits")
    if not 0 < size <= MAX_FILE:
        raise ValueError(f"size of {file} is absurd: {size} bytes")


def parse_config(data: Any, where: str = CONFIG) -> WeightsConfig:
    """Check a parsed config.json field by field.

    Raises:
        WeightsError: the first field that is unknown, missing or wrong, in one line.
    """
    for key in ("format", "licence", "components"):
        if isinstance(data, dict) and key not in data:
            raise WeightsError(f"{where}: key {key!r} is missing")
    return from_dict(WeightsConfig, data, where)


def read_config(folder: Path) -> WeightsConfig:
    """Read and check `folder`/config.json.

    Raises:
        WeightsError: no such file, another format, or a field that is wrong; one line.
    """
    path = folder / CONFIG
    if not path.is_file():
        others = sorted(p.name for p in folder.glob("*") if p.suffix.lower() in REFUSED)
        if others:
            raise WeightsError(
                f"{others[0]} is refused: only config.json + .safetensors are loaded, "
                f"and {folder} has no {CONFIG}"
            )
        raise WeightsError(f"{folder} holds no weights: it has no {CONFIG}")
    return parse_config(read_json(path), str(path))


def write_config(folder: Path, config: WeightsConfig) -> None:
    """Write `folder`/config.json in one step: a reader sees the old file or the new one."""
    text = json.dumps(to_dict(config), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    write_atomically(folder / CONFIG, text.encode())


def hash_file(path: Path) -> str:
    """sha256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check_files(folder: Path, config: WeightsConfig, names: tuple[str, ...] | None = None) -> None:
    """Check size and sha256 of the files that a config names (or of those in `names`).

    Raises:
        WeightsError: a file is missing, cut short or altered; one line.
    """
    for name, (sha256, size) in config.files().items():
        if names is not None and name not in names:
            continue
        path = folder / name
        if not path.is_file():
            raise WeightsError(f"{name} is missing in {folder}")
        check_bytes(name, path.stat().st_size, size, None, sha256)
        check_bytes(name, size, size, hash_file(path), sha256)


def check_bytes(name: str, size: int, want: int, digest: str | None, sha256: str) -> None:
    """Compare a file's size, and its digest where given, with what its config recorded."""
    if size != want:
        verb = "is cut short" if size < want else "is too long"
        raise WeightsError(f"{name} {verb}: {size} bytes, config.json says {want}: pull it again")
    if digest is not None and digest != sha256:
        raise WeightsError(
            f"{name} was altered: sha256 {digest[:12]}..., config.json says {sha256[:12]}..."
        )
