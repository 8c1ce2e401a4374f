from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hub_server import HubServer, use_hub
from tests.measured import part, results
from tests.uncover.standins import TinyConfig, trained_tiny, use_tiny
from uncover.commands.weights import main
from uncover.weights import read_config
from uncover.weights.components import load_bundle, save_component

NAME = "me/uncover"


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HubServer]:
    use_tiny(monkeypatch)
    monkeypatch.setenv("UNCOVER_WEIGHTS", str(tmp_path / "default"))
    folder = tmp_path / "source"
    for name in ("generator", "segmenter", "detector"):
        save_component(folder, name, trained_tiny(), TinyConfig())
    config = json.loads((folder / "config.json").read_text())
    config["results"] = {"lpips": 0.07}
    (folder / "config.json").write_text(json.dumps(config))
    with HubServer() as running:
        use_hub(monkeypatch, tmp_path / "cache", running.url, token=None)
        running.add(NAME, {path.name: path.read_bytes() for path in folder.iterdir()})
        yield running


def test_pull_show_verify(server: HubServer, tmp_path: Path, capsys) -> None:
    assert main(["weights", "show"]) == 0
    assert "no weights here" in capsys.readouterr().out
    assert main(["weights", "pull", NAME, "--out", str(tmp_path / "copy")]) == 0
    said = capsys.readouterr().out
    assert NAME in said
    assert f"copied to {tmp_path / 'copy'}" in said
    bundle = load_bundle(NAME)
    assert load_bundle(tmp_path / "copy").sha256 == bundle.sha256
    assert main(["weights", "show"]) == 0
    said = capsys.readouterr().out
    for text in (f"{NAME} @ main", "cc-by-nc-sa-4.0", bundle.sha256, "lpips 0.07", "MiB"):
        assert text in said
    assert main(["weights", "show", NAME, "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)[0]
    assert shown["sha256"] == bundle.sha256
    assert shown["files"]["generator.safetensors"]["here"] is True
    assert main(["weights", "verify"]) == 0
    assert capsys.readouterr().out.startswith(f"ok      {NAME} @ main: 3 files")


def test_results_beside_the_weights_are_shown(server: HubServer, tmp_path: Path, capsys) -> None:
    copy = tmp_path / "copy"
    main(["weights", "pull", NAME, "--out", str(copy)])
    sha256 = read_config(copy).components["generator"].sha256
    capsys.readouterr()
    for measured, said in ((sha256, "lpips 0.05"), ("of other weights", "lpips 0.07")):
        content = results({"ours": (measured, [part(20, lpips=0.05, psnr_hole=21.0)])})
        (copy / "results.json").write_text(json.dumps(content))
        assert main(["weights", "show", str(copy)]) == 0
        assert said in capsys.readouterr().out


def test_verify_names_what_is_wrong(server: HubServer, tmp_path: Path, capsys) -> None:
    main(["weights", "pull", NAME, "--out", str(tmp_path / "default")])
    path = tmp_path / "default" / "detector.safetensors"
    path.write_bytes(path.read_bytes()[:-1] + b"\x07")
    capsys.readouterr()
    assert main(["weights", "verify"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    assert lines[0].startswith("refused default: detector.safetensors was altered")
    assert lines[1].startswith(f"ok      {NAME}")
    path.unlink()
    assert main(["weights", "verify", str(tmp_path / "default")]) == 1
    assert "detector.safetensors is missing" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["weights", "pull", "me/nothing"], "not found on the Hub"),
        (["weights", "pull", NAME, "--revision", "v9"], "no such revision"),
        (["weights", "show", "nowhere"], "neither a weights folder nor a Hub repo"),
        (["weights", "show", NAME], "not in the cache"),
        (["weights", "verify"], "no weights here to verify"),
        (["weights", "verify", "model.pt"], "model.pt is refused"),
        (["export", "onnx", "--out", "x"], "no weights lie in"),
    ],
)
def test_errors_are_one_line(server: HubServer, argv: list[str], message: str, capsys) -> None:
    assert main(argv) == 1
    said = capsys.readouterr().err
    assert message in said
    assert said.startswith("error: ")
    assert said.count("\n") == 1
