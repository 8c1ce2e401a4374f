"""A command in a process of its own, forked from one that has imported everything already."""

from __future__ import annotations

import multiprocessing
import multiprocessing.forkserver
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

CHANGES = ("open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.symlink", "os.link")
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
PRELOAD = [
    "torch", "accelerate", "tests.faults.commands", "training.gan.loop", "training.segmenter.loop",
    "training.detector.loop", "training.prepare.command", "training.publish.command",
    "benchmark.run.command", "uncover.commands.photos", "uncover.commands.weights",
    "torch.utils.tensorboard", "matplotlib.backends.backend_svg", "tests.benchmark.stand_ins",
]  # fmt: skip


def counted(top: Path, kill_before: int | None = None) -> list[int]:
    """Count from now on what changes under `top`; SIGKILL before one of these changes.

    Returns:
        A list whose only item is the number so far.
    """
    seen, inside = [0], str(top)

    def hook(event: str, given: tuple[Any, ...]) -> None:
        if event not in CHANGES or not isinstance(given[0], (str, os.PathLike)):
            return
        if event == "open" and not given[2] & WRITING:
            return
        if not str(Path(given[0]).absolute()).startswith(inside):
            return
        seen[0] += 1
        if seen[0] == kill_before:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)
    return seen


def told_of_connections() -> None:
    """From now on, say "network: ADDRESS" whenever one is connected to or looked up."""

    def hook(event: str, given: tuple[Any, ...]) -> None:
        if event in ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname"):
            print(f"network: {given[1:] if event == 'socket.connect' else given}", flush=True)

    sys.addaudithook(hook)


def enter(top: Path, told: Connection) -> None:
    """Lead a group of processes, speak into `told`, work in `top` on one thread."""
    import torch

    os.setsid()
    for number, name in ((1, "stdout"), (2, "stderr")):
        os.dup2(told.fileno(), number)
        setattr(sys, name, os.fdopen(number, "w", buffering=1, closefd=False))
    told.close()
    os.chdir(top)
    os.environ["TMPDIR"] = str(top / "work" / "tmp")
    torch.set_num_threads(1)


def leave(work: Callable[[], int]) -> None:
    """Run and end with its exit status."""
    try:
        code = work()
    except SystemExit as stop:
        code = int(stop.code or 0)
    except BaseException:
        traceback.print_exc()
        code = 70
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


@dataclass
class Child:
    """A running command. said: its output, whole once `end` returned."""

    process: BaseProcess
    said: bytes = b""
    reader: threading.Thread | None = None

    def end(self, seconds: float = 600.0) -> int:
        """Its exit status, -9 after SIGKILL; raises TimeoutError when it hangs."""
        self.process.join(seconds)
        if self.process.exitcode is None:
            self.process.kill()
            raise TimeoutError(f"still running after {seconds} s:\n{self.text()}")
        assert self.reader is not None
        self.reader.join(10)
        return int(self.process.exitcode)

    def kill_after(self, seconds: float) -> None:
        """SIGKILL once it has had so much CPU time (Linux), unless it ends before."""
        pid = self.process.pid
        assert pid is not None
        clock = ~pid << 3 | 2  # as clock_getcpuclockid names the clock of a process
        while self.process.exitcode is None:
            try:
                spent = time.clock_gettime(clock)
            except OSError:  # it has ended
                return
            if spent >= seconds:
                self.process.kill()
                return
            time.sleep(0.001)

    def text(self) -> str:
        """What it said so far."""
        return self.said.decode(errors="replace")

    def orphans(self) -> bool:
        """Whether processes that it started are still there after five seconds."""
        assert self.process.pid is not None
        for _ in range(50):
            try:
                os.killpg(self.process.pid, 0)
            except ProcessLookupError:
                return False
            time.sleep(0.1)
        return True


def start(target: Callable[..., None], *given: Any) -> Child:
    """Call `target(*given, told)` in a new process."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOAD)
    before = os.environ.get("OMP_NUM_THREADS")
    os.environ["OMP_NUM_THREADS"] = "1"  # what forks must not have a pool of threads
    try:
        multiprocessing.forkserver.ensure_running()
    finally:
        if before is None:
            del os.environ["OMP_NUM_THREADS"]
        else:
            os.environ["OMP_NUM_THREADS"] = before
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=target, args=(*given, theirs))
    process.start()
    theirs.close()
    child = Child(process)

    def read() -> None:
        try:
            while data := os.read(ours.fileno(), 2**16):
                child.said += data
        except OSError:
            return

    child.reader = threading.Thread(target=read, daemon=True)
    child.reader.start()
    return child
