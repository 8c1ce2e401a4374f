"""Small parts that the detector's and the segmenter's loops share."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from training.data import is_url
from training.pack import INDEX_NAME
from training.run.checkpoint import load_checkpoint, restore_rng, rng_state, save_checkpoint
from training.run.commands import command_parser, run_to_exit
from training.run.config import check_same, load_settings, to_dict
from training.run.deepen import deepened
from uncover.atomic import write_atomically
from uncover.errors import UncoverError
from uncover.faces import MANIFEST_NAME, write_drawn_faces
from uncover.weights import CONFIG, load_component, save_component

T = TypeVar("T")


class RunState:
    """What a run must remember between two starts: network, average, optimiser, images seen.

    ``model`` has a ``config``; ``ema`` is its running average, which is what gets published.
    """

    def __init__(
        self,
        name: str,
        folder: Path,
        settings: Any,
        model: nn.Module,
        ema: nn.Module,
        optimizer: torch.optim.Optimizer,
    ) -> None:
        self.name, self.folder, self.settings = name, folder, settings
        self.model, self.ema, self.optimizer = model, ema, optimizer
        self.seen = 0
        self.minutes = 0.0
        self._clock = time.monotonic()

    def begin(self, resume: bool, init: Path | None) -> None:
        """Read the checkpoint (``resume``), or only the averaged weights of another run, or of a
        weights folder.

        Raises:
            UncoverError: a run that is there already, is missing, or had other settings.
        """
        checkpoint = self.folder / "checkpoint"
        if checkpoint.exists() and not resume:
            raise UncoverError(f"{self.folder} holds a run: add --resume, or name another --out")
        if resume:
            state = load_checkpoint(checkpoint)
            check_same(state["settings"], to_dict(self.settings), self.folder)
            self.model.load_state_dict(state["model"])
            self.ema.load_state_dict(state["ema"])
            self.optimizer.load_state_dict(state["optimizer"])
            restore_rng(state["rng"])
            self.seen, self.minutes = state["seen"], state["minutes"]
        else:
            if init is not None:
                self._start_from(init)
            self.ema.load_state_dict(self.model.state_dict())
        text = json.dumps(to_dict(self.settings), indent=2)
        write_atomically(self.folder / "settings.json", text.encode())
        self._clock = time.monotonic()

    def _start_from(self, init: Path) -> None:
        state = initial_weights(init, self.name, self.model)
        try:
            self.model.load_state_dict(state)
        except RuntimeError as error:
            first = str(error).splitlines()[-1].strip()
            raise UncoverError(f"--init {init}: another network ({first})") from None

    def save(self, notes: dict[str, Any]) -> None:
        """Write RUN/checkpoint and the averaged network to RUN/weights."""
        now = time.monotonic()
        self.minutes += (now - self._clock) / 60
        self._clock = now
        state = {
            "settings": to_dict(self.settings),
            "seen": self.seen,
            "minutes": self.minutes,
            "model": self.model.state_dict(),
            "ema": self.ema.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "rng": rng_state(),
        }
        save_checkpoint(self.folder / "checkpoint", state)
        self.write_weights(
            {
                "images": self.seen,
                "minutes": round(self.minutes, 1),
                "settings": to_dict(self.settings),
                **notes,
            }
        )

    def write_weights(self, training: dict[str, Any]) -> None:
        """RUN/weights: the averaged network, and how it was trained."""
        save_component(
            self.folder / "weights", self.name, self.ema, self.ema.config, training=training
        )


def crossed(seen: int, batch: int, every: int) -> bool:
    """Whether the last batch passed a multiple of ``every`` images."""
    return seen // every != (seen - batch) // every


def schedule(seen: int, images: int, warmup: int, decay: float) -> float:
    """Factor on the learning rate: up over ``warmup`` images, down over the last ``decay``."""
    up = min(1.0, (seen + 1) / max(1, warmup))
    down = min(1.0, (1 - seen / images) / decay)
    return max(0.0, min(up, down))


def catch_interrupt() -> Callable[[], bool]:
    """A function that tells whether Ctrl-C or a termination came; a second one ends at once."""
    caught: list[int] = []

    def note(number: int, frame: object) -> None:
        if caught:
            raise KeyboardInterrupt
        caught.append(number)

    try:
        signal.signal(signal.SIGINT, note)
        signal.signal(signal.SIGTERM, note)
    except ValueError:  # not the main thread: the caller handles signals
        return lambda: False
    return lambda: bool(caught)


def initial_weights(init: Path, name: str, network: nn.Module) -> dict[str, Tensor]:
    """What `network` starts from: the average in a run's checkpoint or, where there is none, the
    published weights of `name`.

    Of the latter, layers that `network` does not have (the generator's for other answers, the
    segmenter's that says whether there is a face) are left out. Blocks that only `network` has
    begin as the identity (`training.run.deepen`), and so does a coarse stage's `Look`;
    its guess begins anew. Raises UncoverError.
    """
    if (init / "checkpoint").is_dir():
        return deepened(load_checkpoint(init / "checkpoint")["ema"], network)
    if (init / CONFIG).is_file():
        known = network.state_dict()
        published = deepened(load_component(init, name).state_dict(), network)
        told = ("coarse.look.", "coarse.guess.")
        new = {key: value for key, value in known.items() if key.startswith(told)}
        return new | {key: value for key, value in published.items() if key in known}
    raise UncoverError(f"--init {init}: neither a run nor a weights folder")


def run_command(
    module: str,
    description: str,
    settings_cls: type[T],
    train: Callable[..., int],
    default_preset: str,
    argv: list[str] | None,
    faces: bool = False,
) -> int:
    """The command line that the loops share; returns the exit code.

    faces: training needs no more than bare faces, so offer `--drawn N`, which trains on N drawn
    ones instead of `--data`, and let `--data` name shards as well.
    """
    parser = command_parser(module, description)
    source = parser.add_mutually_exclusive_group(required=True)
    kinds = "prepared folder, or folder or URL of shards" if faces else "data folder"
    source.add_argument("--data", action="append", help=f"{kinds}; may repeat")
    if faces:
        source.add_argument("--drawn", type=int, metavar="N", help="train on N drawn faces")
    parser.add_argument("--preset", default=default_preset, help="preset name or .toml file")
    parser.add_argument("--out", type=Path, required=True, help="run folder")
    parser.add_argument("--resume", action="store_true", help="continue the run in --out")
    parser.add_argument("--init", type=Path, help="run or weights to start from")
    parser.add_argument("--max-minutes", type=float, help="save and stop after so many minutes")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", dest="changes")
    args = parser.parse_args(argv)

    def work() -> None:
        settings = load_settings(settings_cls, args.preset, args.changes)
        if args.data is not None:
            data = [data_source(text, shards=faces) for text in args.data]
        else:
            data = [args.out / "drawn"]
            if not (args.out / "drawn" / MANIFEST_NAME).exists():
                write_drawn_faces(args.out / "drawn", args.drawn)
        train(
            settings,
            data,
            args.out,
            resume=args.resume,
            init=args.init,
            max_minutes=args.max_minutes,
        )

    return run_to_exit(work)


def data_source(text: str, shards: bool) -> Path | str:
    """What a `--data` names: an existing folder, or, where shards will do, their URL.

    An index.json stands for its folder. Raises UncoverError when there is no such folder.
    """
    if shards and is_url(text):
        return text
    path = Path(text)
    if shards and path.name == INDEX_NAME:
        path = path.parent
    if not path.is_dir():
        raise UncoverError(f"--data {text}: no such folder")
    return path
