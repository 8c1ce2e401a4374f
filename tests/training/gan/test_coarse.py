"""The coarse stage against its critics: resumed bit for bit; looks are drawn as said."""

from __future__ import annotations

import pytest
import torch
from safetensors.torch import load_file

from training.gan import loop as gan
from training.gan.coarse import drawn_look, each_l1, told_properties
from training.gan.settings import CoarseSettings
from training.run.checkpoint import load_checkpoint
from uncover.faces import look_size
from uncover.faces.drawn import write_drawn_faces
from uncover.networks import CoarseStage

pytestmark = pytest.mark.usefixtures("random_classifier")

CRITICS = [
    "coarse.critics=0.5",
    "coarse.beta=0.0",
    "coarse.spread=1.0",
    "coarse.seen_at=48",
    "coarse.r1_every=2",
    "generator.look=true",
    "generator.latent=3",
    "generator.coarse_smoothing=1",
]


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    return write_drawn_faces(tmp_path_factory.mktemp("data"), 15, seed=2, size=96)


def run(drawn, out, *extra):
    changes = [part for change in CRITICS for part in ("--set", change)]
    start = ["--data", str(drawn), "--preset", "smoke", "--out", str(out)]
    return gan.main([*start, *changes, *extra])


def test_a_run_with_critics_resumes_bit_for_bit(drawn, tmp_path):
    whole, stopped = tmp_path / "whole", tmp_path / "stopped"
    assert run(drawn, whole) == 0
    assert run(drawn, stopped, "--max-minutes", "0") == 0
    assert load_checkpoint(stopped / "coarse" / "checkpoint")["seen"] == 4
    for _ in range(2):
        assert run(drawn, stopped, "--resume", "--max-minutes", "0") == 0
    assert run(drawn, stopped, "--resume") == 0
    files = [f / "coarse" / "checkpoint" / "tensors.safetensors" for f in (whole, stopped)]
    one, two = (load_file(file) for file in files)
    assert any("critic" in key for key in one)
    assert one.keys() == two.keys()
    assert [key for key in one if not torch.equal(one[key], two[key])] == []


def stage(latent: int | None) -> CoarseStage:
    return CoarseStage(32, (8, 12), (1, 1), 2, latent)


def test_properties_are_told_in_their_share_and_never_made_up():
    properties = torch.full((600, 3), 0.25)
    properties[:, 2] = torch.nan
    look = drawn_look(properties, stage(4), CoarseSettings(asked=0.5), 7)
    assert look.shape == (600, look_size(4))
    values, known = look[:, :3], look[:, 3:6]
    assert 0.4 < float(known[:, :2].mean()) < 0.6
    assert float(known[:, 2].sum()) == 0
    assert torch.equal(values[:, :2], -0.5 * known[:, :2])
    assert torch.equal(look, drawn_look(properties, stage(4), CoarseSettings(asked=0.5), 7))
    assert float((look[:, 6:].abs().sum(1) == 0).float().mean()) == pytest.approx(1 / 3, abs=0.01)


def test_the_second_view_differs_in_the_latent_only():
    own, properties = CoarseSettings(), torch.rand(6, 3)
    one = drawn_look(properties, stage(4), own, 1)
    two = drawn_look(properties, stage(4), own, 2, like=one)
    assert torch.equal(told_properties(one), told_properties(two))
    assert (one[:, 6:] != two[:, 6:]).any(1).all()


def test_a_stage_without_a_look_is_told_nothing():
    assert drawn_look(torch.rand(2, 3), stage(None), CoarseSettings(), 1) is None
    assert told_properties(None) is None


def test_each_l1_is_of_the_hole_alone():
    a, b = torch.zeros(2, 3, 4, 4), torch.ones(2, 3, 4, 4)
    mask = torch.zeros(2, 1, 4, 4)
    mask[0, :, :2] = 1
    b[0, :, 2:] = 9
    assert each_l1(a, b, mask).tolist() == [1.0, 0.0]
