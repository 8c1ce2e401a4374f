from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from training.prepare.readers import (
    SourceItem,
    SourceOptions,
    hash_split,
    open_source,
)
from uncover.errors import UncoverError


def touch(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"")
    return root


def read(name: str, root: Path, **options: object) -> list[SourceItem]:
    return list(open_source(name, root, SourceOptions(**options)))


def test_utkface_reads_labels_from_names(tmp_path):
    touch(
        tmp_path,
        "test/61_1_3_20170109.jpg.chip.jpg",
        "26_0_0_2017.jpg",
        "part1/30_1_4_1.jpg",
        "61_1_20170109142408075.jpg",
        "9_2_0_1.jpg",
    )
    items = {item.path: item for item in read("utkface", tmp_path)}
    one = items["test/61_1_3_20170109.jpg.chip.jpg"]
    assert (one.split, one.age, one.gender, one.ethnicity) == ("test", 61, "female", "indian")
    assert one.identity == ""
    other = items["26_0_0_2017.jpg"]
    assert (other.split, other.age, other.gender, other.ethnicity) == (None, 26, "male", "white")
    assert items["part1/30_1_4_1.jpg"].split is None
    assert items["part1/30_1_4_1.jpg"].ethnicity == "other"
    for broken in ("61_1_20170109142408075.jpg", "9_2_0_1.jpg"):
        assert "age_gender_race" in (items[broken].problem or "")


def test_fairface_reads_both_files(tmp_path):
    (tmp_path / "fairface_label_train.csv").write_text(
        "file,age,gender,race,service_test\n"
        "train/1.jpg,50-59,Male,East Asian,True\n"
        "train/2.jpg,more than 70,Female,Latino_Hispanic,False\n"
        "train/3.jpg,,Female,Indian,False\n"
    )
    (tmp_path / "fairface_label_val.csv").write_text(
        "file,age,gender,race,service_test\n"
        "val/1.jpg,3-9,Female,Southeast Asian,True\nval/2.jpg,20-29,Male,Middle Eastern,True\n"
    )
    items = read("fairface", tmp_path)
    assert [(i.path, i.split, i.ethnicity, i.gender, i.age) for i in items] == [
        ("train/1.jpg", "train", "east-asian", "male", 50),
        ("train/2.jpg", "train", "latino", "female", 70),
        ("train/3.jpg", "train", "indian", "female", None),
        ("val/1.jpg", "val", "southeast-asian", "female", 3),
        ("val/2.jpg", "val", "middle-eastern", "male", 20),
    ]
    assert items[2].problem == "its age is not a range"
    with pytest.raises(UncoverError, match="neither fairface_label_train"):
        read("fairface", touch(tmp_path / "empty", "x.jpg"))


def test_vggface2_takes_identities_and_their_labels(tmp_path):
    touch(tmp_path, "n000002/1.jpg", "n000002/2.jpg", "n000003/1.jpg", "stray.jpg")
    items = sorted(read("vggface2", tmp_path), key=lambda item: item.path)
    assert [item.identity for item in items] == ["n000002", "n000002", "n000003", ""]
    assert {item.ethnicity for item in items} == {"unknown"}
    assert items[3].problem == "not in a folder that names its identity"
    meta = tmp_path / "identity_meta.csv"
    meta.write_text('Class_ID, Name, Gender, ethnicity\nn000003, "A, B", m, South Asian\n')
    items = sorted(read("vggface2", tmp_path, labels=meta), key=lambda item: item.path)
    assert (items[2].gender, items[2].ethnicity) == ("male", "south-asian")
    assert (items[0].gender, items[0].ethnicity) == ("unknown", "unknown")
    meta.write_text("name,gender\nx,m\n")
    with pytest.raises(UncoverError, match="no column 'identity'; it has: name, gender"):
        read("vggface2", tmp_path, labels=meta)


def test_vggface2_keeps_its_own_splits(tmp_path):
    touch(tmp_path, "train/n1/1.jpg", "test/n2/1.jpg", "test/1.jpg")
    items = read("vggface2", tmp_path)
    assert [(i.split, i.identity) for i in items if not i.problem] == [
        ("test", "n2"),
        ("train", "n1"),
    ]


def test_csv_takes_what_columns_there_are(tmp_path):
    table = tmp_path / "labels.csv"
    table.write_text(
        "\ufeffpath,split,perceived_ethnicity,perceived_gender,age,yaw,roll,extra\n"
        "a.jpg,val,Middle Eastern,F,33.0,-12.5,3,x\n"
        "b.jpg,,,,,0,0,x\n"
    )
    one, two = read("csv", tmp_path)
    assert (one.split, one.ethnicity, one.gender, one.age) == (
        "val",
        "middle-eastern",
        "female",
        33,
    )
    assert dict(one.pose) == {"yaw": -12.5, "roll": 3.0}
    assert (two.split, two.ethnicity, two.gender, two.age) == (None, "unknown", "unknown", None)


def test_csv_columns_can_be_named(tmp_path):
    table = tmp_path / "my.csv"
    table.write_text("img,race7,ethnicity\na.jpg,Black,wrong\n")
    columns = {"path": "img", "ethnicity": "race7"}
    (item,) = read("csv", tmp_path, labels=table, columns=columns)
    assert (item.path, item.ethnicity) == ("a.jpg", "black")


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ("a.jpg,dev,1,30", "split 'dev' in the CSV is not one of"),
        ("a.jpg,train,left,30", "yaw 'left' in the CSV is not a number"),
        ("a.jpg,train,,30", "yaw '' in the CSV is not a number"),
        ("a.jpg,train,nan,30", "yaw 'nan' in the CSV is not within"),
        ("a.jpg,train,400,30", "yaw '400' in the CSV is not within"),
        ("a.jpg,train,1,old", "age 'old' in the CSV is not a number"),
        (",train,1,30", "no path in the CSV"),
        ("a.jpg", "yaw '' in the CSV is not a number"),
        ("good.jpg,train,1,30", "listed more than once"),
    ],
)
def test_a_bad_row_is_kept_with_its_problem(tmp_path, row, problem):
    (tmp_path / "labels.csv").write_text(f"path,split,yaw,age\ngood.jpg,train,1,30\n{row}\n")
    good, bad = read("csv", tmp_path)
    assert good.problem is None
    assert problem in (bad.problem or "")


@pytest.mark.parametrize(
    ("name", "content", "options", "message"),
    [
        ("csv", "file2,x\n1,2\n", {}, "no column 'path'; it has: file2, x"),
        ("csv", "", {}, "no column 'path'; it has: none"),
        ("csv", "path\na\n", {"columns": {"yaw": "angle"}}, "no column 'angle'"),
        ("csv", "path\na\n", {"columns": {"colour": "x"}}, "unknown field 'colour'"),
        ("csv", b"\xff\xfe\x00p", {}, "cannot be read as CSV"),
        ("csv", None, {}, r"labels\.csv is not there"),
        ("imagenet", None, {}, "unknown format 'imagenet'; choose one of utkface"),
    ],
)
def test_a_bad_source_is_named(tmp_path, name, content, options, message):
    if content is not None:
        data = content if isinstance(content, bytes) else content.encode()
        (tmp_path / "labels.csv").write_bytes(data)
    with pytest.raises(UncoverError, match=message) as error:
        read(name, tmp_path, **options)
    assert "\n" not in str(error.value)


def test_missing_folder(tmp_path):
    with pytest.raises(UncoverError, match="is not a folder"):
        read("folder", tmp_path / "nowhere")


def test_hash_split_is_stable_and_near_the_shares():
    counts = Counter(hash_split(f"n{i:06d}", 0.1, 0.2) for i in range(5000))
    assert counts["test"] == pytest.approx(1000, abs=100)
    assert counts["val"] == pytest.approx(500, abs=75)
    twelve = [f"n{i:06d}" for i in range(12)]  # so that no test photo ever becomes a train one
    assert [n for n in twelve if hash_split(n, 0.1, 0.2) == "test"] == ["n000002"]
    assert [n for n in twelve if hash_split(n, 0.1, 0.2) == "val"] == [
        "n000000",
        "n000003",
        "n000004",
    ]
    assert {hash_split(str(i), 0.0, 0.0) for i in range(50)} == {"train"}


def test_fairface_as_it_is_unpacked_with_blanks_in_the_header(tmp_path):
    (tmp_path / "fairface-img-margin125-trainval" / "val").mkdir(parents=True)
    (tmp_path / "fairface_label_val.csv").write_text(
        "file, age , gender, race\nval/1.jpg,30-39,Male,Southeast Asian\n"
    )
    (item,) = read("fairface", tmp_path)
    assert item.path == "fairface-img-margin125-trainval/val/1.jpg"
    assert (item.ethnicity, item.age, item.problem) == ("southeast-asian", 30, None)


def test_a_photo_that_fairface_lists_twice_is_taken_once(tmp_path):
    rows = "val/1.jpg,30-39,Male,White\n val/1.jpg,40-49,Male,White\n"
    (tmp_path / "fairface_label_val.csv").write_text(f"file,age,gender,race\n{rows}")
    first, second = read("fairface", tmp_path)
    assert (first.age, first.problem) == (30, None)
    assert second.problem == "listed more than once in the CSV"


def test_all_age_faces_names(tmp_path):
    for name in ("train/00003A25.jpg", "test/07381A102.jpg", "test/face.jpg"):
        touch(tmp_path, name)
    items = {item.path: item for item in read("aaf", tmp_path)}
    woman, man = items["train/00003A25.jpg"], items["test/07381A102.jpg"]
    assert (woman.gender, woman.age, woman.split) == ("female", 25, "train")
    assert (man.gender, man.age, man.ethnicity) == ("male", 102, "unknown")
    assert items["test/face.jpg"].problem == "file name is not numberAage"


def test_linked_folders_are_followed_and_loops_end(tmp_path):
    touch(tmp_path / "elsewhere", "30_0_0_1.jpg")
    source = tmp_path / "source"
    source.mkdir()
    (source / "part").symlink_to(tmp_path / "elsewhere")
    assert [item.path for item in read("utkface", source)] == ["part/30_0_0_1.jpg"]
    (tmp_path / "elsewhere" / "back").symlink_to(source)
    assert [item.path for item in read("utkface", source)] == ["part/30_0_0_1.jpg"]
