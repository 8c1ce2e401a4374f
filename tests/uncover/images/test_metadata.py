"""What a photo's file says about itself is kept, and never costs the photo."""

from __future__ import annotations

import io
import logging
from pathlib import Path

import pytest
from PIL import ExifTags, Image, PngImagePlugin
from skimage import data

from uncover.images import read_image, write_image
from uncover.images.provenance import NOTE

FACE = Image.fromarray(data.astronaut()[:120, 150:310])
NAME = "José Müller 写真"
RAW_NAME = NAME.encode().decode("latin-1")  # as PIL reads UTF-8


def large(size: int) -> bytes:
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "Camera"
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.MakerNote] = b"\xa5" * size
    return exif.tobytes()


@pytest.mark.parametrize(("suffix", "size"), [(".png", 120_000), (".jpg", 65_400)])
def test_exif_that_does_not_fit_into_jpeg_is_left_out_with_a_word(
    tmp_path: Path, suffix: str, size: int, caplog: pytest.LogCaptureFixture
) -> None:
    FACE.save(tmp_path / f"in{suffix}", exif=large(size))
    with caplog.at_level(logging.WARNING, "uncover"):
        out = write_image(FACE, tmp_path / "out.jpg", read_image(tmp_path / f"in{suffix}"))
    exif = Image.open(out).getexif()
    assert exif[ExifTags.Base.Make] == "Camera"
    assert exif[ExifTags.Base.ImageDescription] == NOTE
    assert ExifTags.Base.MakerNote not in exif.get_ifd(ExifTags.IFD.Exif)
    assert "left out: MakerNote" in caplog.text


def test_a_large_png_block_stays_in_png(tmp_path: Path) -> None:
    FACE.save(tmp_path / "in.png", exif=large(120_000))
    out = write_image(FACE, tmp_path / "out.png", read_image(tmp_path / "in.png"))
    made = Image.open(out).getexif().get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.MakerNote]
    assert made == b"\xa5" * 120_000


def test_xmp_that_does_not_fit_into_jpeg(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    text = PngImagePlugin.PngInfo()
    rdf = "<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'>"
    text.add_itxt("XML:com.adobe.xmp", f"<x>{rdf}{'<a/>' * 30_000}</rdf:RDF></x>")
    FACE.save(tmp_path / "in.png", pnginfo=text)
    with caplog.at_level(logging.WARNING, "uncover"):
        out = write_image(FACE, tmp_path / "out.jpg", read_image(tmp_path / "in.png"))
    assert Image.open(out).size == FACE.size
    assert "left out: XMP" in caplog.text


@pytest.mark.parametrize("orientation", [1, 6])
@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".tif"])
def test_words_in_any_script_stay(tmp_path: Path, suffix: str, orientation: int) -> None:
    exif = Image.Exif()
    tags = (ExifTags.Base.Artist, ExifTags.Base.Copyright, ExifTags.Base.ImageDescription)
    for tag in tags:
        exif[tag] = "A" * len(NAME.encode())
    exif[ExifTags.Base.Orientation] = orientation
    raw = exif.tobytes().replace(b"A" * len(NAME.encode()), NAME.encode())
    stream = io.BytesIO()
    FACE.save(stream, "JPEG", exif=raw)
    out = write_image(FACE, tmp_path / f"out{suffix}", read_image(stream))
    written = Image.open(out).getexif()
    assert written[ExifTags.Base.Artist] == RAW_NAME
    assert written[ExifTags.Base.Copyright] == RAW_NAME
    assert written[ExifTags.Base.ImageDescription] == f"{RAW_NAME} | {NOTE}"


def test_png_words_jpeg_comments_and_captions_stay(tmp_path: Path) -> None:
    text = PngImagePlugin.PngInfo()
    for key, value in {"Author": NAME, "Comment": "mine", "Software": "Editor 3"}.items():
        text.add_itxt(key, value)
    FACE.save(tmp_path / "in.png", pnginfo=text)
    photo = read_image(tmp_path / "in.png")
    kept = Image.open(write_image(FACE, tmp_path / "out.png", photo)).text
    assert kept["Author"] == NAME
    assert kept["Comment"] == f"mine | {NOTE}"
    assert kept["Software"] == "Editor 3 | uncover"

    iptc = b"Photoshop 3.0\x008BIM\x04\x04\0\0\0\0\0\x0a\x1c\x02\x78\0\x05hello"
    extra = b"\xff\xed" + (len(iptc) + 2).to_bytes(2, "big") + iptc
    FACE.save(tmp_path / "in.jpg", comment="a day out", extra=extra)
    again = Image.open(write_image(FACE, tmp_path / "o.jpg", read_image(tmp_path / "in.jpg")))
    assert again.info["comment"] == f"a day out | {NOTE}".encode()
    assert ("APP13", iptc) in again.applist


def test_a_program_named_in_exif_stays_named(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Software] = "Editor 3"
    FACE.save(tmp_path / "in.jpg", exif=exif)
    out = write_image(FACE, tmp_path / "out.jpg", read_image(tmp_path / "in.jpg"))
    assert Image.open(out).getexif()[ExifTags.Base.Software] == "Editor 3 | uncover"


def test_a_name_as_long_as_names_may_be_can_be_written(tmp_path: Path) -> None:
    name = "n" * 251 + ".png"
    assert write_image(FACE, tmp_path / name).is_file()
    assert [p.name for p in tmp_path.iterdir()] == [name]


def test_a_link_is_written_where_it_points(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    link = tmp_path / "link.png"
    link.symlink_to(tmp_path / "there" / "real.png")
    write_image(FACE, link)
    assert link.is_symlink()
    assert Image.open(tmp_path / "there" / "real.png").size == FACE.size
