"""What a Space reads: the settings at the top of README.md, and requirements.txt."""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
COLOURS = {"red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray"}
PACKAGES = {
    "PIL": "pillow",
    "cv2": "opencv-python-headless",
    "yaml": "pyyaml",
    "lazy_loader": "lazy-loader",
}
OPTIONAL = {"onnx", "onnxruntime", "openvino", "pyarrow", "ray"}
"""Imported only by what the page does not use."""


@pytest.fixture(scope="module")
def settings() -> dict[str, object]:
    return yaml.safe_load((ROOT / "README.md").read_text("utf-8").split("---")[1])


@pytest.fixture(scope="module")
def required() -> dict[str, Requirement]:
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    parsed = [Requirement(line) for line in lines if line and not line.startswith("#")]
    return {entry.name.lower().replace("_", "-"): entry for entry in parsed}


def test_settings_are_what_the_hub_takes(settings: dict[str, object]) -> None:
    assert settings["sdk"] == "gradio"
    assert (ROOT / str(settings["app_file"])).is_file()
    assert {settings["colorFrom"], settings["colorTo"]} <= COLOURS
    assert 0 < len(str(settings["short_description"])) <= 60
    assert settings["license"] == "apache-2.0"
    assert settings["tags"]
    for key in ("title", "emoji", "pinned", "suggested_hardware"):
        assert key in settings, key


def test_versions_agree(settings: dict[str, object], required: dict[str, Requirement]) -> None:
    tested = str(settings["sdk_version"])
    major, minor, _ = (int(part) for part in tested.split("."))
    assert required["gradio"].specifier.contains(tested)
    for other in (f"{major}.{minor - 1}.0", f"{major + 1}.0.0"):
        assert not required["gradio"].specifier.contains(other), other
    project = (ROOT / "pyproject.toml").read_text()
    assert f'requires-python = ">={settings["python_version"]}"' in project
    assert str(settings["sdk_version"]) in (ROOT / "docs" / "space.md").read_text()


def test_requirements_name_what_the_page_imports(required: dict[str, Requirement]) -> None:
    files = [ROOT / "app.py", *(ROOT / "page").rglob("*.py"), *(ROOT / "uncover").rglob("*.py")]
    names = set()
    for file in files:
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                names |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                names.add(str(node.module).split(".")[0])
    names -= set(sys.stdlib_module_names) | {"page", "uncover", "app"} | OPTIONAL
    packages = {PACKAGES.get(name, re.sub("_", "-", name.lower())) for name in names}
    assert packages <= required.keys()
