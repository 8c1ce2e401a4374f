"""Pictures that others painted: a folder of them, or a program that fills such a folder at once.

`--model dir:FOLDER`
    pictures made elsewhere, found by name: the id of a saved set (ID.png, ID-masked.png), or the
    photo's own name with any suffix. A picture has the size of the saved one or of the whole photo.
`--model "cmd:prog {images} {masks} {out}"`
    run once: {images} holds ID.png with the masks drawn on, {masks} ID.png, white where to paint;
    the program writes ID.png into {out}.

A photo without a picture was not filled, and counts as such.
"""

from __future__ import annotations

import shlex
import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from benchmark.digests import digest
from benchmark.models.models import Shown
from uncover.errors import UncoverError
from uncover.images import READABLE, read_image
from uncover.weights import hash_file

Pictures = Iterable[tuple[Shown, np.ndarray, np.ndarray]]
"""What a model is shown: about the picture, uint8 (S, S, 3), bool (S, S)."""


class FolderModel:
    """Pictures that lie in a folder."""

    parallel = True

    def __init__(self, name: str, folder: Path) -> None:
        if not folder.is_dir():
            raise UncoverError(f"--model dir:{folder}: there is no such folder")
        self.name = name
        self._by_name = index_of(folder)
        if not self._by_name:
            raise UncoverError(f"--model dir:{folder} holds no picture")
        files = sorted(set(self._by_name.values()))
        parts = (f"{file.relative_to(folder)}|{hash_file(file)}" for file in files)
        self.fingerprint = digest("dir", *parts)
        self.weights_sha256: str | None = None
        self.notes: dict[str, Any] = {"pictures": len(files)}

    def fill(self, image: np.ndarray, hole: np.ndarray) -> np.ndarray:
        """See `FillModel.fill`; never called, since a picture must be known to be found."""
        raise UncoverError(f"model {self.name} finds pictures by name only")

    def fill_shown(self, image: np.ndarray, hole: np.ndarray, shown: Shown) -> np.ndarray:
        """See `FillModel`."""
        return picture_for(shown, self._by_name, image, self.name)


class Command:
    """A program and its arguments, with places in braces that are named when it runs.

    needed: the places that must be there, such as "{out}". Raises UncoverError where one is not, or
    the command cannot be split into words.
    """

    parallel = True

    def __init__(self, name: str, command: str, needed: Iterable[str]) -> None:
        try:
            self.words = shlex.split(command)
        except ValueError as error:
            raise UncoverError(f"--model cmd:{command}: {error}") from error
        for place in needed:
            if not any(place in word for word in self.words):
                raise UncoverError(f"--model cmd:{command}: the command must contain {place}")
        files = [Path(word) for word in self.words if Path(word).is_file()]
        self.name = name
        self.weights_sha256: str | None = None
        self.fingerprint = digest("cmd", command, *(hash_file(f) for f in files))
        self.notes: dict[str, Any] = {}


class FolderCommand(Command):
    """A program that reads two folders and writes a third, in one process."""

    def __init__(self, name: str, command: str) -> None:
        super().__init__(name, command, ("{images}", "{masks}", "{out}"))
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._by_name: dict[str, Path] = {}

    def begin(self, pictures: Pictures) -> None:
        """Write all pictures, then run the program once.

        Raises:
            UncoverError: it cannot be run or fails.
        """
        self._folder = tempfile.TemporaryDirectory(prefix="uncover-")
        places = {key: Path(self._folder.name) / key for key in ("images", "masks", "out")}
        for place in places.values():
            place.mkdir()
        for shown, image, hole in pictures:
            file = f"{shown.id}.png"
            cv2.imwrite(str(places["images"] / file), cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
            cv2.imwrite(str(places["masks"] / file), hole.astype(np.uint8) * 255)
        words = [substituted(word, places) for word in self.words]
        run_program(self.name, words, None)
        self._by_name = index_of(places["out"])

    def fill(self, image: np.ndarray, hole: np.ndarray) -> np.ndarray:
        """See `FillModel.fill`; never called."""
        raise UncoverError(f"model {self.name} fills folders only")

    def fill_shown(self, image: np.ndarray, hole: np.ndarray, shown: Shown) -> np.ndarray:
        """See `FillModel`."""
        return picture_for(shown, self._by_name, image, self.name)


def index_of(folder: Path) -> dict[str, Path]:
    """Name without suffix -> picture: its path below the folder, and its file name if unique."""
    found: dict[str, Path] = {}
    alone: dict[str, Path | None] = {}
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() not in READABLE or not path.is_file():
            continue
        found[path.relative_to(folder).with_suffix("").as_posix()] = path
        alone[path.stem] = None if path.stem in alone else path
    return {**{stem: path for stem, path in alone.items() if path is not None}, **found}


def picture_for(
    shown: Shown, by_name: dict[str, Path], image: np.ndarray, model: str
) -> np.ndarray:
    """The picture that belongs to a case, uint8 of the size of `image`.

    Raises:
        UncoverError: there is none, or it has another size than picture and photo.
    """
    photo = Path(shown.photo)
    names = (
        *(shown.id, f"{shown.id}-masked", f"{shown.id}-face"),
        *(photo.with_suffix("").as_posix(), photo.as_posix(), photo.stem),
    )
    path = next((by_name[name] for name in names if name in by_name), None)
    if path is None:
        raise UncoverError(f"model {model} has no picture for {shown.photo}")
    picture = read_image(path).rgb
    if picture.shape == image.shape:
        return picture
    if shown.cut is not None and picture.shape[:2] == shown.cut.photo_size:
        return shown.cut.of(picture)
    high, wide = picture.shape[:2]
    raise UncoverError(
        f"model {model} gave a picture of {wide} x {high} for {shown.photo}; it must be "
        f"{image.shape[1]} x {image.shape[0]}, or of the size of the whole photo"
    )


def run_program(model: str, words: list[str], timeout: float | None) -> None:
    """Run a program to its end.

    Raises:
        UncoverError: it cannot be run, takes too long or fails; with its last words.
    """
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=timeout)
    except OSError as error:
        raise UncoverError(f"model {model}: {words[0]} cannot be run: {error.strerror}") from error
    except subprocess.TimeoutExpired as error:
        raise UncoverError(f"model {model} took over {timeout} s a picture") from error
    if done.returncode:
        last = (done.stderr.strip() or done.stdout.strip() or "no message").splitlines()[-1]
        raise UncoverError(f"model {model} ended with exit status {done.returncode}: {last}")


def substituted(word: str, places: dict[str, Path]) -> str:
    """A word of a command with {name} replaced by its place."""
    for key, path in places.items():
        word = word.replace(f"{{{key}}}", str(path))
    return word
