from __future__ import annotations

import io
import json
import tarfile
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.uncover.fake_networks import cloth_left
from tests.uncover.scale.scenes import BROKEN, empty, masked, uncover
from uncover.errors import UncoverError
from uncover.scale import Uncover, Work, find_shards, run, shards

PHOTOS = 11


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of pictures, one below it, a tar and (below) a Parquet file: 11 photos each."""
    monkeypatch.setattr(shards.blocks_of, "__defaults__", (4,))
    monkeypatch.setattr(Work, "worker", lambda work: Counted(uncover(work.column)))
    files = {f"{i}.png": masked(i) for i in range(PHOTOS - 2)}
    files |= {"broken.jpg": BROKEN, "empty.png": empty()}
    folder = tmp_path / "in"
    for place in (folder, folder / "more"):
        place.mkdir()
        for name, data in files.items():
            (place / name).write_bytes(data)
    with tarfile.open(folder / "a.tar", "w") as archive:
        for name, data in files.items():
            for member, content in ((f"x/{name}", data), (f"x/{Path(name).stem}.txt", b"said")):
                info = tarfile.TarInfo(member)
                info.size = len(content)
                archive.addfile(info, io.BytesIO(content))
    return folder


class Counted(Uncover):
    """Counts the photos it is given; breaks off after so many."""

    seen = 0
    most = 10**9

    def __init__(self, inner: Uncover) -> None:
        self.together, self.column = inner.together, inner.column

    def outcomes(self, photos, names=None):  # type: ignore[no-untyped-def]
        if Counted.seen + len(photos) > Counted.most:
            raise KeyboardInterrupt
        Counted.seen += len(photos)
        return super().outcomes(photos, names)


@pytest.fixture(autouse=True)
def fresh() -> None:
    Counted.seen, Counted.most = 0, 10**9


def members(path: Path) -> dict[str, bytes]:
    with tarfile.open(path) as archive:
        found = [(m.name, archive.extractfile(m).read()) for m in archive]  # type: ignore[union-attr]
    assert len({name for name, _ in found}) == len(found)
    return dict(found)


def check_folder(folder: Path) -> None:
    lines = [json.loads(line) for line in (folder / "uncover.jsonl").read_text().splitlines()]
    assert len({line["photo"] for line in lines}) == len(lines) == PHOTOS
    counts = Counter(line["status"] for line in lines)
    assert counts == {"filled": PHOTOS - 2, "failed": 1, "no_face": 1}
    for line in lines:
        if line["output"]:
            assert cloth_left(np.asarray(Image.open(folder / line["output"]))) < 200
    pictures = {path.name for path in folder.glob("*.*") if path.suffix in (".png", ".jpg")}
    assert pictures == {line["output"] for line in lines} - {None}


def check_tar(path: Path) -> None:
    found = members(path)
    assert sum(name.endswith(".txt") for name in found) == PHOTOS
    said = {n: json.loads(d) for n, d in found.items() if n.endswith(".uncover.json")}
    assert len(said) == PHOTOS
    pictures = {name: data for name, data in found.items() if name.endswith((".png", ".jpg"))}
    assert len(pictures) == PHOTOS - 2
    for name, data in pictures.items():
        assert cloth_left(np.asarray(Image.open(io.BytesIO(data)))) < 200
        assert said[name.replace(".png", ".uncover.json")]["status"] == "filled"


def test_each_kind_of_shard_comes_out_as_it_went_in(source: Path, tmp_path: Path) -> None:
    work = Work(tmp_path / "out")
    told: list[int] = []
    summary = run(work, find_shards(source), told.append)
    assert summary.photos == {"filled": 3 * PHOTOS - 6, "failed": 3, "no_face": 3}
    assert summary.broken == []
    assert sum(told) == 3 * PHOTOS
    check_folder(work.target)
    check_folder(work.target / "more")
    check_tar(work.target / "a.tar")
    assert {path.suffix for path in (work.target / ".uncover-scale").iterdir()} == {".done"}
    again = run(work, find_shards(source))
    assert (again.photos, again.before) == (summary.photos, 3 * PHOTOS)
    assert Counted.seen == 3 * PHOTOS


@pytest.mark.parametrize("most", [3, 4, 13, 27])
def test_an_interrupted_run_is_gone_on_with(source: Path, tmp_path: Path, most: int) -> None:
    work, Counted.most = Work(tmp_path / "out"), most
    with pytest.raises(KeyboardInterrupt):
        run(work, find_shards(source))
    assert most - 4 < Counted.seen <= most
    Counted.most = 10**9
    assert run(work, find_shards(source)).photos.total() == 3 * PHOTOS
    assert Counted.seen == 3 * PHOTOS  # no photo of a finished block twice
    check_folder(work.target)
    check_folder(work.target / "more")
    check_tar(work.target / "a.tar")


def test_what_changed_is_done_again(source: Path, tmp_path: Path) -> None:
    work = Work(tmp_path / "out")
    run(work, find_shards(source))
    (source / "more" / "0.png").write_bytes(masked(99))
    summary = run(work, find_shards(source))
    assert Counted.seen == 4 * PHOTOS
    assert (summary.before, summary.photos.total()) == (2 * PHOTOS, 3 * PHOTOS)
    run(Work(tmp_path / "out", options={"blend": "poisson"}), find_shards(source))
    assert Counted.seen == 7 * PHOTOS


def test_what_others_made_is_left(source: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "0.png").write_bytes(masked(5))
    run(Work(out), find_shards(source))
    assert (out / "0.png").read_bytes() == masked(5)
    lines = [json.loads(line) for line in (out / "uncover.jsonl").read_text().splitlines()]
    (line,) = [line for line in lines if line["photo"] == "0.png"]
    assert "exists and is not a result" in line["reason"]
    other = tmp_path / "other"
    other.mkdir()
    (other / "a.tar").write_bytes(b"precious")
    with pytest.raises(UncoverError, match="not a result of uncover scale"):
        run(Work(other), find_shards(source))
    assert (other / "a.tar").read_bytes() == b"precious"


def test_a_damaged_shard_does_not_end_the_others(source: Path, tmp_path: Path) -> None:
    (source / "b.tar").write_bytes(b"\0" * 100 + b"no tar")
    (source / "c.tar").write_bytes((source / "a.tar").read_bytes()[:20_000])
    summary = run(Work(tmp_path / "out"), find_shards(source))
    assert len(summary.broken) == 2
    assert all("damaged" in line for line in summary.broken)
    check_tar(tmp_path / "out" / "a.tar")
    assert not (tmp_path / "out" / "b.tar").exists()


@pytest.mark.parametrize("struct", [False, True])
def test_parquet(source: Path, tmp_path: Path, struct: bool) -> None:
    pa = pytest.importorskip("pyarrow")
    import pyarrow.parquet as parquet

    data = [masked(i) for i in range(PHOTOS - 2)] + [BROKEN, empty()]
    column = [{"bytes": one, "path": f"{i}.png"} for i, one in enumerate(data)] if struct else data
    table = pa.table({"photo": column, "label": list(range(PHOTOS))})
    parquet.write_table(table, source / "more" / "d.parquet", row_group_size=7)
    (only,) = [one for one in find_shards(source) if one.kind == "parquet"]
    work = Work(tmp_path / "out", column="photo")
    Counted.most = 6
    with pytest.raises(KeyboardInterrupt):
        run(work, [only])
    Counted.most = 10**9
    assert run(work, [only]).photos["filled"] == PHOTOS - 2
    assert Counted.seen == PHOTOS
    rows = parquet.read_table(tmp_path / "out" / "more" / "d.parquet").to_pylist()
    assert [row["label"] for row in rows] == list(range(PHOTOS))
    assert [row["status"] for row in rows[-3:]] == ["filled", "failed", "no_face"]
    painted = [row["photo"]["bytes"] if struct else row["photo"] for row in rows]
    assert [one is None for one in painted] == [False] * 9 + [True] * 2
    for one in painted[:-2]:
        assert cloth_left(np.asarray(Image.open(io.BytesIO(one)))) < 200
    wrong = run(Work(tmp_path / "out2", column="image"), [only])
    assert "no column 'image' among photo, label" in wrong.broken[0]


def test_names_that_would_meet_are_kept_apart(source: Path, tmp_path: Path) -> None:
    for old in source.glob("*.*"):
        old.unlink()
    for name in ("a.avif", "a.png", "a.ppm"):
        (source / name).write_bytes(masked())
    run(Work(tmp_path / "out"), [one for one in find_shards(source) if not one.name])
    lines = [json.loads(line) for line in (tmp_path / "out" / "uncover.jsonl").open()]
    assert [line["output"] for line in lines] == ["a.avif.png", "a.png", "a.ppm.png"]


def test_the_readers_of_web_datasets_take_the_result(source: Path, tmp_path: Path) -> None:
    webdataset = pytest.importorskip("webdataset")
    run(Work(tmp_path / "out"), [one for one in find_shards(source) if one.kind == "tar"])
    samples = list(webdataset.WebDataset(str(tmp_path / "out" / "a.tar"), shardshuffle=False))
    assert len(samples) == PHOTOS
    assert all({"txt", "uncover.json"} <= set(sample) for sample in samples)
