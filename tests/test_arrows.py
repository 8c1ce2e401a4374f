"""Which package may import which, and which room which: read from every import in the tree."""

from __future__ import annotations

import ast
from collections import defaultdict
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("uncover", "training", "benchmark", "page")
FORBIDDEN = {
    "uncover": {"page", "training", "benchmark", "app", "gradio", "tests"},
    "training": {"page", "benchmark", "app", "gradio", "tests"},
    "benchmark": {"page", "training", "app", "gradio", "tests"},
    "page": {"training", "benchmark", "app", "tests"},
    "app": {"training", "benchmark", "tests"},
}
# Inside `uncover`: the rooms that a room may import, from the files at the top down.
ROOMS = {
    "images": set(),
    "faces": {"images"},
    "crop": {"images", "faces"},
    "masking": {"faces", "crop"},
    "networks": {"images", "faces", "crop"},
    "weights": {"images", "faces", "crop", "networks"},
    "onnx": {"images", "faces", "crop", "networks", "weights"},
    "find": {"images", "faces", "crop", "masking", "networks"},
    "paint": {"images", "faces", "crop", "find", "networks"},
    "scale": {"images", "networks"},
    "scores": set(),
    "commands": {
        "images", "faces", "crop", "networks", "weights", "onnx", "find", "paint", "scale",
        "scores",
    },
}  # fmt: skip
# Importing these must not import PyTorch or another heavy package: the command starts fast.
LIGHT = (
    "uncover", "uncover.pipeline", "uncover.settings", "uncover.results", "uncover.errors",
    "uncover.commands.photos",
)  # fmt: skip
HEAVY = ("torch", "torchvision", "huggingface_hub", "gradio", "lpips", "torchmetrics", "dlib")
MOST_FILES = 14


def imported(tree: ast.AST) -> set[str]:
    """Dotted names of all modules that any import statement in `tree` may reach."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = "." * node.level + (node.module or "")
            names |= {base} | {f"{base}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Call) and node.args:
            called = ast.unparse(node.func)
            first = node.args[0]
            if called in ("__import__", "import_module", "importlib.import_module") and isinstance(
                first, ast.Constant
            ):
                names.add(str(first.value))
    return names - {""}


def sources(owner: str) -> list[Path]:
    path = ROOT / owner
    return sorted(path.rglob("*.py")) if path.is_dir() else [path.with_suffix(".py")]


def imports_of(file: Path) -> set[str]:
    return imported(ast.parse(file.read_text(encoding="utf-8")))


def test_imports_point_one_way_between_packages() -> None:
    wrong = [
        f"{file.relative_to(ROOT)} imports {name}"
        for owner, forbidden in FORBIDDEN.items()
        for file in sources(owner)
        for name in sorted(imports_of(file))
        if name.split(".")[0] in forbidden
    ]
    assert not wrong


def test_imports_point_one_way_between_the_rooms_of_uncover() -> None:
    wrong = []
    for room, allowed in ROOMS.items():
        for file in sources(f"uncover/{room}"):
            reached = {n.split(".")[1] for n in imports_of(file) if n.startswith("uncover.")}
            above = (reached & set(ROOMS)) - allowed - {room}
            wrong += [f"{file.relative_to(ROOT)} imports uncover.{name}" for name in sorted(above)]
    assert not wrong
    assert {path.name for path in (ROOT / "uncover").iterdir() if path.is_dir()} - {
        "__pycache__"
    } == set(ROOMS)


def room_of(name: str) -> str:
    """The innermost folder of a dotted name; a file that lies in no room is a room of its own."""
    parts = name.split(".")
    while len(parts) > 1 and not (ROOT.joinpath(*parts) / "__init__.py").is_file():
        if len(parts) == 2 and ROOT.joinpath(*parts).with_suffix(".py").is_file():
            break
        parts.pop()
    return ".".join(parts)


def rooms_reached() -> dict[str, set[str]]:
    """Room -> the rooms that any import of its files names, those inside functions too."""
    found: dict[str, set[str]] = defaultdict(set)
    for owner in ("uncover", "training", "page"):
        for file in sources(owner):
            if file == ROOT / owner / "__init__.py":  # the front door, not a room behind it
                continue
            here = room_of(".".join(file.relative_to(ROOT).with_suffix("").parts))
            ours = {room_of(n) for n in imports_of(file) if n.split(".")[0] in PACKAGES}
            found[here] |= ours - {here, *PACKAGES}
    return found


def test_no_two_rooms_import_each_other() -> None:
    cycle: list[str] = []
    try:
        TopologicalSorter(rooms_reached()).prepare()
    except CycleError as error:
        cycle = error.args[1]
    assert cycle == []


def test_others_import_from_the_room_not_from_its_files() -> None:
    wrong = []
    for owner in (*PACKAGES, "app"):
        for file in sources(owner):
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if not isinstance(node, ast.ImportFrom) or not node.module:
                    continue
                target = (ROOT / node.module.replace(".", "/")).with_suffix(".py")
                outside = target.parent not in file.parents and target.is_file()
                if outside and (target.parent / "__init__.pyi").exists():
                    wrong.append(f"{file.relative_to(ROOT)}:{node.lineno} imports {node.module}")
    assert not wrong


def test_all_imports_are_absolute() -> None:
    relative = [
        f"{file.relative_to(ROOT)} imports {name}"
        for owner in (*PACKAGES, "app", "tests")
        for file in sources(owner)
        for name in imports_of(file)
        if name.startswith(".")
    ]
    assert not relative


def exporting_files() -> dict[str, str]:
    """Which file a name of a room stands in: {"uncover.crop.FaceCrop": "uncover.crop.geometry"}."""
    found = {}
    for stub in (p for owner in PACKAGES for p in (ROOT / owner).rglob("__init__.pyi")):
        room = ".".join(stub.parent.relative_to(ROOT).parts)
        for node in ast.parse(stub.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ImportFrom):
                found |= {f"{room}.{alias.name}": f"{room}.{node.module}" for alias in node.names}
    return found


def test_nothing_in_uncover_serves_the_page_alone() -> None:
    exported, users = exporting_files(), defaultdict(set)
    for owner in (*PACKAGES, "app"):
        for file in sources(owner):
            for name in imports_of(file):
                users[exported.get(name, name)].add(owner)
    modules = {".".join(f.relative_to(ROOT).with_suffix("").parts) for f in sources("uncover")}
    assert {m for m in modules if users[m] and users[m] <= {"page", "app"}} == set()


def test_every_name_that_a_room_exports_is_there() -> None:
    from importlib import import_module

    for stub in sorted(p for owner in PACKAGES for p in (ROOT / owner).rglob("__init__.pyi")):
        room = import_module(".".join(stub.parent.relative_to(ROOT).parts))
        for node in ast.parse(stub.read_text(encoding="utf-8")).body:
            assert isinstance(node, ast.ImportFrom)
            for alias in node.names:
                assert hasattr(room, alias.name), f"{stub.relative_to(ROOT)}: {alias.name}"


def test_no_room_is_crowded() -> None:
    for owner in PACKAGES:
        for folder in {file.parent for file in sources(owner)}:
            count = len(list(folder.glob("*.py")))
            assert count <= MOST_FILES, f"{folder.relative_to(ROOT)} holds {count} files"


@pytest.mark.parametrize("name", LIGHT)
def test_light_modules_load_nothing_heavy(name: str) -> None:
    import subprocess
    import sys

    code = f"import sys, {name}; print(*(set(sys.modules) & set({HEAVY!r})))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == []


@pytest.mark.parametrize(
    ("code", "names"),
    [
        ("import a.b, c", {"a.b", "c"}),
        ("def f():\n    from a.b import c", {"a.b", "a.b.c"}),
        ("from . import x", {".", "..x"}),
        ("import_module('gradio.themes')", {"gradio.themes"}),
        ("x = 'import gradio'", set()),
    ],
)
def test_the_reader_of_imports_sees_every_kind(code: str, names: set[str]) -> None:
    assert imported(ast.parse(code)) == names
