"""`python -m tests.browser.load`: many people at once on a page of its own, on the loopback.

Starts the page, lets PEOPLE clients send photos of 1 to 12 megapixels for MINUTES, and tells how
many answers came, whether each was the sender's own photo, how long they took, and how the
page's memory went. With `--in-turn N` one client sends N photos one after another instead. No
test: what it prints depends on the machine.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from pathlib import Path

import numpy as np
from gradio_client import Client, handle_file
from PIL import Image

ROOT = Path(__file__).parents[2]
MASKED = ROOT / "assets" / "astronaut_masked.jpg"


def make_photo(path: Path, number: int, megapixels: float) -> Path:
    """The masked portrait somewhere in a noisy picture that no other number has."""
    rng = np.random.default_rng(number)
    width = round((megapixels * 1e6 * 4 / 3) ** 0.5)
    height = round(width * 3 / 4)
    canvas = np.empty((height, width, 3), np.uint8)
    canvas[:] = rng.integers(40, 215, 3)
    canvas[:, ::2] += np.uint8(number)
    face = Image.open(MASKED).convert("RGB")
    side = round(height * rng.uniform(0.4, 0.9))
    face = face.resize((side, side))
    x, y = int(rng.integers(0, width - side)), int(rng.integers(0, height - side))
    canvas[y : y + side, x : x + side] = np.asarray(face)
    Image.fromarray(canvas).save(path, quality=92)
    return path


def memory_mb(pid: int, what: str = "VmRSS") -> float:
    """Resident memory of a process in MiB, now or ("VmHWM") at most so far (Linux)."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{what}:"):
            return int(line.split()[1]) / 1024
    raise ValueError(f"no {what} line")


class Crowd:
    """People who send photos until the time is up."""

    def __init__(self, url: str, photos: list[Path], seconds: float, folder: Path) -> None:
        self.url, self.photos, self.folder = url, photos, folder
        self.until = time.monotonic() + seconds
        self.took: list[float] = []
        self.wrong: list[str] = []
        self.failed: list[str] = []
        self.sent = 0
        self.lock = threading.Lock()

    def person(self, number: int) -> None:
        """Send one photo after the other, own ones first."""
        client = self.client(number)
        turn = number
        while time.monotonic() < self.until:
            self.send(client, self.photos[turn % len(self.photos)])
            turn += 7

    def client(self, number: int) -> Client:
        """One person's own connection, with a folder for what comes back."""
        folder = self.folder / f"person{number}"
        patient = {"timeout": 600}  # a slow answer is slow, not lost
        return Client(self.url, verbose=False, download_files=str(folder), httpx_kwargs=patient)

    def send(self, client: Client, photo: Path) -> None:
        """Send a photo, wait for the answer and compare."""
        began = time.monotonic()
        with self.lock:
            self.sent += 1
        try:
            got, report = client.predict(photo=handle_file(photo), api_name="/uncover")
        except Exception as error:  # every kind of failure is counted, none is let through
            with self.lock:
                self.failed.append(f"{photo.name}: {type(error).__name__}: {error}")
            return
        problem = self._compare(photo, Path(got), report)
        with self.lock:
            self.took.append(time.monotonic() - began)
            if problem:
                self.wrong.append(f"{photo.name}: {problem}")
        Path(got).unlink()

    def in_turn(self, count: int, pid: int) -> list[float]:
        """Send `count` photos one after another; the page's memory in MiB after every tenth."""
        client = self.client(0)
        memory = []
        for number in range(count):
            self.send(client, self.photos[number * 7 % len(self.photos)])
            if number % 10 == 9 or number == count - 1:
                memory.append(memory_mb(pid))
                print(f"{number + 1} photos: {memory[-1]:.0f} MiB", file=sys.stderr)
        return memory

    def all_at_once(self, people: int, pid: int) -> list[float]:
        """Let people send until the time is up; the page's memory in MiB every two seconds."""
        threads = [threading.Thread(target=self.person, args=(i,)) for i in range(people)]
        for thread in threads:
            thread.start()
        memory = []
        while any(thread.is_alive() for thread in threads):
            memory.append(memory_mb(pid))
            time.sleep(2)
        return memory

    @staticmethod
    def _compare(photo: Path, got: Path, report: dict) -> str:
        before = np.asarray(Image.open(photo).convert("RGB"))
        after = np.asarray(Image.open(got).convert("RGB"))
        if before.shape != after.shape:
            return f"came back as {after.shape}"
        changed = int((before != after).any(-1).sum())
        painted = sum(face["painted_pixels"] for face in report["faces"])
        if changed > painted:
            return f"{changed} pixels differ, {painted} were painted"
        return "" if painted else "nothing was painted"


def free_port() -> int:
    """A port of the loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start_page(port: int) -> tuple[subprocess.Popen[bytes], float]:
    """The page as its own process, and the seconds until it answered."""
    environment = os.environ | {
        "GRADIO_SERVER_NAME": "127.0.0.1",
        "GRADIO_SERVER_PORT": str(port),
        "HF_HUB_OFFLINE": "1",
    }
    began = time.monotonic()
    page = subprocess.Popen([sys.executable, "app.py"], cwd=ROOT, env=environment)
    while time.monotonic() - began < 600 and page.poll() is None:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/config", timeout=5).read()
            return page, time.monotonic() - began
        except OSError:
            time.sleep(0.2)
    page.terminate()
    raise SystemExit("the page ended, or did not answer within ten minutes")


def main(argv: list[str] | None = None) -> int:
    """Run the crowd and print what happened; 1 when an answer was lost or mixed up."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=20)
    parser.add_argument("--minutes", type=float, default=2.0)
    parser.add_argument("--photos", type=int, default=40)
    parser.add_argument("--in-turn", type=int, metavar="N", help="one person, N photos, no crowd")
    args = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        sizes = np.linspace(1, 12, args.photos)
        photos = [make_photo(folder / f"{i:02d}.jpg", i, s) for i, s in enumerate(sizes)]
        port = free_port()
        page, start_up = start_page(port)
        try:
            crowd = Crowd(f"http://127.0.0.1:{port}", photos, 60 * args.minutes, folder)
            idle = memory_mb(page.pid)
            if args.in_turn:
                memory = crowd.in_turn(args.in_turn, page.pid)
            else:
                memory = crowd.all_at_once(args.people, page.pid)
            peak = memory_mb(page.pid, "VmHWM")
        finally:
            page.terminate()
            page.wait(timeout=30)
    took = np.array(crowd.took or [np.nan])
    report = {
        "start_up_s": round(start_up, 1),
        "sent": crowd.sent,
        "answered": len(crowd.took),
        "failed": crowd.failed,
        "mixed_up": crowd.wrong,
        "seconds_median": round(float(np.median(took)), 2),
        "seconds_p95": round(float(np.percentile(took, 95)), 2),
        "memory_mb_idle": round(idle),
        "memory_mb_first_third": round(max(memory[: max(1, len(memory) // 3)])),
        "memory_mb_last_third": round(max(memory[-max(1, len(memory) // 3) :])),
        "memory_mb_peak": round(peak),
    }
    print(json.dumps(report, indent=2))
    return 1 if crowd.failed or crowd.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
