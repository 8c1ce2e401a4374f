"""Checkpoints: what goes in comes out, and an interrupted write leaves the old one."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from training.run.checkpoint import (
    CheckpointError,
    load_checkpoint,
    restore_rng,
    rng_state,
    save_checkpoint,
)


def test_round_trip_of_an_optimiser(tmp_path):
    layer = torch.nn.Linear(3, 2)
    optimiser = torch.optim.Adam(layer.parameters(), lr=0.1)
    layer(torch.ones(1, 3)).sum().backward()
    optimiser.step()
    save_checkpoint(tmp_path / "c", {"opt": optimiser.state_dict(), "n": [1, 2.5, None, "x"]})
    state = load_checkpoint(tmp_path / "c")
    assert state["n"] == [1, 2.5, None, "x"]
    fresh = torch.optim.Adam(layer.parameters(), lr=0.5)
    fresh.load_state_dict(state["opt"])
    assert fresh.param_groups[0]["lr"] == 0.1
    for old, new in zip(
        optimiser.state_dict()["state"].values(), fresh.state_dict()["state"].values(), strict=True
    ):
        assert all(torch.equal(old[k], new[k]) for k in old)


def test_random_states_continue(tmp_path):
    generator = np.random.default_rng(3)
    generator.random(5)
    torch.manual_seed(5)
    save_checkpoint(tmp_path / "c", {"rng": rng_state(generator)})
    expected = torch.rand(3), generator.random(3)
    other = np.random.default_rng(99)
    restore_rng(load_checkpoint(tmp_path / "c")["rng"], other)
    assert torch.equal(torch.rand(3), expected[0])
    assert np.array_equal(other.random(3), expected[1])


def test_overwriting_keeps_one_whole_checkpoint(tmp_path):
    for value in (1, 2):
        save_checkpoint(tmp_path / "c", {"v": torch.tensor([value])})
    assert load_checkpoint(tmp_path / "c")["v"].item() == 2
    assert [p.name for p in tmp_path.iterdir()] == ["c"]


def test_a_kill_between_the_renames_is_mended(tmp_path):
    save_checkpoint(tmp_path / "c", {"v": torch.tensor([1])})
    (tmp_path / "c").rename(tmp_path / "c.old")
    (tmp_path / "c.part").mkdir()
    assert load_checkpoint(tmp_path / "c")["v"].item() == 1


def test_missing_and_broken_are_named(tmp_path):
    with pytest.raises(CheckpointError, match="without --resume"):
        load_checkpoint(tmp_path / "none")
    save_checkpoint(tmp_path / "c", {"v": torch.tensor([1])})
    (tmp_path / "c" / "tensors.safetensors").write_bytes(b"short")
    with pytest.raises(CheckpointError, match="broken"):
        load_checkpoint(tmp_path / "c")


def test_what_cannot_be_saved_is_named(tmp_path):
    with pytest.raises(TypeError, match="cannot save a object"):
        save_checkpoint(tmp_path / "c", {"bad": object()})
