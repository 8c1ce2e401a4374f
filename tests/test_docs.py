"""README and docs name only what is there: links, files and commands."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), ROOT / "weights" / "README.md"])
TOLD = ROOT / "docs" / "history.md"  # tells of commands that are gone
PACKAGES = "uncover|training|benchmark|page|tests|assets"


def ids(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("page", PAGES, ids=ids)
def test_links_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#\s]+)", page.read_text())
    local = [target for target in targets if "://" not in target]
    assert [target for target in local if not (page.parent / target).exists()] == []


@pytest.mark.parametrize("page", [p for p in PAGES if p != TOLD], ids=ids)
def test_files_and_modules_that_are_named_are_there(page: Path) -> None:
    text = page.read_text()
    files = re.findall(rf"`((?:{PACKAGES})/[\w./]*)`", text)
    assert [name for name in files if not (ROOT / name).exists()] == []
    modules = set(re.findall(r"python3? -m ([a-z_][\w.]*\w)", text)) - {"pip", "venv"}
    if page.name not in ("CHANGELOG.md", "results.md"):  # they tell of what is gone, too
        modules |= set(re.findall(r"`((?:training|benchmark|page)\.[a-z_]+)`", text))
    assert [name for name in modules if importlib.util.find_spec(name) is None] == []


def test_the_index_names_every_page() -> None:
    index = (ROOT / "docs" / "index.md").read_text()
    pages = {page.name for page in (ROOT / "docs").glob("*.md")} - {"index.md"}
    assert pages == {name for name in pages if f"({name})" in index}


def test_a_walk_from_photo_to_painted_pixels_opens_at_most_nine_files() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text()
    walk = re.findall(r"^\d+\. `([\w/]+\.py)`", page, re.MULTILINE)
    assert walk[0] == "uncover/pipeline.py"
    assert len(walk) <= 9
