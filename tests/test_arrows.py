"""app -> uncover; benchmark -> uncover; training -> uncover; never back or across."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FORBIDDEN = {
    "uncover": {"page", "training", "benchmark", "app", "gradio", "tests"},
    "training": {"page", "benchmark", "app", "gradio", "tests"},
    "benchmark": {"page", "training", "app", "gradio", "tests"},
    "app.py": {"training", "benchmark", "tests"},
    "page": {"training", "benchmark", "tests"},
}
# The modules that must start fast: PyTorch only inside functions.
LIGHT = (
    "__init__", "__main__", "alignment", "answers", "batch", "cli", "compositing", "errors",
    "geometry", "images", "jobs", "photo", "pipeline", "provenance", "regions", "results",
    "settings", "tasks",
)  # fmt: skip
HEAVY = {"torch", "torchvision", "huggingface_hub", "gradio", "lpips", "torchmetrics", "dlib"}


def imported(tree: ast.AST, package: str = "") -> set[str]:
    """Names of the top-level packages that any import statement in `tree` reaches."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add((node.module or "").split(".")[0] if node.level == 0 else package)
        elif isinstance(node, ast.Call) and node.args:
            called = ast.unparse(node.func)
            first = node.args[0]
            if called in ("__import__", "import_module", "importlib.import_module") and isinstance(
                first, ast.Constant
            ):
                names.add(str(first.value).split(".")[0])
    return names - {""}


def sources() -> list[tuple[str, Path]]:
    found = []
    for owner in FORBIDDEN:
        path = ROOT / owner
        files = sorted(path.rglob("*.py")) if path.is_dir() else [path] if path.exists() else []
        found += [(owner, file) for file in files]
    return found


@pytest.mark.parametrize(
    ("owner", "file"), sources(), ids=lambda v: v.name if isinstance(v, Path) else v
)
def test_imports_point_one_way(owner: str, file: Path) -> None:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    wrong = imported(tree, owner) & FORBIDDEN[owner]
    assert not wrong, f"{file.relative_to(ROOT)} imports {', '.join(sorted(wrong))}"


@pytest.mark.parametrize("name", LIGHT)
def test_light_modules_import_nothing_heavy_at_their_top(name: str) -> None:
    tree = ast.parse((ROOT / "uncover" / f"{name}.py").read_text(encoding="utf-8"))
    top = ast.Module(
        [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)], []
    )
    assert not imported(top, "uncover") & HEAVY


@pytest.mark.parametrize(
    ("code", "names"),
    [
        ("import a.b, c", {"a", "c"}),
        ("def f():\n    from a.b import c", {"a"}),
        ("from . import x", {"own"}),
        ("import_module('gradio.themes')", {"gradio"}),
        ("x = 'import gradio'", set()),
    ],
)
def test_the_reader_of_imports_sees_every_kind(code: str, names: set[str]) -> None:
    assert imported(ast.parse(code), "own") == names
