"""What the package's commands have in common: how they are parsed, and errors of one line."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from importlib import import_module
from typing import NoReturn

from uncover.errors import UncoverError, no_room

EXTRAS = {
    "accelerate": "train",
    "psutil": "shards",
    "pycocotools": "train",
    "tensorboard": "train",
    "webdataset": "shards",
}
"""Which extra of this project brings a package that not everybody installs."""


def start(module: str) -> NoReturn:
    """Run `main` of a command's module and exit with what it returns.

    A package that is missing is one line that says which extra brings it.
    """
    try:
        main = import_module(module).main
    except ModuleNotFoundError as error:
        extra = EXTRAS.get((error.name or "").split(".")[0])
        if extra is None:
            raise
        need = f"this command needs the package {error.name}"
        sys.exit(f"error: {need}: python -m pip install -e '.[{extra}]'")
    sys.exit(main())


def command_parser(module: str, description: str | None) -> argparse.ArgumentParser:
    """A parser for `python -m MODULE` that shows the module's docstring as it is written."""
    return argparse.ArgumentParser(
        prog=f"python -m {module}",
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def run_to_exit(work: Callable[[], object], stopped: str = "error: stopped") -> int:
    """Do the work; returns the exit status: 0, 1 after an error of the user's, 130 after Ctrl-C.

    Both are told in one line on stderr; `stopped` is the latter.
    """
    try:
        work()
    except UncoverError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"error: {no_room(error)}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(stopped, file=sys.stderr)
        return 130
    return 0
