"""The loop: it learns, resumes bit-exactly and stops cleanly."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from training.gan import loop as gan
from training.publish.bundle import merge_runs
from training.run.checkpoint import load_checkpoint
from uncover.faces.drawn import write_drawn_faces
from uncover.weights.components import load_component
from uncover.weights.sources import default_folder


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    return write_drawn_faces(tmp_path_factory.mktemp("data"), 15, seed=2, size=96)


def run(drawn, out, *extra):
    return gan.main(["--data", str(drawn), "--preset", "smoke", "--out", str(out), *extra])


@pytest.fixture(scope="module")
def whole(drawn, tmp_path_factory):
    out = tmp_path_factory.mktemp("runs") / "whole"
    assert run(drawn, out) == 0
    return out


def test_run_folder_holds_what_it_should(whole):
    assert sorted(p.name for p in (whole / "sheets").iterdir()) == [
        "000000016.png",
        "000000032.png",
    ]
    rows = [json.loads(line) for line in (whole / "log.jsonl").read_text().splitlines()]
    last = [r for r in rows if r["kind"] == "train"][-1]
    named = {"known", "hole", "d_global", "d_local", "g_global", "g_local", "matching"}
    assert named <= last.keys()
    stages = ("data", "generator", "discriminators", "losses", "backward")
    rates = [last[f"per_second_{stage}"] for stage in stages]
    assert min(last["per_second"], *rates) > 0
    assert {"psnr_hole", "ssim"} <= next(r for r in rows if r["kind"] == "val").keys()
    assert list((whole / "log").iterdir())
    assert json.loads((whole / "settings.json").read_text())["images"] == 32
    assert json.loads((whole / "data.json").read_text())["photos"] == 9


def test_the_saved_weights_are_the_average(whole):
    state = load_checkpoint(whole / "checkpoint")
    saved = load_component(whole / "weights", "generator").state_dict()
    for key, value in state["ema"].items():
        assert torch.allclose(saved[key], value, atol=2e-3), key
    assert any(not torch.equal(state["ema"][k], state["model"][k]) for k in state["model"])


def test_resume_is_bit_exact(drawn, whole, tmp_path):
    out = tmp_path / "stopped"
    assert run(drawn, out, "--max-minutes", "0") == 0  # one step, of the coarse stage
    assert load_checkpoint(out / "coarse" / "checkpoint")["seen"] == 4
    assert not (out / "checkpoint").exists()
    while not (out / "checkpoint").exists():
        assert run(drawn, out, "--resume", "--max-minutes", "0") == 0
    assert load_checkpoint(out / "checkpoint")["seen"] == 4  # and one of the fine stage
    assert run(drawn, out, "--resume") == 0
    one, two = (load_file(f / "checkpoint" / "tensors.safetensors") for f in (whole, out))
    assert one.keys() == two.keys()
    different = [k for k in one if not torch.equal(one[k], two[k])]
    assert different == []


def test_a_second_run_in_the_same_folder_is_refused(drawn, whole, capsys):
    assert run(drawn, whole) == 1
    assert "--resume" in capsys.readouterr().err


def test_the_coarse_stage_learns_first_and_is_kept(whole):
    coarse = load_checkpoint(whole / "coarse" / "checkpoint")["ema"]
    state = load_checkpoint(whole / "checkpoint")
    assert all(torch.equal(value, state["model"][f"coarse.{key}"]) for key, value in coarse.items())
    rows = [json.loads(line) for line in (whole / "coarse" / "log.jsonl").read_text().splitlines()]
    assert {"per_second_data", "per_second_network"} <= rows[-2].keys()
    scores = [row["psnr_hole"] for row in rows if row["kind"] == "val"]
    assert len(scores) == 2
    assert scores[1] > scores[0]


def test_other_settings_of_the_coarse_stage_are_refused(drawn, tmp_path, capsys):
    out = tmp_path / "coarse"
    assert run(drawn, out, "--max-minutes", "0") == 0
    assert run(drawn, out, "--resume", "--set", "coarse.rate=1e-2") == 1
    assert "coarse.rate was 0.001" in capsys.readouterr().err


def test_resume_with_other_settings_is_refused(drawn, whole, capsys):
    assert run(drawn, whole, "--resume", "--set", "rate=1e-3") == 1
    assert "other settings" in capsys.readouterr().err


def taken_over(whole: Path, out: Path) -> bool:
    """Whether a run at rate zero has the average of another, but for the statistics of norms."""
    before, after = (load_checkpoint(f / "checkpoint") for f in (whole, out))
    learned = [k for k in before["ema"] if "running" not in k and "num_batches" not in k]
    return all(torch.equal(before["ema"][k], after["model"][k]) for k in learned)


def test_init_takes_the_weights_of_another_run(drawn, whole, tmp_path):
    out = tmp_path / "next"
    changes = ["--set", "images=4", "--set", "rate=0.0", "--set", "rate_d=0.0"]
    changes += ["--set", "coarse.frozen=true"]
    assert run(drawn, out, "--init", str(whole), *changes) == 0
    assert taken_over(whole, out)
    assert not (out / "coarse").exists()
    assert run(drawn, out, "--resume", *changes) == 0


def test_init_lets_the_coarse_stage_learn_on(drawn, whole, tmp_path):
    out = tmp_path / "on"
    changes = ["--set", "images=4", "--set", "rate=0.0", "--set", "rate_d=0.0"]
    changes += ["--set", "coarse.rate=0.0"]
    assert run(drawn, out, "--init", str(whole), *changes) == 0
    assert taken_over(whole, out)
    assert load_checkpoint(out / "coarse" / "checkpoint")["settings"]["init"] == str(whole)
    assert run(drawn, tmp_path / "alone", "--set", "coarse.frozen=true") == 1


def test_the_coarse_stage_can_be_taught_by_the_one_it_began_with(drawn, whole, tmp_path, capsys):
    changes = ["--init", str(whole), "--set", "coarse.taught=0.5", "--set", "images=4"]
    straight, cut = tmp_path / "straight", tmp_path / "cut"
    assert run(drawn, straight, *changes) == 0
    assert run(drawn, cut, *changes, "--max-minutes", "0") == 0
    assert not (cut / "checkpoint").exists()
    assert run(drawn, cut, *changes, "--resume") == 0
    one, two = (load_checkpoint(f / "coarse" / "checkpoint") for f in (straight, cut))
    assert all(torch.equal(value, two["model"][key]) for key, value in one["model"].items())
    began = load_checkpoint(whole / "checkpoint")["ema"]
    for name, value in one["teacher"].items():
        assert torch.allclose(value, began[f"coarse.{name}"], atol=2e-3), name
    alone = tmp_path / "alone"
    assert run(drawn, alone, *changes[:2], "--set", "images=4") == 0
    other = load_checkpoint(alone / "coarse" / "checkpoint")
    assert "teacher" not in other
    assert any(not torch.equal(value, other["model"][key]) for key, value in one["model"].items())
    assert run(drawn, tmp_path / "wrong", *changes[2:]) == 1
    assert "--init" in capsys.readouterr().err


def test_the_coarse_stage_can_learn_on_beside_the_fine_one(drawn, whole, tmp_path):
    kept = load_checkpoint(whole / "checkpoint")["ema"]

    def moved(name: str, *changes: str) -> bool:
        settings = ["images=4", "coarse.frozen=true", *changes]
        words = [word for setting in settings for word in ("--set", setting)]
        assert run(drawn, tmp_path / name, "--init", str(whole), *words) == 0
        after = load_checkpoint(tmp_path / name / "checkpoint")["model"]
        statistics = [k for k in kept if k.startswith("coarse.") and "running" in k]
        assert all(torch.equal(kept[k], after[k]) for k in statistics)
        return not torch.equal(kept["coarse.to_rgb.weight"], after["coarse.to_rgb.weight"])

    assert moved("tuned", "coarse.tune=0.5")
    assert not moved("kept", "coarse.tune=0")
    assert run(drawn, tmp_path / "wrong", "--set", "coarse.tune=-1") == 1
    assert run(drawn, tmp_path / "wrong", "--set", "coarse.taught=1") == 1


def published(drawn, whole, tmp_path, told, start):
    """A run that learns nothing, from the weights of another as published, critics `told` or not.

    Args:
        start: runs the command with these words; gives back its exit code and its stderr.

    Returns:
        Whether the critics are the other run's: of the whole picture, and of the mask.
    """
    changes = ["seed=5", "images=4", "rate=0.0", "rate_d=0.0", "coarse.frozen=true"]
    folder, out = tmp_path / "weights", tmp_path / "run"
    merge_runs([whole], folder, base=default_folder(), discriminators=told)
    words = ["--data", str(drawn), "--preset", "smoke", "--out", str(out), "--init", str(folder)]
    code, said = start(words + [word for change in changes for word in ("--set", change)])
    assert code == 0, said
    assert ("starts from scratch" in said) is not told
    before, after = (load_checkpoint(f / "checkpoint") for f in (whole, out))
    weight = "to_rgb.weight"
    assert torch.allclose(before["ema"][weight], after["model"][weight], atol=2e-3)
    keys = [
        next(k for k in after["critics"] if k[: len(name)] == name and "original" in k)
        for name in ("global", "local")
    ]
    return [torch.allclose(before["critics"][k], after["critics"][k], atol=2e-3) for k in keys]


def test_init_takes_published_weights(drawn, whole, tmp_path):
    # In a process of its own, which knows discriminators only if training.gan makes it.
    def start(words):
        command = [sys.executable, "-m", "training.gan", *words]
        done = subprocess.run(command, capture_output=True, text=True)
        return done.returncode, done.stderr

    assert published(drawn, whole, tmp_path, True, start) == [True, True]


def test_without_published_critics_they_start_from_scratch(drawn, whole, tmp_path, capsys):
    def start(words):
        return gan.main(words), capsys.readouterr().err

    assert published(drawn, whole, tmp_path, False, start) == [False, False]


def test_weights_of_another_shape_say_what_theirs_is(drawn, whole, tmp_path, capsys):
    command = ["--data", str(drawn), "--preset", "smoke", "--out", str(tmp_path / "o")]
    wider = ["--set", "generator.detail_width=9", "--set", "losses.perceptual=0"]
    assert gan.main([*command, *wider, "--init", str(whole / "weights")]) == 1
    error = capsys.readouterr().err.strip().splitlines()[-1]
    assert "networks of another shape; its generator has detail_width=8: " in error


def test_seed_preset_trains_the_original_model(drawn, tmp_path):
    out = tmp_path / "seed"
    changes = ["images=4", "batch=2", "generator.resolution=64", "eval_faces=2", "threads=1"]
    changes += ["d_local.window=32", "bottleneck=16"]
    command = ["--data", str(drawn), "--preset", "seed", "--out", str(out)]
    code = gan.main(command + [word for change in changes for word in ("--set", change)])
    assert code == 0
    assert load_component(out / "weights", "seed_generator").config.resolution == 64


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--preset", "none"], "no preset"),
        (["--set", "colour=1"], "unknown key"),
        (["--data", "nowhere"], "no such folder"),
        (["--resume"], "without --resume"),
    ],
)
def test_mistakes_are_one_line(drawn, tmp_path, capsys, arguments, message):
    data = [] if "--data" in arguments else ["--data", str(drawn)]
    preset = [] if "--preset" in arguments else ["--preset", "smoke"]
    assert gan.main([*data, *preset, "--out", str(tmp_path / "o"), *arguments]) == 1
    error = capsys.readouterr().err.strip()
    assert error.startswith("error: ")
    assert message in error
    assert "\n" not in error


def test_discriminators_in_turn_both_learn(drawn, whole, tmp_path):
    out = tmp_path / "turns"
    changes = ["critics_in_turn=true", "adversarial_from=0.0", "coarse.frozen=true"]
    extra = [word for change in changes for word in ("--set", change)]
    assert run(drawn, out, "--init", str(whole), *extra) == 0
    rows = [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]
    assert {"d_global", "d_local", "matching"} <= {key for row in rows for key in row}
    before, after = (load_checkpoint(f / "checkpoint")["critics"] for f in (whole, out))
    for name in ("global", "local"):
        key = f"{name}.head.parametrizations.weight.original"
        assert not torch.equal(before[key], after[key])


def test_a_run_is_held_to_what_published_weights_paint(drawn, whole, tmp_path):
    held = ("--set", "losses.layout=1000", "--set", "coarse.frozen=true")
    free = ("--set", "losses.layout=0.001", *held[2:])
    same = ("--init", str(whole / "weights"), "--set", "rate=3e-3")
    ends = []
    for out, layout in ((tmp_path / "held", held), (tmp_path / "free", free)):
        assert run(drawn, out, *same, *layout) == 0
        rows = [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]
        ends.append([row["layout"] for row in rows if row["kind"] == "train"][-1])
    assert ends[0] < 0.7 * ends[1]


def test_a_run_that_is_held_resumes_with_what_its_folder_keeps(drawn, whole, tmp_path, capsys):
    layout = ("--set", "losses.layout=5", "--set", "coarse.frozen=true")
    start = ("--init", str(whole / "weights"))
    straight, cut = tmp_path / "straight", tmp_path / "cut"
    assert run(drawn, straight, *start, *layout) == 0
    assert run(drawn, cut, *start, *layout, "--max-minutes", "0") == 0
    assert run(drawn, cut, *layout, "--resume") == 0
    one, two = (load_checkpoint(out / "checkpoint")["model"] for out in (straight, cut))
    assert all(torch.equal(value, two[key]) for key, value in one.items())
    assert run(drawn, tmp_path / "none", *layout[:2]) == 1
    assert "losses.layout needs --init" in capsys.readouterr().err
