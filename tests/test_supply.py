"""What the Space installs: every package by version and hash, and the same ones in the SBOM."""

from __future__ import annotations

import json
import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
LOCK = (ROOT / "requirements.lock").read_text("utf-8")


def name_of(text: str) -> str:
    """A package's name as PyPI compares it."""
    return re.sub(r"[-_.]+", "-", text).lower()


def locked() -> dict[str, str]:
    """Each package of the lock file and the line that says where it comes from."""
    lines = re.findall(r"^([A-Za-z0-9._-]+)(?:==| @ )(\S+)", LOCK, re.M)
    return {name_of(name): version for name, version in lines}


def test_every_package_is_locked_with_a_hash() -> None:
    entries = re.split(r"^(?=[A-Za-z0-9])", LOCK, flags=re.M)[1:]
    assert [entry.split()[0] for entry in entries if "--hash=sha256:" not in entry] == []
    assert len(entries) == len(locked())


def test_what_is_asked_for_is_locked() -> None:
    asked = (ROOT / "requirements.txt").read_text("utf-8")
    names = [name_of(name) for name in re.findall(r"^([A-Za-z][A-Za-z0-9._-]*)", asked, re.M)]
    assert [name for name in names if name not in locked()] == []


def test_the_sbom_lists_what_is_locked() -> None:
    parts = json.loads((ROOT / "sbom.cdx.json").read_text("utf-8"))["components"]
    listed = {name_of(part["name"]): part.get("version", "") for part in parts}
    assert listed.keys() == locked().keys()
    assert all(listed[name] in version for name, version in locked().items())
