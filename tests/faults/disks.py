"""`python -m tests.faults.disks --times 20`: a disk that fills up, and one that is read-only.

Each command writes to a small file system of its own (tmpfs, in a process that may mount: as root,
or where user namespaces are allowed). Where it is full the command must end with one line and
leave no half file; with more room the same command must end as an undisturbed one does. Without
such rights, no file may grow beyond a few bytes instead, and the read-only folder is left out.
"""

from __future__ import annotations

import ctypes
import os
import random
import resource
import tempfile
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from tests.faults.child import enter, leave, start
from tests.faults.commands import Command
from tests.faults.each import try_each
from tests.faults.files import broken, differences, leftovers
from tests.faults.kills import Report as Undisturbed
from tests.faults.kills import undisturbed

NEWNS, NEWUSER, READ_ONLY, REMOUNT, PRIVATE = 0x20000, 0x10000000, 1, 32, (1 << 18) | 16384
ENOUGH, PAGE = 2**28, 4096
READ_ONLY_DISK = 0
"""The size that stands for a disk of which nothing can be written."""


@dataclass
class Report:
    """What became of a command. refused: runs that ended with one line for want of room."""

    name: str
    runs: int = 0
    refused: int = 0
    faults: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        told = f"{self.name:<10} {self.runs} disks, {self.refused} times refused in one line"
        return "\n  ".join([told, *self.faults])


def _mount(target: Path, flags: int, options: str) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    kind = None if flags & PRIVATE == PRIVATE else b"tmpfs"
    if libc.mount(b"tmpfs", os.fsencode(target), kind, flags, options.encode()):
        raise OSError(ctypes.get_errno(), f"mount {target}")


def own_mounts() -> None:
    """Let this process mount what no other sees. Raises OSError where that is not allowed."""
    libc = ctypes.CDLL(None, use_errno=True)
    user, group = os.getuid(), os.getgid()
    if libc.unshare(NEWNS) == 0:
        _mount(Path("/"), PRIVATE, "")
        return
    if libc.unshare(NEWNS | NEWUSER):
        raise OSError(ctypes.get_errno(), "unshare")
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"0 {user} 1")
    Path("/proc/self/gid_map").write_text(f"0 {group} 1")


def may_mount() -> bool:
    """Whether a child of this process can have file systems of its own."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            own_mounts()
            with tempfile.TemporaryDirectory() as folder:
                _mount(Path(folder), 0, "size=4k")
                ctypes.CDLL(None).umount(os.fsencode(folder))
            code = 0
        finally:
            os._exit(code)
    return os.waitpid(pid, 0)[1] == 0


class Disk:
    """`work`, with so many bytes at most: of all files together, or, without mounts, of each."""

    def __init__(self, work: Path, size: int, mounts: bool) -> None:
        self.work, self.mounts = work, mounts
        if not mounts:
            resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
            return
        own_mounts()
        _mount(work, 0, f"size={max(PAGE, size)},mode=777")
        (work / "tmp").mkdir()
        if size == READ_ONLY_DISK:
            _mount(work, READ_ONLY | REMOUNT, "")

    def grow(self) -> None:
        """Room for everything."""
        if self.mounts:
            _mount(self.work, REMOUNT, f"size={ENOUGH}")
        else:
            unlimited = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
            resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)


def run(
    command: Command, top: Path, size: int, mounts: bool, wanted: dict[str, Any], told: Connection
) -> None:
    """In the child: run it with too little room, then with enough; 0 when all is well."""
    enter(top, told)
    disk = Disk(top / "work", size, mounts)

    def work() -> int:
        out = top / "work" / "out"
        first = command.run()
        print(f"first: {first}", flush=True)
        faults = broken(out)
        disk.grow()
        if code := command.run():
            faults.append(f"with more room it ends with {code}")
        faults += leftovers(out)
        if not command.remote:
            faults += differences(command.found(top), wanted)
        for fault in faults:
            print(f"fault: {fault}")
        return int(bool(faults))

    leave(work)


def try_out(command: Command, times: int, top: Path, seed: int = 0) -> Report:
    """Disks of random sizes, the first of them read-only; what was found."""
    draw, report, mounts = random.Random(seed), Report(command.name), may_mount()
    (top / "in").mkdir(parents=True)
    command.make(top)
    wanted = undisturbed(command, top, Undisturbed(command.name))
    used = [path.stat().st_size for path in (top / "work").rglob("*") if path.is_file()]
    most = sum(used) if mounts else max(used)
    for number in range(times):
        if number == 0 and not mounts:
            continue
        size = READ_ONLY_DISK if number == 0 else draw.randint(1, most)
        command.reset(top)
        child = start(run, command, top, size, mounts, wanted)
        code, said = child.end(), child.text()
        report.runs += 1
        report.refused += "first: 0" not in said
        where = f"{size} of {most} bytes:" if size else "read-only:"
        if "Traceback" in said or code not in (0, 1):
            report.faults.append(f"{where} {said[-1500:]}")
        if command.remote:
            report.faults += [f"{where} {d}" for d in differences(command.found(top), wanted)]
        report.faults += [f"{where} {li}" for li in said.splitlines() if li.startswith("fault:")]
        if report.faults:
            break
    return report


if __name__ == "__main__":
    raise SystemExit(
        try_each("tests.faults.disks", __doc__, "times", "disks for each command", try_out)
    )
