"""Saying how the faces shall look: the pipeline's and the command's smile, open and beard."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from tests.uncover.cli_scene import BOX, SCENE
from tests.uncover.fake_networks import FakeGenerator, make
from uncover.commands.photos import OK, USAGE, main
from uncover.errors import UncoverError
from uncover.pipeline import Settings, Uncoverer


@dataclass
class ToldGenerator(FakeGenerator):
    """Keeps what it was told."""

    told: bool = True
    heard: list[object] = field(default_factory=list)

    def fill(
        self,
        crops: np.ndarray,
        masks: np.ndarray,
        look: Mapping[str, float] | None = None,
    ) -> np.ndarray:
        self.heard.append(look)
        return super().fill(crops, masks)

    def sample(
        self,
        crops: np.ndarray,
        masks: np.ndarray,
        count: int,
        look: Mapping[str, float] | None = None,
    ) -> np.ndarray:
        self.heard.append(look)
        return np.stack([super().fill(crops, masks)] * count)


@pytest.fixture
def uncoverer() -> Uncoverer:
    made = make([BOX])
    made.generator = ToldGenerator()
    return made


def test_what_is_asked_reaches_the_generator(uncoverer: Uncoverer) -> None:
    uncoverer(SCENE, smile=0.8, beard=0.0)
    mask = np.zeros(SCENE.shape[:2], bool)
    mask[90:120, 80:120] = True
    uncoverer.fill(SCENE, mask, open=0.3)
    uncoverer(SCENE, samples=2, smile=1.0)
    heard = [{"smile": 0.8, "beard": 0.0}, {"open": 0.3}, {"smile": 1.0}]
    assert uncoverer.generator.heard == heard
    assert uncoverer.told


def test_nothing_asked_is_nothing_said(uncoverer: Uncoverer) -> None:
    uncoverer(SCENE, smile=None, open=None, beard=None)
    assert uncoverer.generator.heard == [None]


@pytest.mark.parametrize("name", ["smile", "open", "beard"])
@pytest.mark.parametrize("value", [-0.1, 1.01, float("nan")])
def test_values_outside_0_to_1_are_refused(uncoverer: Uncoverer, name: str, value: float) -> None:
    with pytest.raises(UncoverError, match=rf"{name} must lie in 0\.\.1"):
        uncoverer(SCENE, **{name: value})
    with pytest.raises(UncoverError, match=rf"{name} must lie in 0\.\.1"):
        Settings(**{name: value})


def test_weights_that_cannot_be_told_say_so() -> None:
    plain = make([BOX])
    assert not plain.told
    with pytest.raises(UncoverError, match="cannot be told smile"):
        plain(SCENE, smile=0.5)


def test_the_command_passes_a_look_on(asked: dict[str, object], photo: Path) -> None:
    assert main([str(photo), "--smile", "0.8", "--open=0"]) == OK
    assert (asked["smile"], asked["open"], asked["beard"]) == (0.8, 0.0, None)


@pytest.mark.parametrize("option", ["--smile=2", "--open=-0.1", "--beard=much"])
def test_the_command_refuses_impossible_looks(
    photo: Path, option: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(photo), option]) == USAGE
    assert option[2:].split("=")[0] in capsys.readouterr().err
