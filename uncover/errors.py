"""Errors meant for people: each message is one line that says what is wrong and what to do."""

from __future__ import annotations


class UncoverError(Exception):
    """Base of all errors a user can cause or mend; command lines print it without a traceback."""


class ImageError(UncoverError):
    """A picture or mask picture that cannot be used."""


class WeightsError(UncoverError):
    """Weights that cannot be found, trusted or loaded."""


class NoFaceError(UncoverError):
    """A photo in which no face was found."""


def no_room(error: OSError) -> str:
    """What a disk, or a folder's rights, refused: one line that names the file."""
    where = f"{error.filename}: " if error.filename else ""
    return f"{where}{error.strerror or ' '.join(str(error).split())}"


def without_torch(error: ModuleNotFoundError) -> UncoverError:
    """The error for people where PyTorch is not installed; raises any other one again."""
    if error.name not in ("torch", "torchvision", "safetensors"):
        raise error
    return UncoverError(
        f"{error.name} is not installed: python -m pip install torch torchvision safetensors, "
        "or use --backend onnx"
    )
