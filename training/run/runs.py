"""Small parts that all loops share: the schedule, Ctrl-C, the command line."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

from training.run.commands import command_parser, run_to_exit
from training.run.config import load_settings
from training.run.sources import data_source
from uncover.faces import MANIFEST_NAME, write_drawn_faces

T = TypeVar("T")


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


@contextmanager
def handlers_kept() -> Iterator[None]:
    """Whoever heard of Ctrl-C and terminations before hears of them again after the block."""
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [(number, signal.getsignal(number)) for number in numbers]
    try:
        yield
    finally:
        for number, handler in before:
            with suppress(ValueError):  # not the main thread, which alone may set them
                signal.signal(number, handler or signal.SIG_DFL)


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
        with handlers_kept():
            train(
                settings,
                data,
                args.out,
                resume=args.resume,
                init=args.init,
                max_minutes=args.max_minutes,
            )

    return run_to_exit(work)
