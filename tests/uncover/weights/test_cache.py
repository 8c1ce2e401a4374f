from __future__ import annotations

import json
import os
import pickle
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.hub_server import HubServer, Repo, use_hub
from tests.uncover.standins import SMALL, TinyConfig, trained_tiny, use_tiny
from uncover.errors import WeightsError
from uncover.networks.generator import Generator
from uncover.weights import hub
from uncover.weights.cache import pull, pulled
from uncover.weights.components import load_bundle, load_component, save_component

NAME = "me/uncover"


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HubServer]:
    use_tiny(monkeypatch)
    with HubServer() as running:
        use_hub(monkeypatch, tmp_path / "cache", running.url, token=None)
        yield running


NOTES = {"README.md": b"card", "results.json": b"{}"}


def weights(folder: Path, seed: int) -> dict[str, bytes]:
    """The files of a tiny weights folder."""
    for number, name in enumerate(("generator", "segmenter", "detector", "discriminator_global")):
        save_component(folder, name, trained_tiny(seed + number), TinyConfig())
    return {path.name: path.read_bytes() for path in folder.iterdir()} | NOTES


@pytest.fixture
def repo(server: HubServer, tmp_path: Path) -> Repo:
    return server.add(
        NAME, weights(tmp_path / "one", 0) | {"evil.pt": b"x", "big.safetensors": b"y"}
    )


def test_only_the_files_that_the_config_names_are_pulled(server: HubServer, repo: Repo) -> None:
    folder = pull(NAME)
    names = {"config.json", *NOTES, "generator.safetensors", "segmenter.safetensors"}
    assert {path.name for path in folder.iterdir()} == names | {"detector.safetensors"}
    everything = pull(NAME, files="all")
    assert {p.name for p in everything.iterdir()} == names | {
        "detector.safetensors",
        "discriminator_global.safetensors",
    }
    assert list(pulled()) == [(NAME, "main", folder)]
    assert server.count("evil.pt") == server.count("big.safetensors") == 0


def test_an_enlarger_is_pulled_for_painting(server: HubServer, tmp_path: Path) -> None:
    weights(tmp_path / "one", 0)
    save_component(tmp_path / "one", "enlarger", trained_tiny(9), TinyConfig(resolution=64))
    server.add("me/fine", {p.name: p.read_bytes() for p in (tmp_path / "one").iterdir()})
    folder = pull("me/fine")
    assert (folder / "enlarger.safetensors").exists()
    assert not (folder / "discriminator_global.safetensors").exists()
    assert load_bundle("me/fine").enlarger is not None


def test_a_second_load_asks_only_for_the_commit(server: HubServer, repo: Repo) -> None:
    first = load_bundle(NAME)
    before = len(server.seen)
    again = load_bundle(NAME)
    assert again.sha256 == first.sha256
    assert len(server.seen) == before + 1
    load_bundle(NAME, local_files_only=True)
    assert len(server.seen) == before + 1


def test_the_environment_may_name_a_repo(
    server: HubServer, repo: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo.tags["v1"] = repo.refs["main"]
    monkeypatch.setenv("UNCOVER_WEIGHTS", f"{NAME}@v1")
    assert load_bundle().sha256 == load_bundle(NAME).sha256
    assert [revision for _, revision, _ in pulled()] == ["main", "v1"]


def test_revisions(server: HubServer, repo: Repo, tmp_path: Path) -> None:
    old = repo.refs["main"]
    repo.tags["v1"] = old
    first = load_bundle(NAME, revision="v1")
    server.add(NAME, weights(tmp_path / "two", 10))
    assert load_bundle(NAME).sha256 != first.sha256
    assert load_bundle(NAME, revision=old).sha256 == first.sha256
    assert load_bundle(NAME, revision=old, local_files_only=True).sha256 == first.sha256
    with pytest.raises(WeightsError, match="no such revision"):
        load_bundle(NAME, revision="v9")


def _flip(data: bytes) -> bytes:
    return data[:-1] + bytes([data[-1] ^ 1])


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("generator.safetensors", _flip, "generator.safetensors was altered"),
        ("generator.safetensors", lambda data: data[:-7], "bytes, its config.json says"),
        ("generator.safetensors", lambda data: pickle.dumps({}), "bytes, its config.json says"),
        ("config.json", lambda data: data[:-40], "not valid JSON"),
        ("config.json", lambda data: data.replace(b"uncover/1", b"uncover/2"), "format is"),
        ("config.json", lambda data: b" " * 2**21, "absurdly large"),
        ("config.json", lambda data: data.replace(b"generator.safe", b"evil.safe"), "must lie in"),
    ],
)
def test_the_previous_good_version_stays_in_use(
    server: HubServer, repo: Repo, caplog: pytest.LogCaptureFixture, name, change, message
) -> None:
    good = load_bundle(NAME)
    server.add(NAME, {name: change(repo.files[name])})
    caplog.clear()
    again = load_bundle(NAME)
    assert again.folder == good.folder
    assert again.sha256 == good.sha256
    said = [record.getMessage() for record in caplog.records if record.name == "uncover"]
    assert len(said) == 1
    assert message in said[0]
    assert "the previous good version" in said[0]


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("generator.safetensors", _flip, "was altered"),
        ("generator.safetensors", lambda data: data[:-7], "its config.json says"),
        ("config.json", lambda data: b"[]", "must hold a JSON object"),
    ],
)
def test_with_no_good_version_it_is_refused(
    server: HubServer, repo: Repo, name, change, message
) -> None:
    server.add(NAME, {name: change(repo.files[name])})
    for _ in range(2):
        with pytest.raises(WeightsError, match=message) as caught:
            pull(NAME)
        assert "\n" not in str(caught.value)
    with pytest.raises(WeightsError, match="not in the cache"):
        pull(NAME, local_files_only=True)
    server.add(NAME, {name: weights(Path(hub.cache_dir()) / "again", 0)[name]})
    assert load_bundle(NAME).sha256


def test_bytes_spoilt_on_the_way_are_fetched_again(server: HubServer, repo: Repo) -> None:
    server.fail("GET .*generator.safetensors", flip=True)
    load_bundle(NAME)
    assert server.count("GET .*generator.safetensors") == 2


def test_a_cache_that_rots_is_mended(server: HubServer, repo: Repo) -> None:
    folder = pull(NAME)
    blob = (folder / "segmenter.safetensors").resolve()
    blob.write_bytes(_flip(blob.read_bytes()))
    with pytest.raises(WeightsError, match="not in the cache"):
        pull(NAME, local_files_only=True)
    load_bundle(NAME)
    assert blob.read_bytes() == repo.files["segmenter.safetensors"]


def test_a_half_downloaded_version_is_not_used(
    server: HubServer, repo: Repo, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    good = pull(NAME)
    server.add(NAME, weights(tmp_path / "two", 10))
    server.fail("GET .*detector.safetensors", cut=100, times=99)
    assert pull(NAME) == good
    assert "previous good version" in caplog.text
    assert pull(NAME, local_files_only=True) == good
    server.faults.clear()
    assert pull(NAME) != good


@pytest.mark.parametrize("fault", [{"status": 500}, {"status": 401}, {"status": 404}])
def test_a_failing_hub_leaves_what_was_pulled(
    server: HubServer, repo: Repo, caplog: pytest.LogCaptureFixture, fault: dict
) -> None:
    good = pull(NAME)
    server.fail(".", times=999, **fault)
    assert pull(NAME) == good
    assert "previous good version" in caplog.text


def test_offline(server: HubServer, repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(WeightsError, match="cannot be reached"):
        load_bundle(NAME)
    monkeypatch.setenv("HF_ENDPOINT", server.url)
    first = load_bundle(NAME)
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    assert load_bundle(NAME).sha256 == first.sha256
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    assert load_bundle(NAME).sha256 == first.sha256


def test_a_cache_that_cannot_be_written_is_read(server: HubServer, repo: Repo) -> None:
    first = pull(NAME)
    shutil.rmtree(hub.cache_dir() / ".locks")
    (hub.cache_dir() / ".locks").touch()  # so that no lock can be made there, not even by root
    record = hub.repo_cache(NAME) / "uncover.json"
    record.unlink()
    record.mkdir()
    assert pull(NAME) == first


def test_a_cache_that_huggingface_hub_filled_is_used_offline(server: HubServer, repo: Repo) -> None:
    commit = pull(NAME).name
    cache = hub.repo_cache(NAME)
    (cache / "uncover.json").unlink()
    (cache / "refs").mkdir(exist_ok=True)
    (cache / "refs" / "main").write_text(commit)
    assert pull(NAME, local_files_only=True).name == commit
    assert pull(NAME, revision=commit, local_files_only=True).name == commit


def test_an_empty_cache_that_cannot_be_written_is_named(
    server: HubServer, repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    use_hub(monkeypatch, tmp_path / "file" / "cache", server.url, token=None)
    with pytest.raises(WeightsError, match=r"cache/hub cannot be written .*: set HF_HOME"):
        pull(NAME)


@pytest.mark.parametrize("name", ["pytorch_model.bin", "model.pt", "g.pkl", "last.ckpt"])
def test_a_repo_of_pickles_is_refused_by_name(server: HubServer, name: str) -> None:
    server.add(NAME, {name: pickle.dumps({}), "README.md": b"card"})
    with pytest.raises(WeightsError, match=f"{name} is refused"):
        pull(NAME)
    assert server.count(f"resolve/.*{name}") == 0


def test_a_repo_name_must_be_one(server: HubServer) -> None:
    for name in ("nowhere", "a/b/c", "me/..", "me/un cover"):
        with pytest.raises(WeightsError, match="neither a weights folder nor a Hub repo"):
            load_bundle(name)
    assert server.seen == []


def test_two_processes_pull_at_once(server: HubServer, repo: Repo, tmp_path: Path) -> None:
    environment = os.environ | {
        "HF_ENDPOINT": server.url,
        "HF_HOME": str(tmp_path / "home"),
        "HF_HUB_DISABLE_XET": "1",
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    }
    environment.pop("HF_HUB_CACHE", None)
    code = f"from uncover.weights.cache import pull; print(pull({NAME!r}))"
    server.fail("GET .*safetensors", slow=0.2, times=3)
    both = [
        subprocess.Popen(
            [sys.executable, "-c", code],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    said = [process.communicate(timeout=60) for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    assert said[0][0] == said[1][0]
    assert server.count("GET .*safetensors") == 3
    folder = Path(said[0][0].strip())
    for name in ("generator", "segmenter", "detector"):
        load_component(folder, name)


def test_publish_pull_fill_gives_the_same_bytes(
    server: HubServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    use_hub(monkeypatch, tmp_path / "cache", server.url, token="hf_stand_in_token")
    torch.manual_seed(0)
    save_component(tmp_path / "w", "generator", Generator(SMALL), SMALL)
    files = [path.name for path in (tmp_path / "w").iterdir()]
    hub.push_folder(tmp_path / "w", NAME, files, message="First")
    here = load_bundle(tmp_path / "w", components=("generator",))
    there = load_bundle(NAME, components=("generator",))
    assert there.folder != here.folder
    assert there.sha256 == here.sha256
    rng = np.random.default_rng(0)
    crops = rng.integers(0, 256, (2, 64, 64, 3), dtype=np.uint8)
    masks = rng.random((2, 64, 64)) > 0.5
    assert np.array_equal(here.generator.fill(crops, masks), there.generator.fill(crops, masks))
    assert json.loads((there.folder / "config.json").read_text()) == there.config
