"""A process forked from one that has used the networks: their threads stay behind in the parent.

PyTorch's OpenMP then waits for ever for threads that are not there, as soon as it wants more than
one. So a forked process works on one thread: servers and pools fork as many as they want to use.
"""

from __future__ import annotations

import os
import sys

_registered = False


def survive_forks() -> None:
    """From now on, processes forked from this one use one thread each. Once is enough."""
    global _registered
    if not _registered and hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=_use_one_thread)
        _registered = True


def _use_one_thread() -> None:
    if torch := sys.modules.get("torch"):
        torch.set_num_threads(1)
    if cv2 := sys.modules.get("cv2"):
        cv2.setNumThreads(0)  # 0, not 1: with 1 OpenCV ends its lost threads, and crashes
