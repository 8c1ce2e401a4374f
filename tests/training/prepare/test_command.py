from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image
from skimage.data import astronaut

import training.prepare.command
import training.prepare.parts
from training.prepare.command import PrepareSettings, main, prepare
from training.prepare.measure import MeasureSettings
from training.prepare.readers import SourceOptions
from uncover.errors import UncoverError
from uncover.faces.drawn import draw_face
from uncover.faces.manifest import read_info, read_manifest

UTKFACE = Path(__file__).resolve().parents[4] / "shared" / "data" / "utkface"
RESULTS = ("manifest.csv", "failed.csv", "prepare.json", "hashes.csv", "left_out.csv")


@pytest.fixture(scope="module")
def pictures(tmp_path_factory) -> Path:
    """An astronaut, seven drawn faces (dlib finds these), and six files that cannot be used."""
    root = tmp_path_factory.mktemp("pictures")
    for folder in ("train", "val", "test"):
        (root / folder).mkdir()
    Image.fromarray(astronaut()).save(root / "train" / "36_1_0_1.png")
    for seed in range(7):
        split = ("train", "val", "test")[seed % 3]
        face = Image.fromarray(draw_face(seed, 200, yaw=6.0 * seed - 18).image)
        face.save(root / split / f"{30 + seed}_0_{seed % 5}_9.jpg", quality=95)
    Image.new("RGB", (200, 200), "green").save(root / "train" / "25_0_1_2.jpg")
    (root / "train" / "25_0_1_3.jpg").write_bytes(b"")
    (root / "train" / "25_0_1_4.jpg").write_bytes(b"not a picture")
    whole = (root / "train" / "36_1_0_1.png").read_bytes()
    (root / "train" / "25_0_1_5.png").write_bytes(whole[: len(whole) // 2])
    (root / "train" / "25_0.jpg").write_bytes(whole)
    Image.new("RGB", (1, 1)).save(root / "train" / "25_0_1_6.png")
    return root


def settings(source: Path, out: Path, **changes: object) -> PrepareSettings:
    return PrepareSettings(**{"source": source, "format": "utkface", "out": out, **changes})


def results(out: Path) -> dict[str, bytes]:
    return {name: (out / name).read_bytes() for name in RESULTS}


@pytest.fixture(scope="module")
def expected(pictures, tmp_path_factory) -> dict[str, bytes]:
    out = tmp_path_factory.mktemp("prepared")
    prepare(settings(pictures, out))
    assert sorted(path.name for path in out.iterdir()) == sorted(RESULTS)
    return results(out)


def test_usable_faces_are_in_the_manifest(pictures, tmp_path):
    summary = prepare(settings(pictures, tmp_path))
    records = read_manifest(tmp_path)
    assert summary.usable == len(records) == 8
    assert [record.path for record in records] == sorted(record.path for record in records)
    woman = next(record for record in records if record.path == "train/36_1_0_1.png")
    assert (woman.gender, woman.ethnicity, woman.age) == ("female", "white", 36)
    assert (woman.width, woman.height) == (512, 512)
    assert woman.file == pictures / woman.path
    assert abs(woman.yaw) < 12
    assert 180 < woman.landmarks[:, 0].mean() < 260
    assert {record.split for record in records} == {"train", "val", "test"}
    info = read_info(tmp_path)
    assert info["pose"] == "estimated"
    assert info["root"] == str(pictures)
    assert info["usable"] == 8


def test_what_is_left_out_is_listed_with_the_reason(expected):
    rows = list(csv.DictReader(expected["failed.csv"].decode().splitlines()))
    reasons = {Path(row["path"]).name: row["reason"] for row in rows}
    assert len(rows) == 6
    assert reasons["25_0_1_2.jpg"] == "no face found"
    assert reasons["25_0_1_6.png"] == "no face found"
    assert reasons["25_0.jpg"] == "file name is not age_gender_race_date"
    assert reasons["25_0_1_3.jpg"] == "unreadable: the file is empty"
    assert reasons["25_0_1_4.jpg"] == "unreadable: not a picture"
    assert reasons["25_0_1_5.png"].startswith("unreadable: ")
    assert json.loads(expected["prepare.json"])["failed"]["unreadable"] == 3


def test_several_workers_write_the_same_bytes(pictures, tmp_path, monkeypatch, expected):
    monkeypatch.setattr(training.prepare.command, "CHUNK", 3)
    prepare(settings(pictures, tmp_path, workers=2))
    assert results(tmp_path) == expected


@pytest.mark.parametrize("damage", ["none", "truncated", "stale"])
def test_a_killed_run_goes_on(pictures, tmp_path, monkeypatch, expected, damage):
    monkeypatch.setattr(training.prepare.command, "CHUNK", 3)
    measured: list[int] = []

    def measure_and_die(root, items, measure):
        if len(measured) == 2:
            raise KeyboardInterrupt
        measured.append(len(items))
        return original(root, items, measure)

    original = training.prepare.parts.measure_chunk
    monkeypatch.setattr(training.prepare.parts, "measure_chunk", measure_and_die)
    with pytest.raises(KeyboardInterrupt):
        prepare(settings(pictures, tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == [".parts"]
    part = tmp_path / ".parts" / "0000000.json"
    if damage == "truncated":
        part.write_text(part.read_text()[:-40])
    if damage == "stale":
        part.write_text(part.read_text().replace('"key": "', '"key": "0'))

    def measure_again(root, items, measure):
        measured.append(len(items))
        return original(root, items, measure)

    monkeypatch.setattr(training.prepare.parts, "measure_chunk", measure_again)
    prepare(settings(pictures, tmp_path))
    assert len(measured) == (5 if damage == "none" else 6)
    assert results(tmp_path) == expected


def test_a_picture_mended_after_a_kill_is_seen(tmp_path, monkeypatch):
    source = tmp_path / "source"
    source.mkdir()
    (source / "a.png").write_bytes(b"")
    Image.fromarray(draw_face(0, 160).image).save(source / "b.png")
    with monkeypatch.context() as patch:
        failing = (_ for _ in ()).throw
        patch.setattr(training.prepare.command, "_merge", lambda *_: failing(MemoryError))
        with pytest.raises(MemoryError):
            prepare(settings(source, tmp_path / "out", format="folder"))
    Image.fromarray(draw_face(1, 160).image).save(source / "a.png")
    prepare(settings(source, tmp_path / "out", format="folder"))
    assert [record.path for record in read_manifest(tmp_path / "out")] == ["a.png", "b.png"]


INTERRUPTED = """
import os, signal, sys
import training.prepare.parts as parts, training.prepare.command as prepare

def save_then_interrupt(*part):
    save(*part)
    os.kill(os.getpid(), signal.SIGINT)

signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job ignores it
prepare.CHUNK = 4
save, parts.save_part = parts.save_part, save_then_interrupt
sys.exit(prepare.main(sys.argv[1:]))
"""


def test_ctrl_c_is_clean(pictures, tmp_path):
    """A real process with two workers, interrupted after its first chunk, then run to the end."""
    source = tmp_path / "source"
    source.mkdir()
    for index in range(48):
        os.link(pictures / "train" / "33_0_3_9.jpg", source / f"{index:03d}.jpg")
    arguments = [str(source), "--format", "folder", "--out", str(tmp_path / "out"), "--no-clean"]
    command = [sys.executable, "-c", INTERRUPTED, *arguments, "--workers", "2"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert ended.returncode == 130, ended.stderr
    assert "Traceback" not in ended.stderr
    assert "run the same command again" in ended.stderr
    assert not (tmp_path / "out" / "manifest.csv").exists()
    assert 1 <= len(list((tmp_path / "out" / ".parts").glob("*.json"))) < 12
    assert main([*arguments, "--workers", "1"]) == 0
    assert len(read_manifest(tmp_path / "out")) == 48


def test_a_csv_keeps_the_pose_it_gives(pictures, tmp_path):
    (tmp_path / "my.csv").write_text(
        "path,ethnicity,yaw,identity\n"
        "train/36_1_0_1.png,white,33.3,w1\nno/such.png,black,1,w2\n../out.png,black,1,w3\n"
    )
    options = SourceOptions(labels=tmp_path / "my.csv")
    made = settings(pictures, tmp_path / "out", format="csv", options=options)
    assert prepare(made).failures == {
        "file not found": 1,
        "the path leads out of the data set's folder": 1,
    }
    (record,) = read_manifest(tmp_path / "out")
    assert record.yaw == 33.3
    assert abs(record.pitch) < 25
    assert record.identity == "w1"
    info = read_info(tmp_path / "out")
    assert (info["pose"], info["given"]) == ("given", ["yaw"])


def test_a_csv_can_be_the_source(pictures, tmp_path, capsys):
    table = pictures / "list.csv"
    table.write_text("path\nval/31_0_1_9.jpg\n")
    try:
        status = main([str(table), "--format", "csv", "--out", str(tmp_path), "--workers", "1"])
    finally:
        table.unlink()
    assert status == 0
    assert "1 faces usable, 0 pictures left out" in capsys.readouterr().out


def test_an_identity_stays_in_one_split(tmp_path):
    image = Image.fromarray(draw_face(1, 128).image)
    for person in range(6):
        for number in range(2):
            path = tmp_path / "source" / f"n{person}" / f"{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            image.save(path)
    shares = MeasureSettings(val_share=0.3, test_share=0.3, clean=False)
    prepare(settings(tmp_path / "source", tmp_path / "out", format="vggface2", measure=shares))
    splits: dict[str, set[str]] = {}
    for record in read_manifest(tmp_path / "out"):
        splits.setdefault(record.identity, set()).add(record.split)
    assert len(splits) == 6
    assert all(len(split) == 1 for split in splits.values())
    assert len(set.union(*splits.values())) > 1


def test_copies_of_a_picture_share_a_split(tmp_path):
    (tmp_path / "source").mkdir()
    for name in ("a", "b", "c", "d", "e"):
        Image.fromarray(draw_face(1, 128).image).save(tmp_path / "source" / f"{name}.png")
    shares = MeasureSettings(val_share=0.4, test_share=0.3, clean=False)
    prepare(settings(tmp_path / "source", tmp_path / "out", format="folder", measure=shares))
    assert len({record.split for record in read_manifest(tmp_path / "out")}) == 1


def test_split_and_age_can_be_asked_for(pictures, tmp_path, capsys):
    arguments = [str(pictures), "--format", "utkface", "--out", str(tmp_path), "--workers", "1"]
    assert main([*arguments, "--min-age", "34"]) == 0
    assert "younger than 34" in capsys.readouterr().out
    assert {record.age for record in read_manifest(tmp_path)} == {34, 35, 36}
    arguments[2] = "folder"
    assert main([str(pictures / "val"), *arguments[1:], "--split", "test"]) == 0
    assert {record.split for record in read_manifest(tmp_path)} == {"test"}


def test_rotated_and_grey_pictures_are_upright_rgb(tmp_path):
    (tmp_path / "source").mkdir()
    face = draw_face(2, 160)
    exif = Image.Exif()
    exif[0x0112] = 6  # shown after a quarter turn clockwise
    lying = Image.fromarray(np.rot90(face.image).copy()).crop((0, 0, 160, 150))
    lying.save(tmp_path / "source" / "turned.jpg", exif=exif, quality=95)
    Image.fromarray(cv2.cvtColor(face.image, cv2.COLOR_RGB2GRAY)).save(
        tmp_path / "source" / "grey.png"
    )
    prepare(settings(tmp_path / "source", tmp_path / "out", format="folder"))
    grey, turned = read_manifest(tmp_path / "out")
    assert (turned.width, turned.height) == (150, 160)
    assert np.abs(grey.landmarks - face.landmarks).mean() < 4
    assert grey.sharpness > 0


def test_sharpness_falls_with_blur(tmp_path):
    (tmp_path / "source").mkdir()
    for index, sigma in enumerate((0.01, 1.0, 2.5)):
        blurred = cv2.GaussianBlur(astronaut()[:300, 80:380], (0, 0), sigma)
        Image.fromarray(blurred).save(tmp_path / "source" / f"{index}.png")
    whole = MeasureSettings(clean=False)
    prepare(settings(tmp_path / "source", tmp_path / "out", format="folder", measure=whole))
    sharp, soft, softer = (record.sharpness for record in read_manifest(tmp_path / "out"))
    assert sharp > 1.5 * soft > 3 * softer


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["{src}", "--format", "imagenet", "--out", "{out}"], 2, "imagenet"),
        (["{src}", "--format", "folder"], 2, "--out"),
        (["{src}", "--format", "folder", "--out", "{out}", "--workers", "0"], 2, "less than 1"),
        (["{src}", "--format", "folder", "--out", "{out}", "--val", "2"], 2, "within 0..1"),
        (["{src}", "--format", "folder", "--out", "{out}", "--val", ".6", "--test", ".6"], 2, "1"),
        (["{src}", "--format", "csv", "--out", "{out}", "--column", "x"], 2, "FIELD=COLUMN"),
        (["{src}/none", "--format", "folder", "--out", "{out}"], 1, "is not a folder"),
        (["{src}", "--format", "csv", "--out", "{out}"], 1, "labels.csv is not there"),
        (["{src}", "--format", "fairface", "--out", "{out}"], 1, "fairface_label_train.csv"),
        (["{empty}", "--format", "folder", "--out", "{out}"], 1, "no pictures were found"),
        (["{src}", "--format", "folder", "--out", "{file}/x"], 1, "cannot write to"),
        (["{bad}", "--format", "folder", "--out", "{out}"], 1, "none of 1 pictures is usable"),
    ],
)
def test_bad_input_is_one_line(pictures, tmp_path, capsys, arguments, status, message):
    (tmp_path / "empty").mkdir()
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "x.jpg").write_bytes(b"x")
    (tmp_path / "file").write_text("")
    places = {name: tmp_path / name for name in ("empty", "bad", "file", "out")}
    try:
        found = main([text.format(src=pictures, **places) for text in [*arguments]])
    except SystemExit as stop:
        found = stop.code
    assert found == status
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error: ")]
    assert len(lines) == 1
    assert message in lines[0]
    assert not (tmp_path / "out" / "manifest.csv").exists()


def test_a_dead_worker_is_said(pictures, tmp_path, monkeypatch):
    monkeypatch.setattr(training.prepare.parts, "_start_worker", os._exit)  # dies as it starts
    with pytest.raises(UncoverError, match="a worker process died"):
        prepare(settings(pictures, tmp_path, workers=2))
    assert not (tmp_path / "manifest.csv").exists()


@pytest.mark.data
@pytest.mark.skipif(not UTKFACE.is_dir(), reason="the photo collection is not here")
def test_estimated_pose_agrees_with_given_pose(tmp_path):
    with (UTKFACE / "labels.csv").open(newline="") as stream:
        rows = [row for row in csv.DictReader(stream) if row["split"] == "test"][::8]
    turned = [row for row in rows if abs(float(row["yaw"])) >= 15]
    table = tmp_path / "some.csv"
    table.write_text("path\n" + "".join(f"{row['path']}\n" for row in rows))
    made = settings(
        UTKFACE, tmp_path / "out", format="csv", options=SourceOptions(labels=table), workers=1
    )
    prepare(made)
    found = {record.path: record for record in read_manifest(tmp_path / "out")}
    both = [(row, found[row["path"]]) for row in rows if row["path"] in found]
    assert len(both) >= 0.95 * len(rows)
    assert len(turned) >= 20
    for name, least in (("yaw", 0.95), ("pitch", 0.75), ("roll", 0.7)):
        pairs = np.array([(float(row[name]), getattr(record, name)) for row, record in both])
        assert np.corrcoef(pairs.T)[0, 1] >= least
    given = np.array([float(row["sharpness"]) for row, _ in both])
    measured = np.array([record.sharpness for _, record in both])
    assert np.median(np.abs(measured / given - 1)) < 0.01
