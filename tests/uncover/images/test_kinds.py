"""Kinds of picture files, and kinds of things that people hand over instead of a path."""

from __future__ import annotations

import io
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage import data

from uncover.errors import ImageError
from uncover.images import read_image

FACE = Image.fromarray(data.astronaut()[:120, 150:310])


def file_of(kind: str, **options: object) -> bytes:
    stream = io.BytesIO()
    FACE.save(stream, kind, **options)
    return stream.getvalue()


@pytest.mark.parametrize("wrap", [bytes, bytearray, memoryview, io.BytesIO])
def test_bytes_and_file_objects(wrap: type) -> None:
    photo = read_image(wrap(file_of("PNG")))
    np.testing.assert_array_equal(photo.rgb, np.asarray(FACE))
    assert photo.format == "PNG"


def test_a_file_object_that_was_just_written_is_read_from_its_start(tmp_path: Path) -> None:
    stream = io.BytesIO()
    FACE.save(stream, "PNG")
    assert read_image(stream).rgb.shape == (120, 160, 3)
    (tmp_path / "a.png").write_bytes(stream.getvalue())
    with (tmp_path / "a.png").open("rb") as opened:
        assert read_image(opened).rgb.shape == (120, 160, 3)
    with (
        (tmp_path / "a.png").open(encoding="latin-1") as text,
        pytest.raises(ImageError, match="rb"),
    ):
        read_image(text)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("given", "said"),
    [(b"", "empty"), (b"no picture", "not a picture"), (io.BytesIO(b""), "empty")],
)
def test_bytes_that_are_no_picture(given: object, said: str) -> None:
    with pytest.raises(ImageError, match=said):
        read_image(given)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "address", ["https://example.org/a.jpg", "HTTP://x/a.png", "s3://b/k.jpg", "data:image/png;x"]
)
def test_an_address_is_to_be_downloaded_first(address: str) -> None:
    with pytest.raises(ImageError, match="download the photo first"):
        read_image(address)


def test_home_folder_and_file_addresses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    FACE.save(tmp_path / "my face.png")
    assert read_image("~/my face.png").width == 160
    assert read_image((tmp_path / "my face.png").as_uri()).width == 160


def test_a_pipe_is_read(tmp_path: Path) -> None:
    read, write = os.pipe()
    with os.fdopen(write, "wb") as stream:
        stream.write(file_of("JPEG"))
    try:
        assert read_image(f"/dev/fd/{read}").width == 160
    finally:
        os.close(read)


def test_a_name_longer_than_the_system_allows_is_one_line() -> None:
    with pytest.raises(ImageError, match="cannot be read: File name too long"):
        read_image("a" * 300 + ".jpg")


def test_heic_is_read_upright(tmp_path: Path) -> None:
    heif = pytest.importorskip("pillow_heif")
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "Phone"
    heif.from_pillow(FACE).save(tmp_path / "IMG_1.HEIC", quality=90, exif=exif.tobytes())
    photo = read_image(tmp_path / "IMG_1.HEIC")
    assert (photo.width, photo.height) == (120, 160)
    assert np.abs(photo.rgb.astype(int) - np.rot90(np.asarray(FACE), -1)).mean() < 8
    assert photo.exif is not None
    assert photo.exif[0x010F] == "Phone"


def test_bigtiff_is_read() -> None:
    raw = file_of("TIFF", big_tiff=True)
    assert raw[2] == 43
    np.testing.assert_array_equal(read_image(raw).rgb, np.asarray(FACE))


def test_a_photo_that_git_lfs_has_not_fetched_is_said_to_be_one(tmp_path: Path) -> None:
    path = tmp_path / "face.jpg"
    path.write_bytes(b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 5\n")
    with pytest.raises(ImageError, match="git lfs pull"):
        read_image(path)


@pytest.mark.parametrize("ending", [".dng", ".CR3", ".nef", ".arw", ".raf"])
def test_raw_files_are_refused_by_name(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"shot{ending}"
    path.write_bytes(file_of("TIFF"))  # what a reader of pictures sees of it: the thumbnail
    with pytest.raises(ImageError, match="raw file of a camera: develop it"):
        read_image(path)


def test_raw_files_are_refused_by_what_they_hold(tmp_path: Path) -> None:
    FACE.save(tmp_path / "renamed.tif", tiffinfo={50706: b"\1\4\0\0"})
    for given in (tmp_path / "renamed.tif", b"FUJIFILMCCD-RAW 0201FF", b"\0\0\0\x18ftypcrx 0000"):
        with pytest.raises(ImageError, match="raw file"):
            read_image(given)


@pytest.mark.parametrize("ending", [".png", ".heic", ".txt", ".dng", ""])
def test_an_ending_that_lies_does_not_matter(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"photo{ending}"
    path.write_bytes(file_of("JPEG", quality=95))
    assert read_image(path).format == "JPEG"
