"""`python -m tests.faults.ray_worker`: a local Ray of two workers, one of them killed midway.

Needs the extra `scale` and psutil. The networks are stand-ins: what is tried is that no photo
is lost and none is there twice.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import signal
import tarfile
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

import psutil

from tests.uncover.scale.scenes import masked, uncover
from uncover.scale import Uncover, Work, find_shards, run_with_ray


class Slow(Work):
    """Stand-ins, slow enough to be killed."""

    def worker(self) -> Uncover:
        """Waits a moment before each block."""
        worker = uncover(self.column)
        outcomes = worker.outcomes

        def slowly(photos, names=None):  # type: ignore[no-untyped-def]
            time.sleep(0.5)
            return outcomes(photos, names)

        worker.outcomes = slowly  # type: ignore[method-assign]
        return worker


def make(folder: Path, photos: int) -> None:
    """Half of the photos in a folder, half in a tar."""
    folder.mkdir()
    with tarfile.open(folder / "a.tar", "w") as archive:
        for i in range(photos):
            data = masked(i)
            if i % 2:
                (folder / f"{i:06d}.png").write_bytes(data)
            else:
                info = tarfile.TarInfo(f"{i:06d}.png")
                info.size = len(data)
                archive.addfile(info, io.BytesIO(data))


def kill_one(place: Path, killed: list[int]) -> None:
    """Kill a worker that has the networks once a block is done."""
    while not list(place.glob("*.json")):
        time.sleep(0.02)
    for process in psutil.Process().children(recursive=True):
        if "MapWorker" in " ".join(process.cmdline()):
            os.kill(process.pid, signal.SIGKILL)
            killed.append(process.pid)
            return


def main() -> int:
    """Say what came out; 1 when a photo is lost or double, or no worker was killed."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.ray_worker")
    parser.add_argument("--photos", type=int, default=500)
    photos = parser.parse_args().photos
    killed: list[int] = []
    with tempfile.TemporaryDirectory() as top:
        make(Path(top) / "in", photos)
        work = Slow(Path(top) / "out")
        watch = threading.Thread(
            target=kill_one, args=(work.target / ".uncover-scale", killed), daemon=True
        )
        watch.start()
        summary = run_with_ray(work, find_shards(Path(top) / "in"), workers=2)
        lines = (work.target / "uncover.jsonl").read_text().splitlines()
        names = [json.loads(line)["output"] for line in lines]
        names = [name for name in names if (work.target / name).is_file()]
        with tarfile.open(work.target / "a.tar") as archive:
            names += [name for name in archive.getnames() if name.endswith(".png")]
    wanted = {f"{i:06d}.png" for i in range(photos)}
    double = [name for name, count in Counter(names).items() if count > 1]
    lost = wanted - set(names)
    print(f"{photos} photos, {len(killed)} worker killed: {len(lost)} lost, {len(double)} double,")
    print(f"{dict(summary.photos)}, {summary.broken}")
    return int(bool(lost or double or summary.broken or not killed))


if __name__ == "__main__":
    raise SystemExit(main())
