"""How the page ends when it is told to (SIGTERM): what runs is finished, nothing more is begun."""

from __future__ import annotations

import sys
import time
from typing import NoReturn

import gradio as gr

LONGEST = 60.0
"""Seconds that running photos get."""
FETCH = 2.0
"""Seconds after the last one, in which visitors still fetch their pictures."""


def finish(page: gr.Blocks, longest: float = LONGEST, fetch: float = FETCH) -> NoReturn:
    """Refuse newcomers, begin no photo that waits, let those that run end, and exit with 0.

    Who waits, or comes later, is told by the browser that the connection is lost.
    """
    queue = page._queue
    queue.max_size = 0
    for waiting in queue.event_queue_per_concurrency_id.values():
        waiting.concurrency_limit = 0
    until = time.monotonic() + longest
    ran = any(queue.active_jobs)
    while any(queue.active_jobs) and time.monotonic() < until:
        time.sleep(0.05)
    if ran:
        time.sleep(fetch)
    sys.exit(0)
