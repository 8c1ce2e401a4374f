"""What a run remembers: everything that learns, the random numbers, how far it is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import torch

from training.run import RunState, SettingsError
from training.run.checkpoint import CheckpointError
from uncover.errors import UncoverError


@dataclass(frozen=True)
class Settings:
    rate: float = 0.1
    threads: int = 1


def begun(folder: Path, settings: Settings | dict, with_critic: bool = True) -> RunState:
    """A run of tiny layers, which publishes nothing."""
    model, ema, critic = (torch.nn.Linear(2, 2) for _ in range(3))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.1)
    parts = {"critic": critic} if with_critic else {}
    return RunState(None, folder, settings, model, ema, optimizer, parts)


def learn(run: RunState) -> None:
    """A few steps whose input is drawn."""
    for _ in range(3):
        run.optimizer.zero_grad()
        run.model(torch.rand(4, 2)).square().sum().backward()
        run.optimizer.step()
        run.seen += 4


def test_a_restored_run_goes_on_as_if_it_had_not_stopped(tmp_path: Path) -> None:
    torch.manual_seed(3)
    run = begun(tmp_path, Settings())
    learn(run)
    run.save({})
    learn(run)
    torch.manual_seed(99)
    other = begun(tmp_path, Settings(threads=7))  # the machine may be another
    other.restore()
    assert other.seen == 12
    learn(other)
    for name, part in run.parts.items():
        if name != "optimizer":
            for key, value in part.state_dict().items():
                assert torch.equal(value, other.parts[name].state_dict()[key]), (name, key)


def test_minutes_add_up_over_starts(tmp_path: Path) -> None:
    run = begun(tmp_path, Settings())
    run._clock -= 120
    run.save({})
    run._clock -= 60
    run.save({})
    assert run.minutes == pytest.approx(3, abs=0.5)
    again = begun(tmp_path, Settings())
    again.restore()
    again._clock -= 60
    again.save({})
    assert again.minutes == pytest.approx(4, abs=0.5)


def test_other_settings_and_other_parts_are_refused(tmp_path: Path) -> None:
    begun(tmp_path, Settings(), with_critic=False).save({})
    with pytest.raises(SettingsError, match=r"rate was 0\.1, is 0\.2"):
        begun(tmp_path, replace(Settings(), rate=0.2), with_critic=False).restore()
    with pytest.raises(CheckpointError, match="no critic in it"):
        begun(tmp_path, Settings()).restore()
    with pytest.raises(UncoverError, match="add --resume"):
        begun(tmp_path, Settings()).begin(resume=False, init=None)


def test_what_a_reader_wants_beside_lies_in_the_checkpoint(tmp_path: Path) -> None:
    from training.run import load_checkpoint

    begun(tmp_path, {"rate": 1}).save({}, fingerprints=[1.5, 1.5])
    state = load_checkpoint(tmp_path / "checkpoint")
    assert state["fingerprints"] == [1.5, 1.5]
    assert state["settings"] == {"rate": 1}
    assert not (tmp_path / "weights").exists()
