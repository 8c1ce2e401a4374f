"""How PyTorch's CPU threads wait for each other; to be said before PyTorch is imported."""

from __future__ import annotations

import os

SPINS = "10000"  # rounds in which a waiting thread looks again before it sleeps


def wait_briefly() -> None:
    """Have OpenMP's threads (GNU's, which PyTorch's Linux wheels bring) sleep sooner.

    By default a thread that waits for the others keeps its core busy for milliseconds. Where
    another program wants that core too, the thread it waits for then gets no turn: on two cores
    that other work shared a photo of 50 faces took 74 s, and 10 to 19 s with fewer rounds, while
    idle cores were as fast with as without. What the user has set stays.
    """
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", SPINS)
