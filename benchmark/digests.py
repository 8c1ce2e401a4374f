"""Names of what a kept value was computed from: parts, and the code itself."""

from __future__ import annotations

import hashlib
from pathlib import Path


def digest(*parts: object) -> str:
    """32 hex digits that name the given parts."""
    joined = "\0".join(str(part) for part in parts).encode()
    return hashlib.sha256(joined).hexdigest()[:32]


def code_digest(*files: Path | str) -> str:
    """32 hex digits that change with the text of any of these source files."""
    return digest(*(Path(file).read_text(encoding="utf-8") for file in files))
