"""Which commit of the code runs, once for weights and benchmark."""

from __future__ import annotations

import subprocess
from pathlib import Path


def git_revision() -> str | None:
    """The commit of the code, 40 hex digits, with "-dirty" if files differ from it; None outside a
    checkout of its own, as when it was installed."""
    root = Path(__file__).resolve().parents[1]
    if not (root / ".git").exists():
        return None
    describe = ["git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=40"]
    words = [*describe, "--exclude=*"]
    try:
        done = subprocess.run(words, capture_output=True, text=True, check=True, timeout=20)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() or None
