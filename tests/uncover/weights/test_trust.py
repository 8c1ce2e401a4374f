"""Weights that ask for too much are refused before anything large is allocated or read."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from uncover.errors import WeightsError
from uncover.faces.drawn import draw_face
from uncover.networks.detector import DetectorConfig, MaskDetector
from uncover.networks.generator import Generator, GeneratorConfig
from uncover.networks.segmenter import MaskSegmenter, SegmenterConfig
from uncover.onnx import backend as onnx_backend
from uncover.weights.components import load_bundle, save_component

NO_TORCH = """
import sys

class NoTorch:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("torch", "torchvision"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, NoTorch())
from uncover.commands.photos import main

sys.exit(main(sys.argv[1:]))
"""


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Small networks of the real classes."""
    folder = tmp_path_factory.mktemp("w")
    torch.manual_seed(0)
    painter = GeneratorConfig(
        64, widths=(8, 16), blocks=(1, 1), detail_width=4, coarse_widths=(), coarse_blocks=()
    )
    seer = SegmenterConfig(resolution=64, widths=(8, 16), detail_width=4)
    finder = DetectorConfig(pyramid_channels=16, head_channels=16, proposals=20)
    save_component(folder, "generator", Generator(painter), painter)
    save_component(folder, "segmenter", MaskSegmenter(seer), seer)
    save_component(folder, "detector", MaskDetector(finder), finder)
    return folder


@pytest.fixture
def folder(good: Path, tmp_path: Path) -> Path:
    for path in good.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    return tmp_path


def edit(folder: Path, change: Callable[[dict], None]) -> None:
    path = folder / "config.json"
    config = json.loads(path.read_text())
    change(config["components"])
    path.write_text(json.dumps(config))


def arch(name: str, **values: object) -> Callable[[dict], None]:
    return lambda components: components[name]["arch"].update(values)


def crops(name: str, side: int) -> Callable[[dict], None]:
    """Ask for crops of another side, in both places that name it."""

    def change(components: dict) -> None:
        components[name]["arch"]["resolution"] = side
        components[name]["preprocessing"]["resolution"] = side

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (arch("generator", widths=[160_000, 160_000]), "generator.arch asks for an absurd size"),
        (
            arch(
                "generator",
                latent=10**11,
                look=True,
                coarse_widths=[8],
                coarse_blocks=[1],
                coarse_heads=0,
            ),
            "generator.arch asks for an absurd size",
        ),
        (arch("generator", blocks=[10**9, 1]), "generator.arch asks for an absurd size"),
        (crops("generator", 2**20), "crops of an absurd size: 1048576 pixels a side"),
        (crops("segmenter", 2**20), "crops of an absurd size: 1048576 pixels a side"),
        (arch("segmenter", widths=[32] * 4000), "widths needs two to eight values"),
        (arch("segmenter", widths=[160_000] * 2), "segmenter.arch asks for an absurd size"),
        (arch("detector", head_channels=10**9), "detector.arch asks for an absurd size"),
        (arch("detector", pool_size=10**6), "detector.arch asks for an absurd size"),
        (arch("detector", shorter_side=2**20, longer_side=2**20), "shorter_side must lie in"),
        (arch("detector", tile_size=1, tile_above=1), "tile_size must lie in"),
        (arch("detector", proposals=10**9), "proposals must lie in"),
    ],
)
def test_an_absurd_size_takes_no_memory(
    folder: Path, change: Callable[[dict], None], message: str
) -> None:
    edit(folder, change)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(WeightsError, match=message) as caught:
        load_bundle(folder)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 64 * 1024  # kibibytes
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300


def test_all_is_checked_before_the_first_is_read(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "detector.safetensors").write_bytes(b"\x80\x04" + bytes(100))
    monkeypatch.setattr("uncover.weights.components._read", lambda *_: pytest.fail("read a file"))
    with pytest.raises(WeightsError, match=r"detector.safetensors is a pickle"):
        load_bundle(folder)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (crops("generator", 2**20), "crops of an absurd size"),
        (arch("detector", longer_side=2**20), "longer_side must lie in"),
        (arch("segmenter", dilation=1e9), "dilation in 0..0.5"),
        (lambda c: c["generator"]["preprocessing"].update(range=[0, 1]), "preprocessing.range"),
    ],
)
def test_the_onnx_side_holds_a_config_to_the_same(
    folder: Path, change: Callable[[dict], None], message: str
) -> None:
    import hashlib

    digest = hashlib.sha256(b"x").hexdigest()
    for name in ("generator", "segmenter", "detector"):
        (folder / f"{name}.onnx").write_bytes(b"x")
        entry = {"file": f"{name}.onnx", "sha256": digest, "size": 1}
        edit(folder, lambda c, name=name, entry=entry: c[name].update(onnx=entry))
    edit(folder, change)
    with pytest.raises(WeightsError, match=message):
        onnx_backend.load(folder)


@pytest.mark.parametrize(
    "words", [["photo.png"], ["weights", "verify", "."], ["export", "onnx", "--out", "x"]]
)
def test_where_torch_is_missing_one_line_says_so(folder: Path, words: list[str]) -> None:
    from PIL import Image

    Image.fromarray(draw_face(0, 64).image).save(folder / "photo.png")
    done = subprocess.run(
        [sys.executable, "-c", NO_TORCH, *words, *(["--weights", "."] if len(words) != 3 else [])],
        capture_output=True,
        text=True,
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[3])},
        timeout=120,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("error: torch is not installed: python -m pip install torch")
    assert done.stderr.count("\n") == 1
