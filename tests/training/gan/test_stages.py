"""What the fine stage starts from: true small crops for some, the coarse answer for others;
and a run against critics on features that remembers all it needs."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from training.gan import loop as gan
from training.gan.stages import BothStages, Painting, faithful, guess_loss, same_layout
from training.run.checkpoint import load_checkpoint
from uncover.faces.drawn import write_drawn_faces
from uncover.networks import PATCH, Generator, GeneratorConfig, look_vector

SIDE = 64
SMALL = GeneratorConfig(
    resolution=SIDE,
    widths=(8, 12),
    blocks=(1, 1),
    detail_width=8,
    coarse_widths=(8, 12),
    coarse_blocks=(1, 1),
    coarse_heads=2,
    look=True,
    latent=2,
    guided=False,
)


def crops(count: int) -> tuple[Tensor, Tensor, Tensor]:
    torch.manual_seed(0)
    real = torch.rand(count, 3, SIDE, SIDE) * 2 - 1
    hole = torch.zeros(count, 1, SIDE, SIDE)
    hole[..., 24:56, 16:48] = 1
    return real, hole, real * (1 - hole)


def test_the_first_crops_start_from_the_truth_and_the_others_from_an_answer() -> None:
    real, hole, known = crops(3)
    painting = Painting(Generator(SMALL).eval())
    with torch.no_grad():
        _, base = painting(known, hole, None, real, 2)
        _, answer = painting(known, hole, None, real, 0)
    assert torch.equal(base[2], answer[2])
    assert not torch.equal(base[0], answer[0])
    means = [nn.functional.avg_pool2d(x[:2, :, 28:52, 20:44], 8) for x in (base, real)]
    assert torch.allclose(*means, atol=0.3)  # grown again between its neighbours
    assert float((means[0] - means[1]).abs().mean()) < 0.1
    assert torch.equal(base * (1 - hole), known)


def test_stages_that_learn_together_paint_what_the_generator_paints() -> None:
    _, hole, known = crops(2)
    g = _that_heeds_looks()
    smiling = look_vector(torch.tensor([[0.9, 0.1, 0.0], [0.2, 0.5, 1.0]]), torch.randn(2, 2))
    with torch.no_grad():
        painted, _ = BothStages(g)(known, hole, smiling)
        assert torch.allclose(painted, g(known, hole, look=smiling), atol=1e-6)
        other, _ = BothStages(g)(known, hole, -smiling)
    assert not torch.allclose(painted, other, atol=1e-3)


def test_what_is_not_told_stays_unknown_and_its_guess_teaches_the_guess_alone() -> None:
    _, hole, known = crops(2)
    g = _that_heeds_looks()
    untold = look_vector(torch.full((2, 3), torch.nan), torch.zeros(2, 2))
    painted, guess = BothStages(g)(known, hole, untold)
    assert not torch.allclose(painted, g(known, hole, look=untold), atol=1e-4)  # that guesses
    guess_loss(guess, torch.tensor([[0.9, 0.1, 0.0], [0.2, 0.5, 1.0]])).backward()
    moved = {name for name, value in g.named_parameters() if value.grad is not None}
    assert moved == {name for name, _ in g.named_parameters() if name.startswith("coarse.guess.")}
    painted.mean().backward()
    assert all(
        value.grad is not None
        for name, value in g.named_parameters()
        if name.startswith(("coarse.stem", "coarse.look.out", "to_rgb"))
    )


def _that_heeds_looks() -> Generator:
    torch.manual_seed(3)
    g = Generator(SMALL).eval()
    for name, value in g.named_parameters():
        if "look.out.weight" in name or "to_rgb.weight" in name or "conv2.1.weight" in name:
            nn.init.normal_(value, std=0.2)
    return g


def test_faithful_sees_means_inside_the_hole_only() -> None:
    real, hole, _ = crops(1)
    outside = real + (1 - hole)
    assert float(faithful(outside, real, hole)) == 0
    checked = torch.ones(PATCH, PATCH)
    checked[::2] = -1
    detail = real + hole * checked.repeat(SIDE // PATCH, SIDE // PATCH)
    assert float(faithful(detail, real, hole)) == pytest.approx(0, abs=1e-6)
    assert float(faithful(real + 0.25 * hole, real, hole)) == pytest.approx(0.25, abs=1e-5)


def test_layout_leaves_fine_texture_free_and_holds_what_is_larger() -> None:
    taught, hole, _ = crops(1)
    rows = torch.ones(2 * PATCH, 1)
    rows[::2] = -1
    texture = taught + hole * rows.expand(-1, 2 * PATCH).repeat(SIDE // 8, SIDE // 8)
    assert float(same_layout(texture, taught, hole)) == pytest.approx(0, abs=1e-6)
    moved = taught + hole * 0.5 * (torch.arange(SIDE) // 16 % 2)
    assert float(same_layout(moved, taught, hole)) == pytest.approx(0.25, abs=0.05)


APART = ["from_truth=0.5", "losses.faithful=10.0"]
TOGETHER = ["coarse.tune=0.5", "losses.whole=0.5"]


@pytest.mark.parametrize("way", [APART, TOGETHER], ids=["apart", "together"])
def test_a_run_against_feature_critics_resumes_bit_exactly(
    random_classifier: None, tmp_path: Path, way: list[str]
) -> None:
    data = write_drawn_faces(tmp_path / "data", 12, seed=2, size=64)
    changes = ["images=12", "eval_every=12", "save_every=12", "eval_faces=2", *way]
    changes += ["losses.features=0.5", "losses.r1_every=2"]
    changes += ["coarse.images=4", "generator.look=true", "generator.latent=2"]
    words = ["--data", str(data), "--preset", "smoke"]
    words += [word for change in changes for word in ("--set", change)]
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    assert gan.main([*words, "--out", str(whole)]) == 0
    assert gan.main([*words, "--out", str(cut), "--max-minutes", "0"]) == 0
    while not (cut / "checkpoint").exists():
        assert gan.main([*words, "--out", str(cut), "--resume", "--max-minutes", "0"]) == 0
    assert load_checkpoint(cut / "checkpoint")["seen"] == 4
    assert gan.main([*words, "--out", str(cut), "--resume"]) == 0
    one, two = (load_file(f / "checkpoint" / "tensors.safetensors") for f in (whole, cut))
    sets = {name for name in ("features", "whole") if any(f"against_{name}" in key for key in one)}
    assert sets == ({"features", "whole"} if way is TOGETHER else {"features"})
    begun = load_checkpoint(cut / "coarse" / "checkpoint")["ema"]["look.out.weight"]
    ended = load_checkpoint(cut / "checkpoint")["ema"]["coarse.look.out.weight"]
    assert torch.equal(begun, ended) == (way is APART)
    assert [key for key in one if not torch.equal(one[key], two[key])] == []


def test_a_stage_that_learns_on_cannot_be_held_to_its_own_answer() -> None:
    from training.gan.settings import CoarseSettings, GanSettings

    with pytest.raises(ValueError, match="from_truth"):
        GanSettings(from_truth=0.5, coarse=CoarseSettings(tune=0.5))
