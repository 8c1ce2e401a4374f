"""Fixtures of the tests of the command line."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from tests.uncover.cli_scene import SCENE, SceneDetector
from tests.uncover.fake_networks import make
from uncover.pipeline import Uncoverer


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    """Stand-ins instead of weights; what `from_pretrained` was asked for."""
    seen: dict[str, object] = {"detector": SceneDetector()}

    def from_pretrained(source: str | None = None, **options: object) -> Uncoverer:
        seen.update(source=source, **options)
        names = ("blend", "fill_chin", "fill_any", "min_score", "samples")
        uncoverer = make(**{name: options[name] for name in names})
        uncoverer.detector = seen["detector"]  # type: ignore[assignment]
        return uncoverer

    monkeypatch.setattr(Uncoverer, "from_pretrained", staticmethod(from_pretrained))
    return seen


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """The drawn photo as a file, alone in its folder."""
    Image.fromarray(SCENE).save(tmp_path / "photo.png")
    return tmp_path / "photo.png"
