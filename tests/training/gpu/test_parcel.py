"""A parcel for a machine with a GPU: sizes kept, no photo twice, weights back whole or refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from training.gpu import parcel
from uncover.errors import UncoverError
from uncover.faces import read_manifest
from uncover.faces.drawn import write_drawn_faces
from uncover.weights import load_component


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_drawn_faces(tmp_path_factory.mktemp("data"), 40, seed=2, size=96)


def size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def test_parts_keep_to_their_size_and_share_no_photo(drawn: Path, tmp_path: Path) -> None:
    limit = size(drawn) // 4
    counts = parcel.pack([drawn], tmp_path / "parcel", limit, parts=2)
    parts = [tmp_path / "parcel" / name for name in ("1", "2")]
    assert all(size(part) <= limit for part in parts)
    records = [read_manifest(part) for part in parts]
    assert [sum(r.split == "train" for r in each) for each in records] == counts
    assert all(r.file.is_file() for each in records for r in each)
    one, two = ({r.sha256 for r in each if r.split == "train"} for each in records)
    assert one
    assert two
    assert not one & two
    assert any(r.split == "val" for r in records[0])
    sources = {r.sha256: r.split for r in read_manifest(drawn)}
    assert all(sources[r.sha256] == r.split for each in records for r in each)


def test_more_parts_than_photos_are_refused_and_leave_nothing(drawn: Path, tmp_path: Path) -> None:
    with pytest.raises(UncoverError, match="part 2"):
        parcel.pack([drawn], tmp_path / "parcel", 1 << 30, parts=2)
    assert list(tmp_path.iterdir()) == []


def test_there_and_back(drawn: Path, tmp_path: Path) -> None:
    there, back, here = tmp_path / "parcel", tmp_path / "back", tmp_path / "weights"
    assert parcel.main(["pack", str(there), "--data", str(drawn), "--mib", "1"]) == 0
    words = ["train", str(there), str(back), "--minutes", "5", "--preset", "smoke"]
    assert parcel.main([*words, "--set", "images=8", "--set", "coarse.images=4"]) == 0
    assert parcel.main(["join", str(back), str(here)]) == 0
    made = tmp_path / "back-run" / "weights"
    assert {p.name: p.read_bytes() for p in here.iterdir()} == {
        p.name: p.read_bytes() for p in made.iterdir()
    }
    assert load_component(here, "generator").config.resolution == 64


def test_large_files_are_cut_and_damage_is_told(tmp_path: Path) -> None:
    weights, back = tmp_path / "weights", tmp_path / "back"
    weights.mkdir()
    (weights / "big.bin").write_bytes(bytes(range(256)) * 100)
    (weights / "empty").write_bytes(b"")
    names = parcel.split(weights, back, most=10_000)
    assert len(names) == 4
    assert max(path.stat().st_size for path in back.iterdir()) <= 10_000
    parcel.join(back, tmp_path / "again")
    assert (tmp_path / "again" / "big.bin").read_bytes() == (weights / "big.bin").read_bytes()
    (back / "big.bin.001").write_bytes(b"other")
    with pytest.raises(UncoverError, match="damaged"):
        parcel.join(back, tmp_path / "third")
    (back / "big.bin.001").unlink()
    with pytest.raises(UncoverError, match="missing"):
        parcel.join(back, tmp_path / "third")
    assert not (tmp_path / "third").exists()
