"""Shards hold what was packed, are dealt evenly, and go on exactly where a run stopped."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import pytest
from torch.utils.data import DataLoader

from tests.training.file_server import served
from training.data import shard_files
from training.data.faces import AugmentSettings, FaceDraws, store_face, store_faces
from training.data.sampling import Balance, cell, cell_weights, draw_probabilities
from training.data.shard_files import decoded, join_indexes, read_shard
from training.data.shards import ShardDraws, cells_of, drawn, main, read_index, val_faces
from training.pack import pack, shrunk
from training.pack.command import main as pack_main
from training.prepare.command import main as prepare_main
from training.run import INDEX_NAME
from uncover.errors import UncoverError
from uncover.faces.drawn import write_drawn_faces
from uncover.faces.manifest import read_manifest

pytest.importorskip("webdataset")
FACES, SHARDS = 60, 6


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    prepared = write_drawn_faces(tmp_path_factory.mktemp("shards") / "drawn", FACES, seed=2)
    pack(prepared, SHARDS, 64, workers=2)
    return prepared


def draws(folder: Path, **changes: object) -> ShardDraws:
    options: dict[str, object] = {
        "index": read_index(folder), "size": 64, "length": 48, "seed": 3, "balance": Balance(),
        "augment": AugmentSettings(), "batch": 4, "mix": 2,
    }  # fmt: skip
    return ShardDraws(**(options | changes))  # type: ignore[arg-type]


def numbers(faces: object, count: int) -> list[str]:
    """Hashes of the next faces of a stream."""
    return [next(faces).record.sha256 for _ in range(count)]  # type: ignore[call-overload]


def test_every_photo_is_packed_once(folder: Path) -> None:
    index = read_index(folder)
    for split in ("train", "val"):
        packed = [f for shard in index.of(split) for f in read_shard(index, shard)]
        wanted = {r.sha256: r for r in read_manifest(folder, split)}
        assert sorted(f.record.sha256 for f in packed) == sorted(wanted)
        for face in packed:
            record = wanted[face.record.sha256]
            plain, ours = store_face(record, 64), decoded(face)
            assert ours.image.shape == plain.image.shape
            assert np.abs(ours.landmarks - plain.landmarks).max() < 0.06
            assert np.abs(ours.image.astype(int) - plain.image).mean() < 4
            assert (face.record.ethnicity, face.record.yaw) == (record.ethnicity, record.yaw)
    assert len(index.of("train")) == SHARDS
    assert index.summary()["photos"] == len(read_manifest(folder, "train"))


def test_small_photos_are_packed_byte_for_byte(folder: Path) -> None:
    record = read_manifest(folder)[0]
    assert shrunk(record, 512) == (record, record.file.read_bytes())
    cut, data = shrunk(record, 64)
    assert cv2.imdecode(np.frombuffer(data, np.uint8), 1).shape[:2] == (cut.height, cut.width)
    assert max(cut.width, cut.height) <= 96


def test_items_are_those_of_face_draws(folder: Path) -> None:
    plain = FaceDraws(
        store_faces(read_manifest(folder, "train"), 64), 64, 8, 3, Balance(), AugmentSettings()
    )[0]
    items = list(draws(folder))
    assert len(items) == 48
    for item in items:
        assert {k: (v.shape, v.dtype) for k, v in item.items()} == {
            k: (v.shape, v.dtype) for k, v in plain.items()
        }
    assert not np.array_equal(items[0]["image"], items[1]["image"])


def test_an_epoch_without_balance_shows_every_photo_once(folder: Path) -> None:
    source = draws(folder, balance=Balance(0.0))
    wanted = sorted(r.sha256 for r in read_manifest(folder, "train"))
    stream = source.faces(0, 1)
    first, second = (numbers(stream, len(wanted)) for _ in range(2))
    assert sorted(first) == sorted(second) == wanted
    assert first != second
    assert first != wanted


@pytest.mark.parametrize("readers", [2, 3, 4, 6])
def test_shards_are_dealt_to_readers_evenly(folder: Path, readers: int) -> None:
    source = draws(folder)
    dealt = [
        [shard.file for group in source.groups(0, reader, readers) for shard in group]
        for reader in range(readers)
    ]
    assert len({len(files) for files in dealt}) == 1
    counts = Counter(file for files in dealt for file in files)
    assert set(counts) == {shard.file for shard in source.shards}
    assert sum(counts.values()) - SHARDS < readers
    assert dealt != [
        [shard.file for group in source.groups(1, reader, readers) for shard in group]
        for reader in range(readers)
    ]


def test_any_place_of_the_stream_can_be_started_from(folder: Path) -> None:
    source = draws(folder)
    whole = numbers(source.faces(1, 2), 90)
    for skip in (1, 7, 31, 60):
        assert numbers(source.faces(1, 2, skip), 20) == whole[skip : skip + 20]


def batches(folder: Path, workers: int, **changes: object) -> list[np.ndarray]:
    loader = DataLoader(draws(folder, **changes), batch_size=4, num_workers=workers, drop_last=True)
    return [batch["image"].numpy() for batch in loader]


@pytest.mark.parametrize("workers", [0, 2])
def test_a_resumed_run_sees_what_it_would_have_seen(folder: Path, workers: int) -> None:
    whole = batches(folder, workers)
    assert len(whole) == 12
    rest = batches(folder, workers, start=20)
    assert len(rest) == 7
    for ours, theirs in zip(rest, whole[5:], strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_ranks_get_equally_many_and_different_draws(folder: Path) -> None:
    ranks = [batches(folder, 0, rank=rank, world=3, length=50) for rank in range(3)]
    assert [len(rank) for rank in ranks] == [4, 4, 4]
    seen = {batch.tobytes() for rank in ranks for batch in rank}
    assert len(seen) == 12


def test_balance_draws_as_often_as_face_draws_does(folder: Path) -> None:
    records = read_manifest(folder, "train")
    balance = Balance(0.7, sharp=0.5)
    expected = draw_probabilities(records, balance) * len(records)
    weights = cell_weights(cells_of(read_index(folder)), balance)
    ours = [weights[cell(record)] for record in records]
    np.testing.assert_allclose(ours, expected, rtol=1e-9)


def test_systematic_resampling_is_floor_or_ceil() -> None:
    weights = np.array([0.2, 1.0, 2.5, 0.3, 1.0])
    for seed in range(50):
        chosen = drawn(weights, np.random.default_rng(seed))
        counts = np.bincount(chosen, minlength=5)
        assert counts.sum() == 5
        assert (counts >= np.floor(weights)).all()
        assert (counts <= np.ceil(weights)).all()
    mean = np.mean(
        [np.bincount(drawn(weights, np.random.default_rng(s)), minlength=5) for s in range(2000)], 0
    )
    np.testing.assert_allclose(mean, weights, atol=0.05)


def test_shards_by_url_are_the_same(folder: Path) -> None:
    with served(folder / "shards") as url:
        far, near = read_index(url + "/"), read_index(folder)
        assert far.shards == near.shards
        assert read_index(f"{url}/{INDEX_NAME}").shards == near.shards
        ours, theirs = (numbers(draws(folder, index=i).faces(0, 1), 30) for i in (far, near))
        assert ours == theirs
        with pytest.raises(UncoverError, match="cannot be fetched"):
            read_index(url + "/nothing")


def test_a_servers_hiccup_is_outlived(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shard_files, "PAUSES", (0.0, 0.0))
    with served(folder / "shards", hiccups=2) as url:
        index = read_index(url)
        assert len(read_shard(index, index.shards[0])) == index.shards[0].samples
    with served(folder / "shards", hiccups=9) as url:
        index = read_index(url)
        with pytest.raises(UncoverError, match=f"{index.shards[0].file} cannot be fetched"):
            read_shard(index, index.shards[0])


def test_two_sets_of_shards_are_one(folder: Path, tmp_path: Path) -> None:
    other = write_drawn_faces(tmp_path / "other", 20, seed=9)
    pack(other, 2, 96)
    first, second = read_index(folder), read_index(other)
    joined = join_indexes([first, second])
    assert joined.resolution == 64
    assert joined.summary()["sources"] == ["drawn", "other"]
    assert joined.summary()["photos"] == sum(i.summary()["photos"] for i in (first, second))
    assert len(joined.of("train")) == SHARDS + 2
    records = [r for f in (folder, other) for r in read_manifest(f, "train")]
    stream = draws(folder, index=joined, balance=Balance(0.0)).faces(0, 1)
    assert sorted(numbers(stream, len(records))) == sorted(r.sha256 for r in records)
    ours, theirs = (val_faces(i, None) for i in (joined, first))
    assert [f.record.sha256 for f in ours] == [f.record.sha256 for f in theirs]
    assert join_indexes([first]) is first


def test_validation_faces_are_always_the_same(folder: Path) -> None:
    index = read_index(folder)
    faces = val_faces(index, 3)
    assert [f.record.sha256 for f in faces] == [f.record.sha256 for f in val_faces(index, 3)]
    assert {f.record.split for f in faces} == {"val"}
    assert faces[0].image.ndim == 3
    assert len(val_faces(index, None)) == len(read_manifest(folder, "val"))


def test_what_cannot_be_is_one_line(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(UncoverError, match="pack more shards or set fewer workers"):
        next(draws(folder).faces(0, SHARDS + 1))
    with pytest.raises(UncoverError, match="--resolution 128"):
        draws(folder, size=128)
    with pytest.raises(UncoverError, match="cannot fill"):
        pack(folder, FACES + 1)
    with pytest.raises(UncoverError, match="too many or too few"):
        pack(folder, 0)
    with pytest.raises(UncoverError, match="cannot be read"):
        read_index(tmp_path)
    (tmp_path / INDEX_NAME).write_text("{}")
    with pytest.raises(UncoverError, match="not an index"):
        read_index(tmp_path)
    assert read_index(folder).shards  # a refused packing leaves the old shards


def test_a_damaged_shard_is_named(folder: Path, tmp_path: Path) -> None:
    index = read_index(folder)
    for path in (folder / "shards").iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    copy = read_index(tmp_path)
    shard = copy.of("train")[0]
    (tmp_path / shard.file).write_bytes((tmp_path / shard.file).read_bytes()[:-512])
    with pytest.raises(UncoverError, match=rf"{shard.file} has .* bytes"):
        read_shard(copy, shard)
    (tmp_path / shard.file).unlink()
    with pytest.raises(UncoverError, match=shard.file):
        read_shard(copy, shard)
    text = (tmp_path / INDEX_NAME).read_text().replace('"train-00000.tar"', '"../train-00000.tar"')
    (tmp_path / INDEX_NAME).write_text(text)
    with pytest.raises(UncoverError, match="no usable shards"):
        read_index(tmp_path)
    assert index.shards


def test_the_commands_pack_and_draw(folder: Path, tmp_path: Path, capsys) -> None:
    assert pack_main([str(folder), "--shards", str(SHARDS), "--resolution", "64"]) == 0
    assert main([str(folder), "--draws", "20", "--size", "64"]) == 0
    out = capsys.readouterr().out
    assert "20 draws" in out
    assert main([str(tmp_path), "--draws", "20"]) == 1
    assert capsys.readouterr().err.startswith("error: ")


def test_prepare_packs_too(folder: Path, tmp_path: Path) -> None:
    source = tmp_path / "photos"
    for record in read_manifest(folder)[:12]:
        target = source / record.split / record.file.name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(record.file.read_bytes())
    out = tmp_path / "prepared"
    words = [str(source), "--format", "folder", "--out", str(out), "--workers", "1"]
    assert prepare_main([*words, "--shards", "2"]) == 0
    index = read_index(out)
    assert sum(s.samples for s in index.of("train")) == len(read_manifest(out, "train"))
    assert json.loads((out / "shards" / INDEX_NAME).read_text())["source"] == "prepared"
