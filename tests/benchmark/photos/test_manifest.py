"""Names, hashes and labels of a data set, through a stand-in of the Hub and back."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from benchmark.__main__ import main
from benchmark.photos import manifest
from benchmark.photos.datasets import load
from benchmark.photos.rendered import draw_cases
from benchmark.run.run import digest_of
from tests.benchmark.labelled_photos import label_rows, write_folder, write_labels
from tests.hub_server import TOKEN, HubServer, use_hub
from uncover.errors import UncoverError
from uncover.weights.hub import pull_files

REPO = "me/labels"


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HubServer]:
    monkeypatch.chdir(tmp_path)
    with HubServer() as running:
        use_hub(monkeypatch, tmp_path / "cache", running.url, TOKEN)
        yield running


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_folder(tmp_path_factory.mktemp("drawn"), 4, train=2)


@pytest.fixture
def faces(drawn: Path, tmp_path: Path) -> Path:
    return shutil.copytree(drawn, tmp_path / "faces")


def publish(data: Path, *more: str) -> int:
    return main(["manifest", "publish", str(data), "--repo", REPO, *more])


def pull(photos: Path, out: Path, *more: str) -> int:
    return main(["manifest", "pull", REPO, "--photos", str(photos), "--out", str(out), *more])


def test_a_dry_run_writes_labels_and_hashes_and_sends_nothing(
    server: HubServer, faces: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert publish(faces, "--dry-run", "--out", str(tmp_path / "m"), "--photos-from", "a.b/c") == 0
    assert server.seen == []
    out = capsys.readouterr().out
    assert "6 photos of faces: labels and hashes, no photos" in out
    assert f"is what would go to {REPO}" in out
    assert sorted(p.name for p in (tmp_path / "m").iterdir()) == [
        "README.md", "labels.csv", "manifest.json",
    ]  # fmt: skip
    with (tmp_path / "m" / "labels.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == [
        "path", "sha256", "split", "ethnicity", "gender", "yaw", "landmarks",
    ]  # fmt: skip
    assert rows[0]["sha256"] == load(faces).photos[0].sha256
    written = json.loads((tmp_path / "m" / "manifest.json").read_text())
    assert (written["photos"], written["splits"]) == (6, {"test": 4, "train": 2})
    assert str(tmp_path) not in "".join(p.read_text() for p in (tmp_path / "m").iterdir())
    assert "Get them from a.b/c" in (tmp_path / "m" / "README.md").read_text()


def test_published_and_pulled_it_is_the_same_data_set(
    server: HubServer, faces: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert publish(faces, "--tag", "v1") == 0
    repo = server.repo(REPO, "dataset")
    assert set(repo.files) == {".gitattributes", "README.md", "labels.csv", "manifest.json"}
    assert len(repo.commits) == 2
    assert repo.tags == {"v1": repo.refs["main"]}
    assert pull(faces, tmp_path / "pulled", "--revision", "v1") == 0
    assert "6 photos of faces are as listed" in capsys.readouterr().out
    for split in ("test", "train"):
        here, there = load(faces, split), load(tmp_path / "pulled", split)
        assert (here.name, here.factors, here.has_yaw) == (there.name, there.factors, there.has_yaw)
        for a, b in zip(here.photos, there.photos, strict=True):
            assert (a.name, a.labels, a.yaw, a.sha256) == (b.name, b.labels, b.yaw, b.sha256)
            np.testing.assert_array_equal(a.landmarks, b.landmarks)


def test_a_run_on_it_measures_the_same_data(server: HubServer, faces: Path, tmp_path: Path) -> None:
    publish(faces)
    pull(faces, tmp_path / "pulled")
    hashes = []
    for data in (load(faces), load(tmp_path / "pulled")):
        cases = draw_cases(data, seed=0, size=64, align=False, cache=tmp_path / "c", quiet=True)
        hashes.append(digest_of(cases.cases))
    assert hashes[0] == hashes[1]


def spoil(faces: Path) -> None:
    (faces / "test" / "1.png").unlink()
    (faces / "train" / "500.png").unlink()
    (faces / "test" / "2.png").write_bytes((faces / "test" / "0.png").read_bytes())


def test_photos_that_are_missing_or_differ_are_named(
    server: HubServer, faces: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    publish(faces)
    spoil(faces)
    capsys.readouterr()
    assert pull(faces, tmp_path / "pulled") == 1
    out, err = capsys.readouterr()
    assert out.splitlines() == [
        "missing  test/1.png", "missing  train/500.png", "differs  test/2.png",
    ]  # fmt: skip
    assert "of 6 photos 2 are missing and 1 differ in" in err
    assert err.strip().splitlines()[-1].startswith("error: ")
    assert not (tmp_path / "pulled").exists()


def test_with_partial_the_others_are_used(
    server: HubServer, faces: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    publish(faces)
    spoil(faces)
    assert pull(faces, tmp_path / "pulled", "--partial") == 1
    assert "lists the others" in capsys.readouterr().err
    assert [p.name for p in load(tmp_path / "pulled").photos] == ["test/0.png", "test/3.png"]
    assert pull(tmp_path, tmp_path / "none", "--partial") == 1
    assert not (tmp_path / "none").exists()


def test_one_split_and_cropping_go_along(server: HubServer, faces: Path, tmp_path: Path) -> None:
    publish(faces, "--split", "test")
    assert b"train" not in server.repo(REPO, "dataset").files["labels.csv"]
    found = json.loads(server.repo(REPO, "dataset").files["manifest.json"])
    server.add(REPO, {"manifest.json": json.dumps(found | {"aligned": True}).encode()}, "dataset")
    assert pull(faces, tmp_path / "pulled") == 0
    assert load(tmp_path / "pulled").aligned


def test_a_page_that_is_there_is_kept(
    server: HubServer, faces: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    server.add(REPO, {"README.md": b"mine"}, "dataset")
    assert publish(faces, "--create-pr") == 0
    assert "it is kept as it is" in capsys.readouterr().out
    repo = server.repo(REPO, "dataset")
    assert "labels.csv" not in repo.files
    proposed = repo.commits[repo.pull_requests[0]]
    assert proposed["README.md"] == b"mine"
    assert "labels.csv" in proposed


def test_what_was_pulled_serves_without_a_network(
    server: HubServer, faces: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(faces)
    pull(faces, tmp_path / "one")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    before = len(server.seen)
    assert pull(faces, tmp_path / "two") == 0
    assert len(server.seen) == before
    assert (tmp_path / "two" / "manifest.csv").read_bytes() == (
        tmp_path / "one" / "manifest.csv"
    ).read_bytes()


def _relabel(text: bytes) -> bytes:
    return text.replace(b"test/0.png", b"../../0.png", 1)


@pytest.mark.parametrize(
    ("change", "rehash", "message"),
    [
        (lambda text: text[:-30], False, "is not the one that manifest.json was written for"),
        (_relabel, True, "'../../0.png' is not a plain path inside a folder"),
        (lambda t: t.replace(b"test/0.png", b"/etc/0.png", 1), True, "is not a plain path"),
        (lambda t: t.replace(b"test/1.png", b"test/0.png", 1), True, "two photos of the name"),
        (lambda t: t.replace(b"sha256", b"sha1", 1), True, "test/0.png has no sha256"),
        (lambda t: t.replace(b"path", b"file", 1), True, "'' is not a plain path|'.'"),
        (lambda t: b"\xff\xfe\x00", True, "cannot be read as CSV"),
    ],
)
def test_a_manifest_that_is_not_right_is_refused(
    server: HubServer,
    faces: Path,
    tmp_path: Path,
    change: Callable[[bytes], bytes],
    rehash: bool,
    message: str,
) -> None:
    manifest.write(faces, tmp_path / "m")
    path = tmp_path / "m" / "labels.csv"
    path.write_bytes(change(path.read_bytes()))
    if rehash:
        note = json.loads((tmp_path / "m" / "manifest.json").read_text())
        note["labels_sha256"] = manifest.hash_file(path)
        (tmp_path / "m" / "manifest.json").write_text(json.dumps(note))
    with pytest.raises(UncoverError, match=message):
        manifest.load(tmp_path / "m")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": "uncover-manifest/9"}, "format is 'uncover-manifest/9'"),
        ({"more": 1}, "unknown key 'more'"),
        ({"photos": "many"}, "photos must be an integer"),
    ],
)
def test_a_wrong_note_is_refused(
    server: HubServer,
    faces: Path,
    tmp_path: Path,
    change: dict[str, object],
    message: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    publish(faces)
    note = json.loads(server.repo(REPO, "dataset").files["manifest.json"])
    server.add(REPO, {"manifest.json": json.dumps(note | change).encode()}, "dataset")
    assert pull(faces, tmp_path / "pulled") == 1
    assert message in capsys.readouterr().err
    assert not (tmp_path / "pulled").exists()


def test_errors_are_one_line(
    server: HubServer,
    faces: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def says(status: int) -> str:
        assert status == 1
        said = capsys.readouterr().err.strip()
        assert said.startswith("error: ")
        assert "\n" not in said
        return said

    assert "not found on the Hub" in says(pull(faces, tmp_path / "pulled"))
    assert "is not a folder" in says(pull(tmp_path / "nowhere", tmp_path / "pulled"))
    assert "must be user/name" in says(
        main(["manifest", "pull", "labels", "--photos", ".", "--out", "x"])
    )
    server.add(REPO, {"other.csv": b"a"}, "dataset")
    assert f"{REPO} has no labels.csv" in says(pull(faces, tmp_path / "pulled"))
    write_labels(faces / "labels.csv", [*label_rows(1), *label_rows(1, first=9)])
    assert "names test/9.png, which is not in" in says(publish(faces, "--dry-run"))
    monkeypatch.delenv("HF_TOKEN")
    assert "hf auth login" in says(publish(faces))
    prepared = tmp_path / "prepared"
    prepared.mkdir()
    (prepared / "prepare.json").write_text('{"version": 1}')
    write_labels(faces / "labels.csv", label_rows(1))
    manifest.write(faces, tmp_path / "m")
    found, hashes = manifest.load(tmp_path / "m")
    with pytest.raises(UncoverError, match="holds a prepared data set"):
        manifest.install(tmp_path / "m", found, faces, prepared, tuple(hashes), "x")


def test_a_file_of_absurd_size_is_not_fetched(server: HubServer) -> None:
    server.add(REPO, {"labels.csv": b"x" * 1000}, "dataset")
    with pytest.raises(UncoverError, match="absurdly large"):
        pull_files(REPO, ["labels.csv"], limit=999)
    assert server.count("resolve/.*labels.csv") == 0
