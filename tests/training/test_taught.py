"""What a coarse stage was taught, added to one that was tuned since."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from training.checkpoint import save_checkpoint
from training.taught import add_taught, main
from uncover.errors import UncoverError
from uncover.generator import Generator, GeneratorConfig
from uncover.weights import load_component, save_component
from uncover.weights_config import read_config

CONFIG = GeneratorConfig(
    64, (8, 12), (1, 1), 4, 8, latent=0, coarse_widths=(8, 12), coarse_blocks=(1, 1), coarse_heads=2
)


def generator(seed: int) -> Generator:
    torch.manual_seed(seed)
    return Generator(CONFIG)


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """Weights whose generator has a coarse stage, and a run whose stage was taught."""
    save_component(tmp_path / "weights", "generator", generator(0), CONFIG, dtype="float32")
    began, learned = (generator(seed).coarse.state_dict() for seed in (1, 2))
    state = {"ema": learned, "teacher": began, "seen": 16, "minutes": 2.0}
    save_checkpoint(tmp_path / "run" / "coarse" / "checkpoint", state)
    return tmp_path / "weights", tmp_path / "run"


def test_the_difference_is_added_and_the_fine_stage_kept(
    folders: tuple[Path, Path], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    assert main([*map(str, folders), "--out", str(out), "--share", "0.5"]) == 0
    found = load_component(out, "generator").state_dict()
    tuned, began, learned = (generator(seed).state_dict() for seed in (0, 1, 2))
    for key, value in found.items():
        expected = tuned[key]
        if key.startswith("coarse.") and expected.is_floating_point():
            expected = expected + 0.5 * (learned[key] - began[key])
        torch.testing.assert_close(value.float(), expected.float(), atol=2e-3, rtol=2e-3)
    told = read_config(out).components["generator"].training
    assert told is not None
    assert told["taught"] == {"images": 16, "minutes": 2.0, "share": 0.5}
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".")] == []


def test_mistakes_are_one_line(folders: tuple[Path, Path], tmp_path: Path) -> None:
    weights, run = folders
    with pytest.raises(UncoverError, match="exists"):
        add_taught(weights, run, tmp_path)
    wider = GeneratorConfig(64, (8, 12), (1, 1), 4, 8, latent=0, coarse_widths=(12, 12),
                            coarse_blocks=(1, 1), coarse_heads=2)  # fmt: skip
    save_component(tmp_path / "wider", "generator", Generator(wider), wider)
    with pytest.raises(UncoverError, match="different shapes"):
        add_taught(tmp_path / "wider", run, tmp_path / "out")
    plain = {"ema": generator(1).coarse.state_dict(), "seen": 16, "minutes": 2.0}
    save_checkpoint(tmp_path / "plain" / "coarse" / "checkpoint", plain)
    with pytest.raises(UncoverError, match="no teacher"):
        add_taught(weights, tmp_path / "plain", tmp_path / "out")
    with pytest.raises(UncoverError):
        add_taught(weights, tmp_path / "none", tmp_path / "out")
    assert not (tmp_path / "out").exists()
