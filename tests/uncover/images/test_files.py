from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import ExifTags, Image, ImageCms
from skimage import data

from tests.uncover.broken_files import broken
from uncover.errors import ImageError
from uncover.images import read_image, read_mask, write_image
from uncover.images.files import MAX_PIXELS
from uncover.images.photo import Photo
from uncover.images.provenance import NOTE, SOURCE_TYPE, marked_xmp

FACE = Image.fromarray(data.astronaut()[:120, 150:310])
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def in_mode(mode: str) -> Image.Image:
    if mode == "I;16":
        return Image.fromarray(np.asarray(FACE.convert("L")).astype(np.uint16) * 257)
    if mode in ("RGBA", "LA"):
        image = FACE.convert(mode)
        image.putalpha(Image.linear_gradient("L").resize(FACE.size))
        return image
    if mode == "P":
        return FACE.quantize(64)
    return FACE.convert(mode)


CASES = [
    ("RGB", ".png"), ("RGB", ".jpg"), ("RGB", ".webp"), ("RGB", ".tif"), ("RGB", ".bmp"),
    ("L", ".png"), ("L", ".jpg"), ("LA", ".png"), ("RGBA", ".png"), ("RGBA", ".webp"),
    ("P", ".png"), ("P", ".gif"), ("1", ".png"), ("I;16", ".png"), ("I;16", ".tif"),
    ("CMYK", ".jpg"), ("CMYK", ".tif"), ("I", ".tif"), ("F", ".tif"),
]  # fmt: skip


@pytest.mark.parametrize(("mode", "suffix"), CASES)
def test_every_mode_is_read_and_written_back(tmp_path: Path, mode: str, suffix: str) -> None:
    source = tmp_path / f"in{suffix}"
    in_mode(mode).save(source)
    stored = Image.open(source)
    stored.load()
    photo = read_image(source)
    assert photo.mode == stored.mode
    assert photo.rgb.shape == (120, 160, 3)
    assert photo.rgb.dtype == np.uint8
    expected = np.asarray(FACE.convert("L"), float)
    close = 105 if mode == "1" else 12
    assert np.abs(photo.rgb.mean(-1) - expected).mean() < close

    rgb = photo.rgb.copy()
    rgb[40:60, 50:90] = (205, 160, 130)
    painted = np.zeros((20, 40), bool)
    painted[3:, 5:] = True
    image = photo.repainted(rgb, [((50, 40, 90, 60), painted)])
    assert (image.mode, image.size) == (stored.mode, stored.size)
    before, after = np.asarray(stored), np.asarray(image)
    outside = np.ones((120, 160), bool)
    outside[40:60, 50:90] = ~painted
    if photo.native is not None:
        np.testing.assert_array_equal(before[outside], after[outside])
        assert (before[~outside] != after[~outside]).any()
    written = read_image(write_image(image, tmp_path / f"out{suffix}", photo))
    assert written.mode == stored.mode
    if mode != "1":
        patch = written.rgb[45:58, 60:85].reshape(-1, 3).astype(float).mean(0)
        if mode in ("RGB", "RGBA", "CMYK"):
            np.testing.assert_allclose(patch, (205, 160, 130), atol=6)
        else:
            assert abs(patch.mean() - 170) < 25


@pytest.mark.parametrize("suffix", [".png", ".tif", ".webp"])
def test_lossless_formats_keep_every_byte(tmp_path: Path, suffix: str) -> None:
    photo = read_image(np.asarray(FACE))
    out = write_image(photo.repainted(photo.rgb, []), tmp_path / f"o{suffix}", photo)
    np.testing.assert_array_equal(np.asarray(Image.open(out)), np.asarray(FACE))


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "LA", "P", "I;16", "CMYK", "1", "F"])
@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".tif", ".bmp", ".gif"])
def test_any_mode_can_be_written_to_any_format(tmp_path: Path, mode: str, suffix: str) -> None:
    photo = read_image(in_mode(mode))
    out = write_image(photo.repainted(photo.rgb, []), tmp_path / f"o{suffix}", photo)
    again = read_image(out)
    assert again.rgb.shape == (120, 160, 3)
    if mode not in ("1", "RGBA", "LA"):
        assert np.abs(again.rgb.astype(float) - photo.rgb).mean() < 9


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied_once(tmp_path: Path, orientation: int) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    exif[ExifTags.Base.Make] = "Camera"
    FACE.save(tmp_path / "in.jpg", exif=exif, quality=95)
    photo = read_image(tmp_path / "in.jpg")
    assert (photo.width, photo.height) == ((160, 120) if orientation < 5 else (120, 160))
    out = write_image(photo.repainted(photo.rgb, []), tmp_path / "out.jpg", photo)
    written = Image.open(out)
    assert written.getexif().get(ExifTags.Base.Orientation, 1) == 1
    assert written.getexif()[ExifTags.Base.Make] == "Camera"
    assert written.size == (photo.width, photo.height)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".tif"])
def test_profile_and_note_are_written(tmp_path: Path, suffix: str) -> None:
    FACE.save(tmp_path / f"in{suffix}", icc_profile=SRGB)
    photo = read_image(tmp_path / f"in{suffix}")
    out = write_image(photo.repainted(photo.rgb, []), tmp_path / f"out{suffix}", photo)
    written = Image.open(out)
    written.load()
    assert written.info["icc_profile"] == SRGB
    assert written.getexif()[ExifTags.Base.ImageDescription] == NOTE
    assert SOURCE_TYPE.encode() in out.read_bytes()
    if suffix == ".png":
        assert written.text["Comment"] == NOTE
    if suffix == ".jpg":
        assert written.info["comment"] == NOTE.encode()


def test_gps_and_description_survive_and_the_old_thumbnail_does_not(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.ImageDescription] = "A day out"
    exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitudeRef] = "N"
    FACE.save(tmp_path / "in.jpg", exif=exif)
    photo = read_image(tmp_path / "in.jpg")
    written = Image.open(write_image(FACE, tmp_path / "out.jpg", photo)).getexif()
    assert written[ExifTags.Base.ImageDescription] == f"A day out | {NOTE}"
    assert written.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitudeRef] == "N"
    assert not written.get_ifd(ExifTags.IFD.IFD1)


def test_tiff_tags_of_storage_do_not_leak_into_a_jpeg(tmp_path: Path) -> None:
    FACE.save(tmp_path / "in.tif", compression="tiff_lzw")
    photo = read_image(tmp_path / "in.tif")
    written = Image.open(write_image(FACE, tmp_path / "out.jpg", photo)).getexif()
    assert set(written) == {ExifTags.Base.ImageDescription, ExifTags.Base.Software}


def test_xmp_keeps_the_rest_and_replaces_an_older_source_type() -> None:
    once = marked_xmp(None)
    assert once.count(SOURCE_TYPE.encode()) == 1
    other = once.replace(SOURCE_TYPE.encode(), b"digitalCapture").replace(
        b"</rdf:RDF>", b"<rdf:Description xmlns:dc='d'><dc:a>x</dc:a></rdf:Description></rdf:RDF>"
    )
    twice = marked_xmp(other)
    assert b"digitalCapture" not in twice
    assert b"<dc:a>x</dc:a>" in twice
    assert twice.count(SOURCE_TYPE.encode()) == 1
    assert SOURCE_TYPE.encode() in marked_xmp(b"not xml")


def test_cmyk_goes_through_its_profile_when_it_is_one(tmp_path: Path) -> None:
    cmyk = FACE.convert("CMYK")
    cmyk.save(tmp_path / "in.jpg", icc_profile=SRGB, quality=95)  # a wrong profile: not for CMYK
    photo = read_image(tmp_path / "in.jpg")
    assert np.abs(photo.rgb.astype(float) - np.asarray(FACE)).mean() < 12


def test_palette_holes_are_never_painted() -> None:
    image = FACE.quantize(16)
    image.info["transparency"] = 3
    photo = read_image(image)
    colour = np.array(image.getpalette("RGB")).reshape(-1, 3)[3]
    rgb = photo.rgb.copy()
    rgb[:] = colour
    whole = [((0, 0, 160, 120), np.ones((120, 160), bool))]
    assert (np.asarray(photo.repainted(rgb, whole)) != 3).all()


@pytest.mark.parametrize(
    ("suffix", "frames"), [(".gif", 3), (".webp", 3), (".png", 3), (".tif", 2)]
)
def test_first_frame_of_an_animation_with_a_warning(
    tmp_path: Path, suffix: str, frames: int
) -> None:
    path = tmp_path / f"a{suffix}"
    rest = [Image.new("RGB", FACE.size, (i * 40, 0, 0)) for i in range(1, frames)]
    FACE.save(path, save_all=True, append_images=rest)
    photo = read_image(path)
    assert "only the first" in photo.warnings[0]
    assert np.abs(photo.rgb.astype(float) - np.asarray(FACE)).mean() < 12


def test_sixteen_bit_colour_is_read_with_a_warning(tmp_path: Path) -> None:
    cv2 = pytest.importorskip("cv2")
    deep = np.asarray(FACE).astype(np.uint16)[..., ::-1] * 257
    for name in ("deep.png", "deep.tif"):
        cv2.imwrite(str(tmp_path / name), deep)
        photo = read_image(tmp_path / name)
        np.testing.assert_array_equal(photo.rgb, np.asarray(FACE))
        assert "16 bits" in photo.warnings[0]


def test_broken_exif_is_ignored_with_a_warning(tmp_path: Path) -> None:
    FACE.save(tmp_path / "in.jpg", exif=b"Exif\0\0II*\0\xff\xff\xff\xff" + b"\xee" * 40)
    photo = read_image(tmp_path / "in.jpg")
    assert photo.rgb.shape == (120, 160, 3)
    write_image(FACE, tmp_path / "out.jpg", photo)


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        ("empty", "0 bytes"), ("text", "not a picture"), ("html", "not a picture"),
        ("cut jpeg", "damaged"), ("cut png", "damaged"),
        ("cut webp", "damaged"), ("cut gif", "damaged"),
        ("huge", "80 megapixels"), ("large", "80 megapixels"),
    ],
)  # fmt: skip
def test_bad_files_give_one_clear_line(tmp_path: Path, kind: str, says: str) -> None:
    path = tmp_path / "bad.jpg"
    path.write_bytes(broken(kind))
    with pytest.raises(ImageError) as caught:
        read_image(path)
    message = str(caught.value)
    assert says in message
    assert "bad.jpg" in message
    assert "\n" not in message


def test_missing_files_and_folders(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="does not exist"):
        read_image(tmp_path / "none.jpg")
    with pytest.raises(ImageError, match="is a folder"):
        read_image(tmp_path)


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((4, 4, 3)), np.zeros((4, 4, 2), np.uint8), np.zeros((0, 4, 3), np.uint8),
        np.zeros(5, np.uint8), np.broadcast_to(np.uint8(0), (9000, 9000, 3)),
    ],
    ids=["float", "channels", "empty", "line", "large"],
)  # fmt: skip
def test_bad_arrays_are_refused(array: np.ndarray) -> None:
    assert MAX_PIXELS == 80_000_000
    with pytest.raises(ImageError):
        read_image(array)


def test_other_types_are_refused() -> None:
    with pytest.raises(ImageError, match="int"):
        read_image(5)  # type: ignore[arg-type]


def test_pil_input_is_not_changed() -> None:
    image = FACE.copy()
    exif = image.getexif()
    exif[ExifTags.Base.Orientation] = 6
    photo = read_image(image)
    assert (photo.width, photo.height) == (120, 160)
    assert image.size == (160, 120)
    assert image.getexif()[ExifTags.Base.Orientation] == 6


PLAIN = Photo(rgb=np.zeros((20, 30, 3), np.uint8))


@pytest.mark.parametrize("kind", ["bool", "uint8", "pil", "1", "rgba", "path"])
def test_masks_of_every_kind(tmp_path: Path, kind: str) -> None:
    mask = np.zeros((20, 30), bool)
    mask[3:9, 4:20] = True
    grey = mask.astype(np.uint8) * 255
    clear = Image.new("RGBA", (30, 20), (255, 255, 255, 0))
    clear.paste((255, 255, 255, 255), (4, 3, 20, 9))
    Image.fromarray(grey).save(tmp_path / "m.png")
    given = {
        "bool": mask, "uint8": grey, "pil": Image.fromarray(grey), "rgba": clear,
        "1": Image.fromarray(grey).convert("1"), "path": tmp_path / "m.png",
    }[kind]  # fmt: skip
    np.testing.assert_array_equal(read_mask(given, PLAIN), mask)


@pytest.mark.parametrize(
    ("mask", "says"),
    [
        (np.zeros((20, 30), bool), "empty"),
        (np.full((20, 30), 127, np.uint8), "empty"),
        (np.ones((30, 20), bool), "20x30"),
        (np.ones((20, 30, 3), np.uint8), "bool or uint8"),
        (np.ones((20, 30)), "bool or uint8"),
    ],
)
def test_bad_masks_are_refused(mask: np.ndarray, says: str) -> None:
    with pytest.raises(ImageError, match=says):
        read_mask(mask, PLAIN)


def test_a_failed_write_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="must end in"):
        write_image(FACE, tmp_path / "out.xyz")
    with pytest.raises(ImageError, match="cannot write"):
        write_image(FACE, tmp_path / "none" / "out.png")
    (tmp_path / "out.png").mkdir()
    with pytest.raises(ImageError, match="cannot write"):
        write_image(FACE, tmp_path / "out.png")
    assert [p.name for p in tmp_path.iterdir()] == ["out.png"]
