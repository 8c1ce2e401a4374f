"""The generator's loop on shards: from a folder or a URL, cut and resumed."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from tests.training.file_server import served
from training.data.opening import is_sharded
from training.gan import loop as gan
from training.pack import pack
from training.run import INDEX_NAME, data_source
from training.run.checkpoint import load_checkpoint
from uncover.errors import UncoverError
from uncover.faces.drawn import write_drawn_faces
from uncover.faces.manifest import MANIFEST_NAME

pytest.importorskip("webdataset")


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = write_drawn_faces(tmp_path_factory.mktemp("data"), 15, seed=2, size=96)
    pack(folder, 3, 64)
    return folder


@pytest.fixture(scope="module")
def shards(prepared: Path) -> Path:
    return prepared / "shards"


def run(source: object, out: Path, *extra: str) -> int:
    return gan.main(["--data", str(source), "--preset", "smoke", "--out", str(out), *extra])


def weights(run_folder: Path) -> dict[str, torch.Tensor]:
    """Everything a run remembers, both stages."""
    coarse = load_file(run_folder / "coarse" / "checkpoint" / "tensors.safetensors")
    fine = load_file(run_folder / "checkpoint" / "tensors.safetensors")
    return {f"coarse/{k}": v for k, v in coarse.items()} | fine


@pytest.fixture(scope="module")
def whole(shards: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "whole"
    assert run(shards, out) == 0
    return out


def test_a_run_says_what_the_shards_hold(prepared: Path, whole: Path) -> None:
    held = json.loads((whole / "data.json").read_text())
    assert held["sources"] == [prepared.name]
    assert held["photos"] == 9
    assert sum(sum(row.values()) for row in held["by_ethnicity_and_pose"].values()) == 9


def test_cut_and_resumed_by_url_is_bit_exact(shards: Path, whole: Path, tmp_path: Path) -> None:
    out = tmp_path / "cut"
    with served(shards) as url:
        assert run(url, out, "--max-minutes", "0") == 0  # one step, of the coarse stage
        assert load_checkpoint(out / "coarse" / "checkpoint")["seen"] == 4
        while not (out / "checkpoint").exists():
            assert run(f"{url}/{INDEX_NAME}", out, "--resume", "--max-minutes", "0") == 0
        assert load_checkpoint(out / "checkpoint")["seen"] == 4  # and one of the fine stage
        assert run(url, out, "--resume") == 0
    one, two = weights(whole), weights(out)
    assert one.keys() == two.keys()
    assert [k for k in one if not torch.equal(one[k], two[k])] == []


def test_a_prepared_folder_without_its_photos_is_read_from_its_shards(
    shards: Path, whole: Path, tmp_path: Path
) -> None:
    shutil.copytree(shards, tmp_path / "moved" / "shards")
    assert not (tmp_path / "moved" / MANIFEST_NAME).exists()
    assert run(tmp_path / "moved", tmp_path / "run") == 0
    one, two = weights(whole), weights(tmp_path / "run")
    assert [k for k in one if not torch.equal(one[k], two[k])] == []


def test_what_data_may_name(prepared: Path, shards: Path) -> None:
    assert data_source(str(shards / INDEX_NAME), shards=True) == shards
    assert data_source("https://host/faces", shards=True) == "https://host/faces"
    assert not is_sharded(prepared)  # its photos are there
    assert is_sharded(shards)
    assert is_sharded("https://host/faces")
    for text in (str(shards / INDEX_NAME), "https://host/faces"):
        with pytest.raises(UncoverError, match="no such folder"):
            data_source(text, shards=False)


def test_mistakes_are_one_line(prepared: Path, shards: Path, tmp_path: Path, capsys) -> None:
    def refused(*extra: str, source: Path = shards) -> str:
        assert run(source, tmp_path / "o", *extra) == 1
        error = capsys.readouterr().err.strip()
        assert error.startswith("error: ")
        assert "\n" not in error
        return error

    assert "pack" in refused("--data", str(prepared))
    assert "no such folder" in refused(source=shards / "nowhere")
    assert "set fewer workers" in refused("--set", "workers=4")
    assert "--resolution 128" in refused("--set", "generator.resolution=128")
    assert "cannot be fetched" in refused("--data", "http://127.0.0.1:9/shards")


def test_a_workers_error_is_one_line(shards: Path, tmp_path: Path, capfd) -> None:
    copy = tmp_path / "shards"
    shutil.copytree(shards, copy)
    for file in copy.glob("train-*.tar"):
        file.write_bytes(b"cut short")
    assert run(copy, tmp_path / "o", "--set", "workers=1") == 1
    errors = [line for line in capfd.readouterr().err.splitlines() if "error: " in line.lower()]
    assert len(errors) == 1
    assert errors[0].startswith(f"error: {copy}")
    assert errors[0].endswith("fetch it again")
