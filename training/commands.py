"""What the package's commands have in common: how they are parsed, and errors of one line."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable

from uncover.errors import UncoverError


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
    except KeyboardInterrupt:
        print(stopped, file=sys.stderr)
        return 130
    return 0
