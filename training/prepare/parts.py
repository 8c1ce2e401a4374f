"""Chunks of work of `training.prepare`: measured by a pool, each kept in a file of its own."""

from __future__ import annotations

import json
import multiprocessing
import multiprocessing.connection
import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, CancelledError, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict
from multiprocessing.synchronize import Event
from pathlib import Path

import cv2
import torch

from training.prepare.measure import Measured, MeasureSettings, measure_chunk
from training.prepare.readers import SourceItem
from uncover.atomic import write_atomically
from uncover.errors import UncoverError

Job = tuple[Path, list[SourceItem], MeasureSettings]


class Pool:
    """Measures chunks, at most two per worker in flight, and writes each one's part as it ends."""

    def __init__(self, workers: int) -> None:
        self.workers = workers
        self.executor: ProcessPoolExecutor | None = None
        self.context = multiprocessing.get_context("spawn")
        self.stop = self.context.Event()
        self.pending: dict[Future[Measured], tuple[Path, str, int]] = {}

    def __enter__(self) -> Pool:
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop.set()  # chunks in flight end at their next picture
        if self.executor is not None:
            self.executor.shutdown(wait=True, cancel_futures=True)

    def submit(self, path: Path, key: str, job: Job) -> Iterator[int]:
        """Start a chunk whose part goes to `path`; yields the sizes of chunks that ended."""
        if self.workers == 1:
            save_part(path, key, measure_chunk(*job))
            yield len(job[1])
            return
        if self.executor is None:  # started late: a finished run that is asked again needs none
            self.executor = ProcessPoolExecutor(
                self.workers, self.context, initializer=_start_worker, initargs=(self.stop,)
            )
        while len(self.pending) >= 2 * self.workers:
            yield from self._collect()
        self.pending[self.executor.submit(_measure_until_stopped, *job)] = (path, key, len(job[1]))

    def drain(self) -> Iterator[int]:
        """Wait for all chunks; yields their sizes as they end."""
        while self.pending:
            yield from self._collect()

    def _collect(self) -> Iterator[int]:
        finished, _ = wait(self.pending, return_when=FIRST_COMPLETED)
        for future in finished:
            path, key, size = self.pending.pop(future)
            try:
                part = future.result()
            except BrokenProcessPool as error:
                raise UncoverError(
                    "a worker process died (out of memory?); run again to go on, "
                    "with fewer --workers"
                ) from error
            save_part(path, key, part)
            yield size


_stop: Event | None = None  # of this worker process, set by the parent


def _measure_until_stopped(
    root: Path, items: list[SourceItem], settings: MeasureSettings
) -> Measured:
    def watched() -> Iterator[SourceItem]:
        for item in items:
            if _stop is not None and _stop.is_set():
                raise CancelledError
            yield item

    return measure_chunk(root, watched(), settings)


def _start_worker(stop: Event) -> None:
    """Leave Ctrl-C to the parent, use one thread, and end when the parent is gone."""
    global _stop
    _stop = stop
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    parent = multiprocessing.parent_process()

    def end_with_parent() -> None:
        if parent is not None:
            multiprocessing.connection.wait([parent.sentinel])
            os._exit(1)

    threading.Thread(target=end_with_parent, daemon=True).start()


def part_path(parts: Path, index: int) -> Path:
    """Where the part of chunk `index` lies."""
    return parts / f"{index:07d}.json"


def save_part(path: Path, key: str, part: Measured) -> None:
    """Keep a part under the signature `key` of what it was made from; put in place at once."""
    text = json.dumps({"key": key, **asdict(part)})
    try:
        write_atomically(path, text.encode())
    except OSError as error:
        raise UncoverError(f"cannot write {path}: {error.strerror}") from error


def load_part(path: Path, key: str | None) -> Measured | None:
    """A kept part; None if it is absent, cut short, or made from something else than `key`."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if not isinstance(content, dict) or (key is not None and content.get("key") != key):
        return None
    return Measured(content["rows"], content["hashes"], content["failures"])
