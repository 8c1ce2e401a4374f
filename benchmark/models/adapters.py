"""Other people's models under test: a folder of pictures, a command, Python, or an ONNX file.

`--model dir:FOLDER`, `--model cmd:"prog {images} {masks} {out}"`
    see `benchmark.models.folders`.
`--model cmd:"python fill.py {image} {mask} {out}"`
    gets PNG files (mask: white where to paint) and writes the PNG {out}; one process a photo.
`--model python:package.module:function`
    function(image uint8 (S, S, 3) RGB, mask bool (S, S)) -> uint8, or float 0..1, (S, S, 3).
`--model onnx:file.onnx`, `--model "onnx:file.onnx?range=0,1&hole=keep"`
    inputs (1, 3, S, S) and (1, 1, S, S), or one (1, 4, S, S) with the mask last; output
    (1, 3, S, S). range: what pixel values run over, default -1,1. hole: "zero" (default) blanks
    the hole, "keep" leaves the drawn mask in it. The mask is 1 where to paint.

A name may be put in front: `--model lama=cmd:...`.
"""

from __future__ import annotations

import re
import tempfile
import threading
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import cv2
import numpy as np

from benchmark.digests import digest
from benchmark.features import import_callable, source_digest
from benchmark.models.folders import Command, FolderCommand, FolderModel, run_program, substituted
from benchmark.models.models import FillModel
from uncover.errors import UncoverError
from uncover.weights import hash_file

TIMEOUT = 300
_NAMED = re.compile(r"^(?:([\w.+-]+)=)?(dir|cmd|python|onnx):(.+)$", re.DOTALL)


def make_adapter(spec: str) -> FillModel:
    """The model that a `--model` option describes.

    Raises:
        UncoverError: not of a known form, or what it names cannot be loaded.
    """
    match = _NAMED.match(spec)
    if not match:
        raise UncoverError(f"--model {spec}: write [NAME=]dir:..., cmd:..., python:... or onnx:...")
    name, kind, rest = match[1], match[2], match[3]
    if kind == "dir":
        folder = Path(rest).expanduser()
        return FolderModel(name or folder.resolve().name, folder)
    if kind == "cmd" and "{images}" in rest:
        return FolderCommand(name or _short(rest), rest)
    if kind == "cmd":
        return CommandModel(name or _short(rest), rest)
    if kind == "python":
        return PythonModel(name or rest, rest)
    return OnnxModel(name or Path(rest.partition("?")[0]).stem, rest)


class CommandModel(Command):
    """Any program that reads two PNG files and writes a third."""

    def __init__(self, name: str, command: str) -> None:
        super().__init__(name, command, ("{image}", "{mask}", "{out}"))

    def fill(self, image: np.ndarray, hole: np.ndarray) -> np.ndarray:
        """See `FillModel.fill`. Runs the command once, for at most 5 minutes."""
        with tempfile.TemporaryDirectory() as folder:
            paths = {key: Path(folder) / f"{key}.png" for key in ("image", "mask", "out")}
            cv2.imwrite(str(paths["image"]), cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
            cv2.imwrite(str(paths["mask"]), hole.astype(np.uint8) * 255)
            run_program(self.name, [substituted(w, paths) for w in self.words], TIMEOUT)
            out = cv2.imread(str(paths["out"]), cv2.IMREAD_COLOR)
        if out is None:
            raise UncoverError(f"model {self.name} wrote no picture to {{out}}")
        return cv2.cvtColor(out, cv2.COLOR_BGR2RGB)


class PythonModel:
    """A Python callable."""

    parallel = False

    def __init__(self, name: str, target: str) -> None:
        self.function = import_callable(target, "--model python:")
        self.name = name
        self.weights_sha256: str | None = None
        self.fingerprint = digest("python", target, source_digest(self.function))
        self.notes: dict[str, Any] = {}

    def fill(self, image: np.ndarray, hole: np.ndarray) -> np.ndarray:
        """See `FillModel.fill`."""
        return np.asarray(self.function(image, hole))


class OnnxModel:
    """An ONNX file, run on the CPU."""

    parallel = True

    def __init__(self, name: str, target: str) -> None:
        path, _, query = target.partition("?")
        options = {"range": "-1,1", "hole": "zero"}
        given = dict(parse_qsl(query, keep_blank_values=True))
        if strange := sorted(set(given) - set(options)):
            raise UncoverError(f"--model onnx:{path}: unknown option {strange[0]}")
        options.update(given)
        try:
            self.low, self.high = (float(v) for v in options["range"].split(","))
        except ValueError as error:
            raise UncoverError(f"--model onnx:{path}: write range=LOW,HIGH") from error
        if self.high <= self.low or options["hole"] not in ("zero", "keep"):
            raise UncoverError(f"--model onnx:{path}: range=LOW,HIGH and hole=zero or hole=keep")
        self.keep = options["hole"] == "keep"
        if not Path(path).is_file():
            raise UncoverError(f"--model onnx:{path}: there is no such file")
        self.session = _open_session(path)
        self.inputs = self.session.get_inputs()
        self.weights_sha256: str | None = hash_file(Path(path))
        self.fingerprint = digest("onnx", self.weights_sha256, *sorted(options.items()))
        self.name = name
        self.notes: dict[str, Any] = {}
        self.lock = threading.Lock()

    def fill(self, image: np.ndarray, hole: np.ndarray) -> np.ndarray:
        """See `FillModel.fill`. Resized to the model's own side where that is fixed."""
        size = len(image)
        side = next((d for i in self.inputs for d in i.shape[2:] if isinstance(d, int)), size)
        picture, mask = image, hole
        if side != size:
            picture = cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA)
            mask = cv2.resize(hole.astype(np.float32), (side, side)) > 0
        x = picture.transpose(2, 0, 1)[None].astype(np.float32) / 255
        x = x * (self.high - self.low) + self.low
        m = mask[None, None].astype(np.float32)
        if not self.keep:
            x = x * (1 - m)
        if len(self.inputs) == 1:
            feed = {self.inputs[0].name: np.concatenate([x, m], 1)}
        else:
            by_mask = sorted(self.inputs, key=lambda i: "mask" in i.name.lower())
            feed = {by_mask[0].name: x, by_mask[1].name: m}
        with self.lock:
            out = np.asarray(self.session.run(None, feed)[0])
        if out.ndim != 4 or out.shape[:2] != (1, 3):
            raise UncoverError(f"model {self.name} gave shape {out.shape}, not (1, 3, S, S)")
        result = (out[0].transpose(1, 2, 0) - self.low) / (self.high - self.low)
        if side != size and result.shape[:2] == (side, side):
            result = cv2.resize(result, (size, size), interpolation=cv2.INTER_CUBIC)
        return np.where(np.isfinite(result), result.clip(0, 1), result)


def _open_session(path: str) -> Any:
    try:
        import onnxruntime
    except ImportError as error:
        raise UncoverError("--model onnx: needs onnxruntime: pip install onnxruntime") from error
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = 1
    try:
        session = onnxruntime.InferenceSession(path, settings, providers=["CPUExecutionProvider"])
    except Exception as error:
        text = " ".join(str(error).split())
        raise UncoverError(f"--model onnx:{path} does not load: {text}") from error
    if len(session.get_inputs()) not in (1, 2):
        raise UncoverError(f"--model onnx:{path} needs an image and a mask as its inputs")
    return session


def _short(command: str) -> str:
    words = [w for w in command.split() if "{" not in w]
    return Path(words[-1]).stem if words else "command"
