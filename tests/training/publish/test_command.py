from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml

from tests.hub_server import TOKEN, HubServer, use_hub
from tests.measured import part
from tests.measured import results as as_written
from tests.uncover.standins import SMALL, TinyConfig, TinyDetector, TinySegmenter, use_tiny_finders
from training.gan.discriminators import PatchDiscriminator
from training.gan.settings import GanSettings
from training.publish.card import was_edited
from training.publish.command import main
from training.run.checkpoint import save_checkpoint
from training.run.config import to_dict
from uncover.faces.drawn import draw_face
from uncover.networks.generator import Generator
from uncover.pipeline import Uncoverer
from uncover.weights.components import load_bundle, load_component, save_component
from uncover.weights.config import read_config

REPO = "me/uncover"


@pytest.fixture(autouse=True)
def finders(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    use_tiny_finders(monkeypatch)
    monkeypatch.setenv("UNCOVER_WEIGHTS", str(tmp_path / "no-default"))


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HubServer]:
    with HubServer() as running:
        use_hub(monkeypatch, tmp_path / "cache", running.url, TOKEN)
        yield running


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A finished generator run."""
    folder = tmp_path / "gan"
    torch.manual_seed(0)
    settings = GanSettings(images=64, generator=SMALL)
    notes = {"images": 64, "minutes": 1.5, "settings": to_dict(settings)}
    save_component(folder / "weights", "generator", Generator(SMALL), SMALL, training=notes)
    critics = {
        f"{name}.{key}": value
        for name in ("global", "local")
        for key, value in PatchDiscriminator(getattr(settings, f"d_{name}")).state_dict().items()
    }
    state = {"settings": to_dict(settings), "seen": 64, "critics": critics}
    save_checkpoint(folder / "checkpoint", state)
    table = {"asian": {"0-15": 7, ">60": 1}, "black": {"0-15": 5, "30-60": 2}}
    data = {"sources": ["faces"], "photos": 15, "by_ethnicity_and_pose": table}
    (folder / "data.json").write_text(json.dumps(data))
    rows = [
        {"kind": "train", "images": 32, "hole": 1.0},
        {"kind": "val", "images": 64, "psnr": 9.5},
    ]
    (folder / "log.jsonl").write_text("\n".join(map(json.dumps, rows)) + '\n{"kind": "va')
    return folder


@pytest.fixture
def finder_run(tmp_path: Path) -> Path:
    """A run folder that holds detector and segmenter."""
    folder = tmp_path / "finders"
    for name, cls in (("detector", TinyDetector), ("segmenter", TinySegmenter)):
        save_component(folder / "weights", name, cls(), TinyConfig(), training={"images": 3})
    return folder


def results(path: Path, sha256: str) -> Path:
    """A small results.json in the benchmark's form."""
    gap = {"worst": "black", "best": "asian", "gap": 0.01, "low": 0.002, "high": 0.018}
    values = {"psnr_hole": 19.5, "ssim_hole": 0.61, "lpips": 0.066, "kid": None}
    slices = [part(24, 0.4, **values), part(9, 0.4, {"ethnicity": "asian"}, **values)]
    models = {"telea": (None, slices), "mine": (sha256, slices)}
    gaps = {"ethnicity": {"lpips": {**gap, "by_chance": 0.008}}}
    path.write_text(json.dumps(as_written(models, "drawn", gaps)))
    return path


def args(*runs: Path, **options: Any) -> list[str]:
    found = [*map(str, runs), "--repo", REPO]
    for name, value in options.items():
        found += [f"--{name.replace('_', '-')}", *([] if value is True else [str(value)])]
    return found


def test_a_dry_run_writes_the_folder_and_sends_nothing(
    server: HubServer, run: Path, finder_run: Path, tmp_path: Path, capsys
) -> None:
    out = tmp_path / "out"
    assert main(args(run, finder_run, dry_run=True, out=out)) == 0
    assert {path.name for path in out.iterdir()} == {
        "README.md",
        "config.json",
        "generator.safetensors",
        "segmenter.safetensors",
        "detector.safetensors",
    }
    said = capsys.readouterr().out
    assert "3 networks load strictly" in said
    assert "generator.safetensors" in said
    assert f"dry run: {out} is what would go to {REPO}" in said
    assert server.seen == []
    config = read_config(out)
    assert list(config.components) == ["generator", "segmenter", "detector"]
    assert config.components["generator"].training["val"] == {"psnr": 9.5}
    assert config.data["generator"]["by_ethnicity_and_pose"]["asian"] == {"0-15": 7, ">60": 1}
    assert config.git is None or len(config.git.removesuffix("-dirty")) == 40


def test_the_card_says_what_matters(run: Path, finder_run: Path, tmp_path: Path) -> None:
    sha256 = read_config(run / "weights").components["generator"].sha256
    measured = results(tmp_path / "results.json", sha256)
    out = tmp_path / "out"
    assert main(args(run, finder_run, dry_run=True, out=out, results=measured)) == 0
    assert (out / "results.json").read_bytes() == measured.read_bytes()
    card = (out / "README.md").read_text()
    head = yaml.safe_load(card.split("---")[1])
    assert head["license"] == "cc-by-nc-sa-4.0"
    index = head["model-index"][0]
    assert index["name"] == "uncover"
    found = {m["type"]: m["value"] for r in index["results"] for m in r["metrics"]}
    assert found == {"psnr_hole": 19.5, "ssim_hole": 0.61, "lpips": 0.066}
    for text in (
        "It is never an identification",
        "## Intended use",
        "## Out of scope",
        "| asian | 7 | 0 | 1 |",
        "| generator | 0-15 | 30-60 | >60 |",
        "| ethnicity asian | 9 | 19.5 [19.1, 19.9] |",
        "| ethnicity | LPIPS | asian | black | 0.010 [0.002, 0.018] | 0.008 |",
        "too few",
        "CC BY-NC-SA 4.0",
        "@software{uncover",
        f'from_pretrained("{REPO}"',
        sha256,
    ):
        assert text in card
    assert not was_edited(card)
    assert was_edited(card.replace("Out of scope", "Out"))
    assert was_edited("# My own card\n")
    assert not was_edited(card.replace("\n", "\r\n"))
    assert not was_edited(card.replace("19.5 [19.1, 19.9]", "20.1"))
    assert was_edited(card.replace("<!-- results:end -->", ""))
    assert was_edited(card.replace("- gan\n", "- gan\n- mine\n"))
    head["model-index"] = []
    body = card.split("---\n", 2)[2]
    rewritten = f"---\n{yaml.safe_dump(head)}---\n{body}"
    assert not was_edited(rewritten)
    assert read_config(out).results["lpips"] == 0.066


def test_results_of_other_weights_are_refused(
    run: Path, finder_run: Path, tmp_path: Path, capsys
) -> None:
    measured = results(tmp_path / "results.json", "f" * 64)
    assert main(args(run, finder_run, dry_run=True, results=measured)) == 1
    assert "measured other weights (telea, mine)" in capsys.readouterr().err
    assert not (run / "publish").exists()


def test_publish_pull_fill_is_byte_identical(
    server: HubServer, run: Path, finder_run: Path, capsys
) -> None:
    assert main(args(run, finder_run, tag="v1")) == 0
    repo = server.repo(REPO)
    assert len(repo.commits) == 2
    assert repo.tags["v1"] == repo.refs["main"]
    assert "as v1" in capsys.readouterr().out
    here = load_bundle(run / "publish")
    there = load_bundle(REPO, revision="v1")
    assert there.sha256 == here.sha256
    image = draw_face(3, 256).image
    hole = np.zeros(image.shape[:2], dtype=bool)
    hole[130:220, 70:190] = True
    pictures = [
        Uncoverer(b.detector, b.segmenter, b.generator).fill(image, hole).image.tobytes()
        for b in (here, there)
    ]
    assert pictures[0] == pictures[1]


def test_missing_networks_come_from_the_base(
    run: Path, finder_run: Path, tmp_path: Path, capsys
) -> None:
    assert main(args(run, dry_run=True)) == 1
    assert "no segmenter in the runs given" in capsys.readouterr().err
    assert main(args(run, dry_run=True, base=finder_run / "weights")) == 0
    assert load_bundle(run / "publish").detector is not None


def test_discriminators_go_along_on_request(run: Path, finder_run: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert main(args(run, finder_run, dry_run=True, out=out, include_discriminators=True)) == 0
    critic = load_component(out, "discriminator_local")
    assert isinstance(critic, PatchDiscriminator)
    assert critic.config.window == 96
    assert main(args(run, finder_run, dry_run=True, out=out)) == 0
    assert not (out / "discriminator_local.safetensors").exists()


def test_a_card_edited_on_the_hub_is_kept(
    server: HubServer, run: Path, finder_run: Path, capsys
) -> None:
    assert main(args(run, finder_run)) == 0
    first = server.repo(REPO).files["README.md"]
    assert main(args(run, finder_run, include_discriminators=True)) == 0
    second = server.repo(REPO).files["README.md"]
    assert first != second
    theirs = second.replace(b"a guess", b"a mere guess")
    server.add(REPO, {"README.md": theirs})
    capsys.readouterr()
    assert main(args(run, finder_run)) == 0
    assert server.repo(REPO).files["README.md"] == theirs
    assert "edited by hand: it is kept" in capsys.readouterr().out


def test_a_card_edited_here_goes_up(server: HubServer, run: Path, finder_run: Path) -> None:
    assert main(args(run, finder_run, dry_run=True)) == 0
    card = run / "publish" / "README.md"
    card.write_text(card.read_text() + "\nMine.\n")
    assert main(args(run, finder_run)) == 0
    assert server.repo(REPO).files["README.md"].endswith(b"\nMine.\n")


def test_a_pull_request(server: HubServer, run: Path, finder_run: Path, capsys) -> None:
    server.add(REPO, {"README.md": b"# Somebody's\n"})
    assert main(args(run, finder_run, create_pr=True)) == 0
    assert "discussions/1" in capsys.readouterr().out
    assert "config.json" not in server.repo(REPO).files
    proposed = server.repo(REPO).commits[server.repo(REPO).pull_requests[0]]
    assert proposed["README.md"] == b"# Somebody's\n"
    assert "generator.safetensors" in proposed


def test_without_a_token(
    server: HubServer, run: Path, finder_run: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    monkeypatch.delenv("HF_TOKEN")
    assert main(args(run, finder_run)) == 1
    assert "hf auth login" in capsys.readouterr().err
    assert server.seen == []


def _no_weights(run: Path) -> None:
    (run / "weights" / "config.json").unlink()


def _altered(run: Path) -> None:
    path = run / "weights" / "generator.safetensors"
    path.write_bytes(path.read_bytes()[:-1] + b"\x01")


def _no_notes(run: Path) -> None:
    path = run / "weights" / "config.json"
    config = json.loads(path.read_text())
    config["components"]["generator"]["training"] = {}
    path.write_text(json.dumps(config))


def _wild(run: Path) -> None:
    network = Generator(SMALL)
    with torch.no_grad():
        network.to_rgb.bias.fill_(50)
    save_component(run / "weights", "generator", network, SMALL, training={"images": 1})


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (_no_weights, "not a finished run"),
        (_altered, "was altered"),
        (_no_notes, "does not say how it was trained"),
        (_wild, "the fill is no picture"),
    ],
)
def test_a_run_that_is_not_right_is_not_published(
    server: HubServer, run: Path, finder_run: Path, spoil, message: str, capsys
) -> None:
    spoil(run)
    assert main(args(run, finder_run)) == 1
    said = capsys.readouterr().err
    assert message in said
    assert said.startswith("error: ")
    assert said.count("\n") == 1
    assert ("model", REPO) not in server.repos
    assert not (run / "publish").exists()


def test_wrong_arguments(run: Path, finder_run: Path, tmp_path: Path, capsys) -> None:
    assert main([str(run), "--repo", "nameless", "--dry-run"]) == 1
    assert "--repo must be user/name" in capsys.readouterr().err
    assert main(args(tmp_path / "none", dry_run=True)) == 1
    assert "no run folder" in capsys.readouterr().err
    assert main(args(finder_run, finder_run, dry_run=True)) == 1
    assert "both hold a detector" in capsys.readouterr().err
