from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


def test_large_blocks_go_back_to_the_system() -> None:
    code = (
        "import numpy as np; from page.visit.memory import return_large_blocks as f; print(f());"
        "a = [np.ones(3_000_000, np.uint8) for _ in range(100)];"
        "rss = lambda: int(open('/proc/self/statm').read().split()[1]) * 4096 / 2**20;"
        "full = rss(); del a[::2]; print(full - rss())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    supported, freed = done.stdout.split()
    if supported == "False":
        pytest.skip("another C library")
    assert float(freed) > 120
