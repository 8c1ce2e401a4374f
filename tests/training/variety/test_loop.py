"""Several answers: what learns, what stays, resuming, and that a latent comes to mean something."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from training.gan import loop as gan
from training.run.checkpoint import load_checkpoint
from training.variety import loop as variety
from uncover.faces.drawn import write_drawn_faces
from uncover.weights.components import load_component

SMALL = [
    word
    for change in (
        "images=48", "batch=4", "warmup=4", "eval_every=24", "eval_faces=4", "save_every=24",
        "latent=3", "width=8", "kl_warmup=16", "threads=1", "rate=1e-2",
    )
    for word in ("--set", change)
]  # fmt: skip


class PixelDistance(torch.nn.Module):
    """Stands in for LPIPS: the mean difference of each pair, (B, 1, 1, 1)."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = torch.nn.Parameter(torch.ones(()), requires_grad=False)

    def forward(self, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        return self.scale * (a - b).abs().mean(dim=(1, 2, 3), keepdim=True)


@pytest.fixture(scope="module", autouse=True)
def stand_in() -> Iterator[None]:
    """LPIPS's own network is not needed to see whether answers differ."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(variety, "build_lpips", lambda required: PixelDistance())
        yield


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_drawn_faces(tmp_path_factory.mktemp("faces"), 24, seed=4, size=96)


@pytest.fixture(scope="module")
def base(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("base") / "gan"
    assert gan.main(["--data", str(data), "--preset", "smoke", "--out", str(out)]) == 0
    return out


def run(data: Path, base: Path, out: Path, *extra: str) -> int:
    arguments = ["--data", str(data), "--init", str(base), "--out", str(out)]
    return variety.main([*arguments, *SMALL, *extra])


@pytest.fixture(scope="module")
def whole(data: Path, base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "whole"
    assert run(data, base, out) == 0
    return out


def test_only_the_variety_is_new_and_the_best_guess_stays(base: Path, whole: Path) -> None:
    old = load_file(base / "weights" / "generator.safetensors")
    new = load_file(whole / "weights" / "generator.safetensors")
    assert {k for k in new if k not in old} == {k for k in new if k.startswith("variety.")}
    assert all(torch.equal(old[k], new[k]) for k in old)
    one, two = (load_component(f / "weights", "generator").eval() for f in (base, whole))
    assert not one.varied
    assert two.varied
    crops = np.random.default_rng(0).integers(0, 256, (2, 64, 64, 3), dtype=np.uint8)
    holes = np.zeros((2, 64, 64), bool)
    holes[:, 30:60, 10:54] = True
    answers = two.sample(crops, holes, 3)
    np.testing.assert_array_equal(one.fill(crops, holes), answers[0])
    assert not np.array_equal(answers[1], answers[2])


def test_the_weights_say_how_both_were_trained(base: Path, whole: Path) -> None:
    told = json.loads((whole / "weights" / "config.json").read_text())
    told = told["components"]["generator"]["training"]
    assert told["images"] == 32
    assert told["variety"]["images"] == 48
    assert told["variety"]["settings"]["latent"] == 3


def test_scores_and_sheets(whole: Path) -> None:
    rows = [json.loads(line) for line in (whole / "log.jsonl").read_text().splitlines()]
    scored = [row for row in rows if "spread" in row]
    assert len(scored) == 2
    assert all(row["spread"] > 0 and row["best"] > 0 for row in scored)
    assert len(list((whole / "sheets").glob("*.jpg"))) == 2


def test_cut_and_resumed_is_bit_exact(data: Path, base: Path, whole: Path, tmp_path: Path) -> None:
    out = tmp_path / "cut"
    assert run(data, base, out, "--max-minutes", "0") == 0
    assert 0 < load_checkpoint(out / "checkpoint")["seen"] < 48
    assert run(data, base, out, "--resume") == 0
    one, two = (load_file(f / "checkpoint" / "tensors.safetensors") for f in (whole, out))
    assert one.keys() == two.keys()
    assert [k for k in one if not torch.equal(one[k], two[k])] == []


def test_what_the_encoder_tells_makes_the_truth_likelier(data: Path, base: Path, tmp_path: Path):
    """After a few hundred crops, of which nothing is held back, it paints closer to the truth."""
    out = tmp_path / "told"
    assert run(data, base, out, "--set", "images=480", "--set", "kl=0.0") == 0
    rows = [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]
    last = [row for row in rows if "told" in row][-1]
    assert last["told"] < last["best"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--init", "nowhere"], "nowhere"),
        ([], "--init is needed"),
        (["--set", "latent=0"], "latent"),
    ],
)
def test_bad_input_is_one_line(data, base, tmp_path, capsys, arguments, message) -> None:
    given = ["--data", str(data), "--out", str(tmp_path / "out"), *arguments]
    if "--set" in arguments:
        given += ["--init", str(base)]
    assert variety.main(given) == 1
    error = capsys.readouterr().err.strip().splitlines()[-1]
    assert error.startswith("error: ")
    assert message in error
    assert not (tmp_path / "out" / "weights").exists()


def test_a_generator_without_a_coarse_stage_is_refused(data, tmp_path, capsys) -> None:
    out = tmp_path / "plain"
    changes = ["generator.coarse_widths=[]", "generator.coarse_blocks=[]", "images=4"]
    extra = [word for change in changes for word in ("--set", change)]
    assert gan.main(["--data", str(data), "--preset", "smoke", "--out", str(out), *extra]) == 0
    assert run(data, out, tmp_path / "out") == 1
    assert "no coarse stage" in capsys.readouterr().err
