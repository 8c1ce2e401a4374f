"""What commands say: lines for people, on streams that may be narrow or closed."""

from __future__ import annotations

import contextlib
import io
import logging
import os
import sys
from collections.abc import Iterator


@contextlib.contextmanager
def speaking() -> Iterator[None]:
    """While commands run: any name can be printed, a closed pipe ends nothing, warnings of
    `uncover` are lines."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    log, handler = logging.getLogger("uncover"), _Lines(logging.WARNING)
    log.addHandler(handler)
    try:
        yield
    finally:
        log.removeHandler(handler)
        with _whoever_listens():
            sys.stdout.flush()


def tell(text: str) -> None:
    """A result, on standard output."""
    with _whoever_listens():
        print(text, flush=True)


def say(line: str) -> None:
    """A line for people, on standard error."""
    with contextlib.suppress(BrokenPipeError):
        print(line, file=sys.stderr, flush=True)


def complain(line: str) -> None:
    """What is wrong and what to do, on one line."""
    say(f"error: {' '.join(line.split())}")


@contextlib.contextmanager
def _whoever_listens() -> Iterator[None]:
    """Where the reader of a pipe has ended, what is still to be said goes nowhere."""
    try:
        yield
    except BrokenPipeError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


class _Lines(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        say(f"warning: {record.getMessage()}")
