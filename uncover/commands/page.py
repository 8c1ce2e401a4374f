"""`uncover page`: starts the page, which is a program of its own that stands on `uncover`."""

from __future__ import annotations

import importlib.util
import runpy
import sys
from collections.abc import Sequence

from uncover.commands.speech import complain

PROGRAM, NEEDED = "page", "gradio"


def main(args: Sequence[str]) -> int:
    """Run `python -m page` in this process; returns its exit code."""
    for name in (PROGRAM, NEEDED):
        if importlib.util.find_spec(name) is None:
            complain(f"the page needs {name}, which is not installed: python -m pip install {name}")
            return 1
    sys.argv = ["uncover page", *args]
    try:
        runpy.run_module(PROGRAM, run_name="__main__", alter_sys=True)
    except SystemExit as stop:
        return int(stop.code or 0)
    except KeyboardInterrupt:
        return 0
    return 0
