import shutil

import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat

from benchmark.photos.datasets import drawn, load
from benchmark.photos.readers import read
from tests.benchmark.labelled_photos import label_rows, write_labels
from uncover.errors import UncoverError


@pytest.fixture
def folder(tmp_path):
    rows = label_rows(3)
    for row in rows:
        path = tmp_path / row["path"]
        path.parent.mkdir(exist_ok=True)
        Image.new("RGB", (32, 32), (int(path.stem) * 40, 90, 20)).save(path)
    write_labels(tmp_path / "labels.csv", rows)
    return tmp_path


def empty_photo(path, colour="black"):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (24, 24), colour).save(path)


@pytest.mark.parametrize("ending", ["", "labels.csv"])
def test_labelled_folder(folder, ending):
    data = load(folder / ending)
    assert [photo.name for photo in data.photos] == ["test/0.png", "test/1.png", "test/2.png"]
    assert (data.split, data.name) == ("test", folder.name)
    assert data.factors == ("ethnicity", "gender")
    assert data.has_yaw
    assert data.photos[0].landmarks.shape == (68, 2)
    assert data.photos[1].read()[0, 0].tolist() == [40, 90, 20]


def change(rows, **values):
    rows[1].update(values)
    return rows


@pytest.mark.parametrize(
    ("edit", "columns", "message"),
    [
        (lambda r: r, ("split", "ethnicity"), "labels.csv has no column path"),
        (lambda r: change(r, path="test/9.png"), None, "names test/9.png, which is not in"),
        (lambda r: change(r, path="test/./0.png"), None, "two photos of the name test/0.png"),
        (lambda r: change(r, path=" "), None, "line 3: the path is empty"),
        (lambda r: change(r, yaw="left"), None, "line 3: yaw is not a number: 'left'"),
        (lambda r: change(r, yaw="nan"), None, "line 3: yaw is not a finite number"),
        (lambda r: change(r, landmarks="1 2 3"), None, "line 3: landmarks: expected 136"),
        (lambda r: [], None, "labels.csv lists no photo"),
    ],
)
def test_faulty_labels_name_the_culprit(folder, edit, columns, message):
    write_labels(folder / "labels.csv", edit(label_rows(3)), *([columns] if columns else []))
    with pytest.raises(UncoverError, match=message):
        load(folder)


def test_blanks_in_a_label_file_are_no_part_of_names(folder):
    rows = "".join(f"test/{i}.png , Asian, {i}0\n" for i in range(3))
    (folder / "labels.csv").write_text(f"path, ethnicity , yaw\n{rows}")
    data = load(folder)
    assert data.factors == ("ethnicity",)
    assert data.column("ethnicity") == ["asian"] * 3
    assert [photo.yaw for photo in data.photos] == [0, 10, 20]
    (folder / "labels.csv").write_text("path,name\ntest/0.png,José\n", encoding="latin-1")
    with pytest.raises(UncoverError, match=r"not UTF-8; save it as CSV in UTF-8"):
        load(folder)


def test_a_photo_under_two_names_counts_once(folder):
    (folder / "again.png").symlink_to(folder / "test" / "1.png")
    shutil.copy(folder / "test" / "0.png", folder / "copy.png")
    rows = label_rows(3)
    names = ("test/../test/2.png", "again.png", "copy.png")
    write_labels(folder / "labels.csv", rows + [{**rows[0], "path": name} for name in names])
    data = load(folder)
    assert [photo.name for photo in data.photos] == ["test/0.png", "test/1.png", "test/2.png"]
    assert data.twice == names


def test_linked_folders_are_read_and_loops_end(tmp_path):
    source = tmp_path / "faces"
    empty_photo(source / "26_1_2_20170116.jpg")
    empty_photo(tmp_path / "elsewhere" / "44_0_4_20170117.jpg", "red")
    (source / "part").symlink_to(tmp_path / "elsewhere")
    (source / "part" / "back").symlink_to(source)
    data = load(source)
    assert [photo.name for photo in data.photos] == [
        "26_1_2_20170116.jpg",
        "part/44_0_4_20170117.jpg",
    ]


def test_missing_split_and_unknown_slice(folder):
    with pytest.raises(UncoverError, match=r"--split val: labels\.csv has only test"):
        load(folder, "val")
    with pytest.raises(
        UncoverError, match=r"unknown slice age.*ethnicity, gender, pose, mask_type"
    ):
        load(folder).column("age")


def test_folder_of_nothing_known(tmp_path):
    with pytest.raises(UncoverError, match="is not UTKFace, FairFace or AFLW2000"):
        load(tmp_path)
    with pytest.raises(UncoverError, match="does not exist"):
        load(tmp_path / "absent")


def test_perceived_labels(folder):
    rows = [{**r, "perceived_ethnicity": "White"} for r in label_rows(3)]
    write_labels(folder / "labels.csv", rows, ("path", "perceived_ethnicity"))
    data = load(folder)
    assert data.perceived == ("ethnicity",)
    assert data.column("ethnicity") == ["white"] * 3
    assert not data.has_yaw


def test_utkface_names(tmp_path):
    empty_photo(tmp_path / "26_1_2_20170116.jpg.chip.jpg")
    for name in ("44_0_4_20170117.jpg", "note.jpg"):
        empty_photo(tmp_path / name, "grey")
    data = load(tmp_path)
    assert data.column("ethnicity") == ["asian", "other"]
    assert data.column("gender") == ["female", "male"]
    assert data.split is None


def test_fairface(tmp_path):
    for name in ("train/1.jpg", "val/1.jpg"):
        empty_photo(tmp_path / name)
        text = f"file,age,gender,race,service_test\n{name},3-9,Female,East Asian,True\n"
        (tmp_path / f"fairface_label_{name.split('/')[0]}.csv").write_text(text)
    data = load(tmp_path)
    assert [photo.name for photo in data.photos] == ["val/1.jpg"]
    assert data.column("ethnicity") == ["east-asian"]
    assert load(tmp_path, "train").photos[0].name == "train/1.jpg"


def test_fairface_as_its_archive_unpacks(tmp_path):
    inner = "fairface-img-margin025-trainval"
    empty_photo(tmp_path / inner / "val/1.jpg")
    text = "file, age, gender, race \nval/1.jpg,30-39,Male,Black\n"
    (tmp_path / "fairface_label_val.csv").write_text(text)
    data = load(tmp_path)
    assert [photo.name for photo in data.photos] == [f"{inner}/val/1.jpg"]
    assert data.column("ethnicity") == ["black"]


def test_aflw2000(tmp_path):
    empty_photo(tmp_path / "image00002.jpg")
    points = np.arange(204, dtype=float).reshape(3, 68)
    pose = np.radians([[4.0, -72.0, 1.0, 0, 0, 0, 0]])
    savemat(tmp_path / "image00002.mat", {"Pose_Para": pose, "pt3d_68": points})
    data = load(tmp_path)
    assert data.aligned
    assert data.photos[0].yaw == pytest.approx(-72)
    assert data.photos[0].landmarks.tolist() == points[:2].T.tolist()
    (tmp_path / "image00003.mat").write_bytes(b"no matrix")
    with pytest.raises(UncoverError, match=r"image00003\.mat is not an AFLW2000 label file"):
        read(tmp_path)


def test_drawn_faces_repeat():
    a, b = drawn(3), drawn(3)
    assert [p.sha256 for p in a.photos] == [p.sha256 for p in b.photos]
    assert len({p.sha256 for p in a.photos}) == 3
    assert a.factors == ("ethnicity",)
