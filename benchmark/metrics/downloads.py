"""Fetching published network weights without hanging where there is no network."""

from __future__ import annotations

import contextlib
import io
import socket
from collections.abc import Iterator


@contextlib.contextmanager
def fetching(seconds: float = 20.0) -> Iterator[None]:
    """Within it, a connection that stays silent for `seconds` fails, and progress is not shown."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(seconds)
    try:
        quiet = io.StringIO()
        with contextlib.redirect_stderr(quiet), contextlib.redirect_stdout(quiet):
            yield
    finally:
        socket.setdefaulttimeout(before)
