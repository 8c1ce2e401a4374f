"""What `kills` and `disks` do alike: try out each command that is asked for, and tell."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from tests.faults.commands import COMMANDS, Command


class Found(Protocol):
    """What became of a command."""

    faults: list[str]


def try_each(
    name: str,
    words: str,
    times: str,
    meaning: str,
    try_out: Callable[[Command, int, Path, int], Found],
) -> int:
    """Read the command line, try out each command, print what was found; 1 where that is anything.

    name, words: of this module, for its help. times: the option that says how often, and its
    meaning.
    """
    parser = argparse.ArgumentParser(prog=f"python -m {name}", description=words)
    parser.add_argument(f"--{times}", type=int, default=20, help=meaning, dest="times")
    parser.add_argument("--only", nargs="+", choices=COMMANDS, default=list(COMMANDS))
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    found = 0
    for each in options.only:
        with tempfile.TemporaryDirectory() as folder:
            command = COMMANDS[each]()
            report = try_out(command, options.times, Path(folder) / "top", options.seed)
            command.close()
        print(report, flush=True)
        found += len(report.faults)
    return int(found > 0)
