"""Who is rewarded for what: critics tell fills from photos, the generator is paid to pass."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
import torch

from training.data import evaluation_set, open_data
from training.gan import loop as gan
from training.gan.discriminators import DiscriminatorConfig, PatchDiscriminator
from training.run.checkpoint import load_checkpoint
from training.run.config import from_dict
from uncover.faces.drawn import write_drawn_faces
from uncover.networks import to_network
from uncover.weights.components import load_component

SIDE = 64
LOSSES = ("known", "hole", "matching", "r1")
EASY = ("losses.r1=0.0", "decay=0.1", "d_global.spectral=false")


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_drawn_faces(tmp_path_factory.mktemp("data"), 15, seed=2, size=96)


def learn(drawn: Path, out: Path, *changes: str, init: Path | None = None) -> Path:
    """A run of the smoke preset whose coarse stage stays as it is."""
    settings = ["images=192", "warmup=0", "adversarial_from=0.0", "eval_every=192", "ema=0.0"]
    settings += ["losses.adversarial_local=0.0", *changes]
    words = [word for setting in settings for word in ("--set", setting)]
    words += ["--init", str(init)] if init else []
    command = ["--data", str(drawn), "--preset", "smoke", "--out", str(out), *words]
    assert gan.main(command) == 0
    return out


def global_critic(run: Path) -> PatchDiscriminator:
    state = load_checkpoint(run / "checkpoint")
    critic = PatchDiscriminator(from_dict(DiscriminatorConfig, state["settings"]["d_global"]))
    held = {k.removeprefix("global."): v for k, v in state["critics"].items()}
    critic.load_state_dict({k: v for k, v in held.items() if not k.startswith("local.")})
    return critic.eval()


@torch.no_grad()
def opinion(critic: PatchDiscriminator, run: Path, data: Path) -> tuple[float, float]:
    """The critic's mean logit on photos and on the run's fills of them, in the hole."""
    generator = load_component(run / "weights", "generator").eval()
    faces = open_data([data], SIDE, 4, progress=False)
    images, holes = evaluation_set(faces.val, SIDE, seed=0)
    photo = torch.from_numpy(images).permute(0, 3, 1, 2).float() / 127.5 - 1
    known, hole = to_network(images, holes, torch.device("cpu"))
    pasted = generator(known, hole) * hole + photo * (1 - hole)
    valid = torch.ones_like(hole)
    inside = torch.nn.functional.adaptive_avg_pool2d(hole, critic(photo, hole, valid)[0].shape[-2:])
    real, fake = (critic(x, hole, valid)[0] for x in (photo, pasted))
    return tuple(float((x * inside).sum() / inside.sum()) for x in (real, fake))


def test_the_critic_learns_to_call_photos_real_and_the_generator_to_be_called_so(
    drawn: Path, tmp_path: Path
) -> None:
    told = learn(drawn, tmp_path / "told", "rate=0.0", "rate_d=3e-3", *EASY)
    critic = global_critic(told)
    real, fake = opinion(critic, told, drawn)
    assert real > fake + 0.03
    alone = [f"losses.{name}=0.0" for name in LOSSES] + ["coarse.frozen=true"]
    pleased = learn(drawn, tmp_path / "on", "rate=1e-3", "rate_d=0.0", *alone, *EASY[1:], init=told)
    assert opinion(critic, pleased, drawn)[1] > fake + 0.1


class BrightnessCritic:
    """Stands for critics on features: thinks the darker a fill the more real, and writes down what
    it was shown."""

    made: ClassVar[list[BrightnessCritic]] = []

    def __init__(self, *_: object, **__: object) -> None:
        self.learnt: list[tuple[torch.Tensor, torch.Tensor, torch.Tensor]] = []
        self.judged: list[torch.Tensor] = []
        self.made.append(self)

    def learn(
        self, real: torch.Tensor, fake: torch.Tensor, hole: torch.Tensor, *_: object
    ) -> torch.Tensor:
        self.learnt.append((real.clone(), fake.clone(), hole.clone()))
        return torch.zeros(())

    def judge(self, fake: torch.Tensor, hole: torch.Tensor, _: object) -> torch.Tensor:
        self.judged.append(fake.detach().clone())
        return (fake * hole).sum() / hole.sum()

    def state_dict(self) -> dict[str, object]:
        return {}


@pytest.mark.parametrize("name", ["features", "whole"])
def test_critics_on_features_are_shown_photos_as_real_and_the_generator_obeys_them(
    drawn: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(gan, "Against", BrightnessCritic)
    monkeypatch.setattr(gan, "SEEN", SIDE)
    BrightnessCritic.made.clear()
    alone = [f"losses.{each}=0.0" for each in (*LOSSES, "adversarial_global")]
    learn(drawn, tmp_path / "run", "rate=1e-3", *alone, f"losses.{name}=1.0")
    (critic,) = BrightnessCritic.made
    for (real, fake, hole), judged in zip(critic.learnt, critic.judged, strict=True):
        assert torch.equal(fake, judged)
        assert not torch.equal(real, fake)
        torch.testing.assert_close(real * (1 - hole), fake * (1 - hole))
    inside = [float((f * h).sum() / h.sum()) for _, f, h in critic.learnt]
    third = len(inside) // 3
    assert sum(inside[-third:]) / third < sum(inside[:third]) / third - 0.1


@pytest.mark.parametrize(("share", "obeys"), [(0.0, False), (1.0, True)])
def test_critics_are_not_heard_where_the_mouth_is(
    drawn: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, share: float, obeys: bool
) -> None:
    monkeypatch.setattr(gan, "Against", BrightnessCritic)
    monkeypatch.setattr(gan, "SEEN", SIDE)
    everywhere = np.full((SIDE, SIDE), 255, np.uint8)
    monkeypatch.setattr("training.data.faces.mouth_map", lambda *_: everywhere)
    BrightnessCritic.made.clear()
    alone = [f"losses.{each}=0.0" for each in LOSSES if each != "r1"]
    learn(
        drawn, tmp_path / "run", "rate=1e-3", *alone, "losses.features=1.0", f"losses.mouth={share}"
    )
    (critic,) = BrightnessCritic.made
    inside = [float((f * h).sum() / h.sum()) for _, f, h in critic.learnt]
    third = len(inside) // 3
    darker = sum(inside[:third]) / third - sum(inside[-third:]) / third
    assert (darker > 0.1) == obeys


class NoDistance(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))

    def forward(self, *_: torch.Tensor) -> torch.Tensor:
        return torch.zeros(1)


def test_the_generator_comes_nearer_by_the_perceptual_distance(
    drawn: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    distances: list[float] = []

    def brightness(_: object, painted: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
        assert not truth.requires_grad
        distances.append(float(painted.detach().mean()))
        return painted.mean()

    monkeypatch.setattr(gan, "build_lpips", lambda required=True: NoDistance())
    monkeypatch.setattr("training.gan.losses.perceptual", brightness)
    alone = [f"losses.{each}=0.0" for each in (*LOSSES, "adversarial_global")]
    learn(drawn, tmp_path / "run", "rate=1e-3", *alone, "losses.perceptual=1.0")
    third = len(distances) // 3
    assert sum(distances[-third:]) / third < sum(distances[:third]) / third - 0.03
