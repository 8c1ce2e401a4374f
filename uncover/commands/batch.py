"""Many photos: reading, computing and writing overlap, and a broken-off run can be gone on with."""

from __future__ import annotations

import contextlib
import hashlib
import json
import threading
from collections import deque
from collections.abc import Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

from uncover.commands.jobs import NOTHING, ByHand, Outcome, fill, read, write
from uncover.commands.places import Job
from uncover.images import Photo
from uncover.pipeline import Uncoverer
from uncover.results import Result, sample_paths

JOURNAL = ".uncover-progress.jsonl"
AHEAD = 2  # photos that are read ahead, and that may wait to be written
WRITERS = 2  # lossless formats take longer to write than a photo takes to fill


class Journal:
    """Which photos of an unfinished run are done: a line of JSON each, in the folder of the result.

    A line counts while the photo is as it was, the result lies there, and the run is meant the
    same. Photos that failed are tried again. A finished run leaves no journal.

    Args:
        meant: what the results depend on besides the photos; plain values.
        samples: answers per photo, each a file; a photo of which one is gone is not done.
    """

    def __init__(self, meant: dict[str, Any], samples: int = 1) -> None:
        text = json.dumps(meant, sort_keys=True, default=str)
        self.meant = hashlib.sha256(text.encode()).hexdigest()[:16]
        self.samples = samples
        self.lock = threading.Lock()
        self.files: set[Path] = set()
        self.made: set[Path] = set()

    def before(self, jobs: Sequence[Job]) -> dict[Job, Outcome]:
        """What earlier, interrupted runs did of these jobs."""
        lines: dict[Path, dict[str, dict[str, Any]]] = {}
        done: dict[Job, Outcome] = {}
        for job in jobs:
            folder = job.target.parent
            if folder not in lines:
                lines[folder] = self._lines(folder / JOURNAL)
            line = lines[folder].get(str(job.source.resolve()))
            known = line is not None and line["state"] and line["state"] == state_of(job)
            if job.problem is not None or line is None or not known:
                continue
            files = sample_paths(job.target, self.samples)
            if line["status"] != "filled" or all(path.is_file() for path in files):
                done[job] = Outcome(job, line["status"], line["message"], line["details"])
        return done

    def add(self, outcome: Outcome, state: list[int]) -> None:
        """Note a photo that is done; may be called from several threads.

        Args:
            state: of the photo before it was read, as `state_of` gives it.
        """
        job = outcome.job
        if outcome.status == "failed":
            return
        line = {
            "meant": self.meant,
            "source": str(job.source.resolve()),
            "state": state,
            "status": outcome.status,
            "message": outcome.message,
            "details": outcome.details,
        }
        path = job.target.parent / JOURNAL
        with self.lock, contextlib.suppress(OSError):  # without it the run is only not resumable
            if not path.parent.exists():
                path.parent.mkdir(parents=True)
                self.made.add(path.parent)
            self.files.add(path)
            with path.open("a", encoding="utf-8") as stream:
                stream.write(json.dumps(line) + "\n")

    def remove(self) -> None:
        """Forget everything: the run is finished."""
        for path in self.files:
            path.unlink(missing_ok=True)
        for folder in self.made:
            with contextlib.suppress(OSError):
                folder.rmdir()  # no result came into it

    def _lines(self, path: Path) -> dict[str, dict[str, Any]]:
        found: dict[str, dict[str, Any]] = {}
        try:
            text = path.read_text(encoding="utf-8", errors="replace")
        except OSError:
            return found
        self.files.add(path)
        for row in text.splitlines():
            try:
                line = json.loads(row)
                if line["meant"] == self.meant:
                    found[line["source"]] = line
            except (ValueError, KeyError, TypeError):
                continue  # the last line of a run that was killed
        return found


def run_all(
    jobs: Sequence[Job],
    uncoverer: Uncoverer | None,
    by_hand: ByHand = NOTHING,
    journal: Journal | None = None,
) -> Generator[Outcome]:
    """Do the jobs in order: while one photo is computed, the next are read and others written.

    At most a handful of photos are in memory at a time. When the iterator is closed or the work is
    interrupted, photos that are painted already are still written and noted.

    Args:
        jobs: what to do.
        uncoverer: None only when every job has a problem.
        by_hand: a mask made by hand, or one to write; for one job.
        journal: is told of each photo when it is done.
    """
    todo = iter(jobs)
    readers = ThreadPoolExecutor(1, thread_name_prefix="read")
    writers = ThreadPoolExecutor(WRITERS, thread_name_prefix="write")
    reading: deque[tuple[Job, Future[tuple[list[int], Photo | Outcome]]]] = deque()
    writing: deque[Future[Outcome]] = deque()

    def read_ahead() -> None:
        job = next(todo, None)
        if job is not None:
            reading.append((job, readers.submit(begin, job)))

    def begin(job: Job) -> tuple[list[int], Photo | Outcome]:
        return state_of(job), read(job)  # in this order: who changes the photo later is noticed

    def finish(job: Job, painted: Result | Outcome, state: list[int]) -> Outcome:
        outcome = painted if isinstance(painted, Outcome) else write(job, painted, by_hand)
        if journal is not None:
            journal.add(outcome, state)
        return outcome

    try:
        for _ in range(AHEAD):
            read_ahead()
        while reading:
            job, coming = reading.popleft()
            state, opened = coming.result()
            read_ahead()
            if isinstance(opened, Outcome):
                painted: Result | Outcome = opened
            else:
                assert uncoverer is not None
                painted = fill(job, opened, uncoverer, by_hand)
            writing.append(writers.submit(finish, job, painted, state))
            del opened, painted, coming
            while len(writing) > AHEAD or (writing and writing[0].done()):
                yield writing.popleft().result()
        while writing:
            yield writing.popleft().result()
    finally:
        readers.shutdown(cancel_futures=True)
        writers.shutdown()  # what is painted is not thrown away


def state_of(job: Job) -> list[int]:
    """Size and time of change of the photo; [] when it is gone."""
    try:
        found = job.source.stat()
    except OSError:
        return []
    return [found.st_size, found.st_mtime_ns]
