"""The Dockerfile and what it leaves out, read: building it needs a builder and a network."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

from tests.page.test_wheel import PARTS

ROOT = Path(__file__).resolve().parents[1]
LINES = re.sub(r"\\\n", " ", (ROOT / "Dockerfile").read_text()).splitlines()
STEPS = [tuple(line.split(maxsplit=1)) for line in LINES if line and not line.startswith("#")]


def test_it_runs_the_page_as_nobody_special() -> None:
    users = [rest for word, rest in STEPS if word == "USER"]
    assert users
    assert users[-1] not in ("root", "0")
    command = json.loads(dict(STEPS)["CMD"])
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    assert command[0] in scripts
    assert command[command.index("--port") + 1] == dict(STEPS)["EXPOSE"]
    assert [word for word, _ in STEPS].index("USER") < [word for word, _ in STEPS].index("CMD")


def test_what_the_wheel_is_built_of_goes_in_and_nothing_else() -> None:
    lines = (ROOT / ".dockerignore").read_text().split()
    assert lines[0] == "*"
    assert {line[1:] for line in lines if line.startswith("!")} == set(PARTS)


def test_torch_and_torchvision_come_from_one_index() -> None:
    (install,) = [rest for word, rest in STEPS if word == "RUN" and "--index-url" in rest]
    assert {"torch", "torchvision"} <= set(install.split())
