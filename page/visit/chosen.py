"""Which weights a page runs with: those asked for, or the embedded ones and a word about why."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from uncover.errors import WeightsError
from uncover.pipeline import Uncoverer
from uncover.weights import embedded_folder, resolve


@dataclass(frozen=True, eq=False)
class Chosen:
    """Loaded weights.

    Attributes:
        uncoverer: ready to use.
        folder: where its files lie.
        name: "embedded default", a folder's name, or "user/repo" with its revision.
        link: the card's address on the Hub, if it came from there.
        banner: why these are not the weights that were asked for; None when they are.
    """

    uncoverer: Uncoverer
    folder: Path
    name: str
    link: str | None = None
    banner: str | None = None


def choose(
    source: str | None,
    revision: str | None = None,
    device: str = "auto",
    embedded: Path | None = None,
    backend: str = "torch",
) -> Chosen:
    """Load what is asked for; failing that, the embedded weights with a banner that says why.

    Args:
        source, revision: as `uncover.weights.wanted` gives them.
        device, backend: as in `Uncoverer.from_pretrained`.
        embedded: where the embedded weights lie; None where they come with the code.

    Raises:
        WeightsError: the embedded weights cannot be loaded either.
    """
    how = {"device": device, "backend": backend}
    embedded = embedded or embedded_folder()
    if source is None:
        return Chosen(Uncoverer.from_pretrained(str(embedded), **how), embedded, "embedded")
    name = f"{source}@{revision}" if revision else source
    try:
        with _warnings() as told:
            folder = resolve(source, revision, files="torch" if backend == "torch" else "onnx")
            uncoverer = Uncoverer.from_pretrained(str(folder), **how)
    except WeightsError as error:
        uncoverer = Uncoverer.from_pretrained(str(embedded), **how)
        reason = " ".join(str(error).split())
        banner = (
            f"The weights {name} could not be loaded, so the page runs with the embedded ones: "
            f"{reason}"
        )
        return Chosen(uncoverer, embedded, "embedded", banner=banner)
    if Path(source).expanduser().is_dir():
        return Chosen(uncoverer, folder, Path(source).expanduser().resolve().name)
    link = f"https://huggingface.co/{source}" + (f"/tree/{revision}" if revision else "")
    return Chosen(uncoverer, folder, name, link, " ".join(told) or None)


@contextmanager
def _warnings() -> Iterator[list[str]]:
    """Collects what the weights cache warns of, such as an older version that stays in use."""
    told: list[str] = []

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            told.append(record.getMessage())

    listener = Listener(logging.WARNING)
    logger = logging.getLogger("uncover")
    logger.addHandler(listener)
    try:
        yield told
    finally:
        logger.removeHandler(listener)
