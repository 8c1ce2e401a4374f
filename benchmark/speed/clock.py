"""Times, peaks of memory, and what this machine can do at most."""

from __future__ import annotations

import os
import platform
import resource
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

MATMUL_SIDE = 1536


def summary(seconds: Sequence[float]) -> dict[str, float]:
    """Median and 95th percentile in milliseconds, and how many runs they are of."""
    return {
        "median_ms": round(1000 * statistics.median(seconds), 3),
        "p95_ms": round(1000 * float(np.percentile(seconds, 95)), 3),
        "runs": len(seconds),
    }


def timed(work: Callable[[], Any]) -> float:
    """Seconds that a call takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def reset_peak() -> bool:
    """Start measuring the peak anew; False where the system cannot (then it is the process's)."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return False
    return True


def peak_mb() -> float:
    """Largest resident memory since `reset_peak`, in MB (10**6 bytes)."""
    try:
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024 / 1e6
    except OSError:
        pass
    largest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return largest / 1e6 if sys.platform == "darwin" else largest * 1024 / 1e6


def matmul_gflops(runs: int = 15, side: int = MATMUL_SIDE) -> float:
    """Float32 rate of a large matrix product on PyTorch's threads, in 1e9 operations a second."""
    import torch

    a, b = torch.rand(side, side), torch.rand(side, side)
    torch.mm(a, b)
    seconds = statistics.median(timed(lambda: torch.mm(a, b)) for _ in range(runs))
    return 2 * side**3 / seconds / 1e9


def set_threads(threads: int) -> None:
    """Hold OpenCV and, where it is loaded, PyTorch to this many threads."""
    import cv2

    cv2.setNumThreads(threads)
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(threads)


def machine() -> dict[str, Any]:
    """What the figures were taken on."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    name = platform.processor() or platform.machine()
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                name = line.partition(":")[2].strip()
                break
    except OSError:
        pass
    found = {"cpu": name, "cores": cores, "system": platform.system().lower()}
    return found | {"python": platform.python_version(), **_versions()}


def _versions() -> dict[str, str]:
    from importlib.metadata import PackageNotFoundError, version

    found = {}
    for package in ("torch", "onnxruntime", "openvino", "opencv-python-headless", "numpy"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
