"""`python -m tests.faults.kills --kills 20`: commands killed with SIGKILL, and gone on with.

Each command runs once undisturbed, and may then ask no network. After that it is killed, gone on
with and killed again, by turns at a random moment (of CPU time) and right before a random change to
its files, until it ends; what it made must then be the same to the last bit. That is done again
until there were enough kills. After each kill no file that has its final name may be half.
"""

from __future__ import annotations

import random
import re
import time
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from tests.faults.child import Child, counted, enter, leave, start, told_of_connections
from tests.faults.commands import Command, Served
from tests.faults.each import try_each
from tests.faults.files import broken, differences, leftovers

TRIES = 60
"""Kills of one run until it is let go on: a moment that always comes too early is no test."""


@dataclass
class Report:
    """What became of a command. seconds (of CPU), changes: of the run that was not disturbed."""

    name: str
    seconds: float = 0.0
    changes: int = 0
    kills: int = 0
    finished: int = 0
    faults: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        told = f"{self.name:<10} {self.kills:>3} kills, {self.finished} runs ended the same"
        told += f" ({self.seconds:.1f} s of CPU and {self.changes} changes undisturbed)"
        return "\n  ".join([told, *self.faults])


def run(command: Command, top: Path, kill_before: int | None, told: Connection) -> None:
    """In the child."""
    enter(top, told)
    told_of_connections()
    seen, began = counted(top / "work", kill_before), time.process_time()

    def work() -> int:
        code = command.run()
        print(f"took: {time.process_time() - began:.3f} s, {seen[0]} changes")
        return code

    leave(work)


def undisturbed(command: Command, top: Path, report: Report) -> dict[str, Any]:
    """Run it whole; what it made."""
    command.reset(top)
    child = start(run, command, top, None)
    if code := child.end():
        raise SystemExit(f"{command.name} ends with {code}:\n{child.text()}")
    if "network:" in child.text() and not isinstance(command, Served):
        raise SystemExit(f"{command.name} asks the network:\n{child.text()}")
    seconds, changes = re.findall(r"took: ([\d.]+) s, (\d+) changes", child.text())[-1]
    report.seconds, report.changes = float(seconds), int(changes)
    return command.found(top)


def kill_one(command: Command, top: Path, report: Report, draw: random.Random) -> tuple[Child, int]:
    """Start it and kill it, unless it ends before."""
    if report.kills % 2:
        child = start(run, command, top, draw.randint(1, report.changes))
        return child, child.end()
    child = start(run, command, top, None)
    child.kill_after(draw.uniform(0, report.seconds))
    return child, child.end()


def try_out(command: Command, kills: int, top: Path, seed: int = 0) -> Report:
    """Kill it so often; what was found."""
    draw, report = random.Random(seed), Report(command.name)
    (top / "in").mkdir(parents=True)
    command.make(top)
    wanted = undisturbed(command, top, report)
    while report.kills < kills and not report.faults:
        command.reset(top)
        for _ in range(TRIES):
            child, code = kill_one(command, top, report, draw)
            if code == -9:
                report.kills += 1
            where = f"after kill {report.kills}"
            report.faults += [f"{where}: {fault}" for fault in broken(top / "work" / "out")]
            if child.orphans():
                report.faults.append(f"{where}: its processes live on")
            if code != -9 or report.faults or report.kills >= kills:
                break
        if code == -9 and not report.faults:  # enough: let it end
            child = start(run, command, top, None)
            code = child.end()
        if code > 0:
            report.faults.append(f"{where} it ends with {code}: {child.text()[-1500:]}")
        found = command.found(top)
        report.faults += [f"{where}: {fault}" for fault in differences(found, wanted)]
        report.faults += [f"{where} is left: {n}" for n in leftovers(top / "work" / "out")]
        report.finished += not report.faults
    return report


if __name__ == "__main__":
    raise SystemExit(try_each("tests.faults.kills", __doc__, "kills", "of each command", try_out))
