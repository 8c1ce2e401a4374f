"""`python -m tests.fuzz --inputs 50000`: damaged files, nightly; prints what became of them."""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
import warnings
from pathlib import Path

from tests.fuzz.inputs import run

MOST_MIB, MOST_SECONDS, STEP = 2048, 10.0, 1000


def main() -> int:
    """Read them all; 1 when too much memory or time was taken."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--inputs", type=int, default=50_000)
    parser.add_argument("--first", type=int, default=0, help="number of the first input")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    totals: dict[str, tuple[int, int]] = {}
    slowest, began = 0.0, time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        for first in range(options.first, options.first + options.inputs, STEP):
            start = time.process_time()
            count = min(STEP, options.first + options.inputs - first)
            for name, (taken, refused) in run(Path(folder), first, count).items():
                before = totals.get(name, (0, 0))
                totals[name] = before[0] + taken, before[1] + refused
            slowest = max(slowest, time.process_time() - start)
    for name, (taken, refused) in totals.items():
        print(f"{name}: {taken} read, {refused} refused in one line")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    spent = time.process_time() - began
    print(f"{options.inputs} inputs, {spent:.0f} s of CPU, peak {peak:.0f} MiB;", end=" ")
    print(f"slowest {STEP} together {slowest:.1f} s of CPU")
    return int(peak > MOST_MIB or slowest > MOST_SECONDS * STEP)


if __name__ == "__main__":
    raise SystemExit(main())
