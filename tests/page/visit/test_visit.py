"""What the page does with one photo, without a browser."""

from __future__ import annotations

import base64
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from page.visit import kept
from page.visit.correction import make_regions
from page.visit.editor import for_editor, read_answer
from page.visit.uploads import given_photo
from page.visit.visit import again, download, one_line, open_photo, start, take
from tests.browser import stand_ins
from tests.uncover.small_generator import small_generator
from uncover.errors import ImageError, UncoverError
from uncover.images.provenance import NOTE
from uncover.results import Face, Reason


@pytest.fixture
def begun(tmp_path: Path):
    photo = stand_ins.clothed(tmp_path / "photo.png")
    uncoverer = stand_ins.uncoverer()
    visit, shown = start(uncoverer, photo, tmp_path / "out", "feather", False)
    return uncoverer, visit, shown, tmp_path / "out"


def pixels(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path).convert("RGB"))


def full(visit, folder: Path) -> np.ndarray:
    """The whole painted picture, as it is downloaded."""
    return pixels(download(visit, folder, "PNG", False))


def url_of(mask: np.ndarray) -> str:
    stream = io.BytesIO()
    Image.fromarray(mask.astype(np.uint8) * 255).save(stream, "PNG")
    return "data:image/png;base64," + base64.b64encode(stream.getvalue()).decode()


def answer_for(visit, masks: dict[int, np.ndarray | None], off: tuple[int, ...] = ()):
    regions = [
        {"on": i not in off, "mask": None if masks.get(i) is None else url_of(masks[i])}
        for i in range(len(visit.regions))
    ]
    return {"token": visit.token, "regions": regions}


def test_start_paints_the_mouth_and_nothing_else(begun) -> None:
    _, visit, shown, out = begun
    before, after = pixels(visit.path), full(visit, out)
    painted = visit.faces[0].mask
    assert stand_ins.cloth(before).sum() > 1000
    assert stand_ins.cloth(after).sum() == 0
    assert np.array_equal(before[~painted], after[~painted])
    assert shown.size == before.shape[1::-1]
    (box,) = shown.boxes
    assert box["text"].startswith("1 mask 97%")
    assert 0 <= box["box"][0] < box["box"][2] <= 1
    assert not box["left"]
    assert len(shown.pairs) == 1
    assert "1 face found, 1 painted" in shown.words


def test_no_face_gives_advice_and_no_second_picture(tmp_path: Path) -> None:
    _, shown = start(stand_ins.uncoverer(), stand_ins.ASTRONAUT, tmp_path / "out", "feather", False)
    assert "No face found" in shown.words
    assert shown.after is None
    assert np.array_equal(pixels(shown.before).shape, pixels(stand_ins.ASTRONAUT).shape)


def test_previews_are_small_and_the_download_is_whole(tmp_path: Path) -> None:
    photo = stand_ins.clothed(tmp_path / "small.png")
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 255, (1800, 2400, 3), np.uint8)
    noise[:1024, :1024] = np.asarray(Image.open(photo).resize((1024, 1024), Image.NEAREST))
    large = tmp_path / "large.jpg"
    Image.fromarray(noise).save(large, quality=80)
    visit, shown = start(stand_ins.uncoverer(), large, tmp_path / "out", "feather", False)
    sent = 0
    for path in (shown.before, shown.after):
        assert Image.open(path).size == (1600, 1200)
        sent += path.stat().st_size
    sent += sum(len(region["image"]) + len(region["mask"]) for region in shown.editor["regions"])
    assert sent < 1_300_000
    assert not list((tmp_path / "out").rglob("*.png"))  # made on download only
    assert full(visit, tmp_path / "out").shape == (1800, 2400, 3)


@pytest.mark.parametrize("varied", [False, True])  # a stand-in, and a real network
def test_unchanged_masks_give_the_same_picture(tmp_path: Path, varied: bool) -> None:
    uncoverer = stand_ins.uncoverer(small_generator() if varied else None)
    photo = stand_ins.clothed(tmp_path / "photo.png")
    visit, _ = start(uncoverer, photo, tmp_path / "out", "feather", False)
    first = full(visit, tmp_path / "out")
    visit, _ = again(uncoverer, visit, answer_for(visit, {}), tmp_path / "out", "feather")
    second = full(visit, tmp_path / "out")
    assert np.array_equal(first, second)
    assert varied or stand_ins.cloth(second).sum() == 0


def test_as_sent_counts_as_unchanged(begun) -> None:
    _, visit, _, _ = begun
    corrections = read_answer(visit, for_editor(visit, open_photo(visit.path)))
    assert [c.mask for c in corrections] == [None] * len(visit.regions)
    assert all(c.fill for c in corrections)


def test_doubtful_finds_are_not_offered_for_correction() -> None:
    sure = Face((10, 10, 90, 90), "with_mask", 0.9, (200, 300))
    doubtful = Face((100, 10, 190, 90), "with_mask", 0.3, (200, 300), Reason.LOW_SCORE)
    assert [region.face for region in make_regions([sure, doubtful], 300, 200)] == [0, None]


def test_not_this_face(begun) -> None:
    uncoverer, visit, _, out = begun
    visit, second = again(uncoverer, visit, answer_for(visit, {}, off=(0,)), out, "feather")
    assert np.array_equal(pixels(visit.path), full(visit, out))
    assert second.after is None
    assert "none painted" in second.words


@pytest.mark.parametrize("blend", ["feather", "poisson"])
def test_repainted_mask_is_painted_exactly(begun, blend: str) -> None:
    uncoverer, visit, _, out = begun
    region = visit.regions[0]
    mask = np.zeros(region.size[::-1], bool)
    mask[100:180, 120:260] = True
    visit, _ = again(uncoverer, visit, answer_for(visit, {0: mask}), out, blend)
    changed = (pixels(visit.path) != full(visit, out)).any(-1)
    x0, y0, x1, _ = region.rect
    scale = (x1 - x0) / region.size[0]
    allowed = np.zeros(changed.shape, bool)
    allowed[
        y0 + int(100 * scale) - 1 : y0 + int(180 * scale) + 2,
        x0 + int(120 * scale) - 1 : x0 + int(260 * scale) + 2,
    ] = True
    assert changed.any()
    assert not (changed & ~allowed).any()


def test_emptied_mask_leaves_the_face_alone(begun) -> None:
    uncoverer, visit, _, out = begun
    empty = np.zeros(visit.regions[0].size[::-1], bool)
    visit, _ = again(uncoverer, visit, answer_for(visit, {0: empty}), out, "feather")
    assert np.array_equal(pixels(visit.path), full(visit, out))


def test_missed_face_is_filled_where_it_was_marked(tmp_path: Path) -> None:
    uncoverer = stand_ins.uncoverer()
    out = tmp_path / "out"
    visit, _ = start(uncoverer, stand_ins.ASTRONAUT, out, "feather", False)
    mask = np.zeros(visit.regions[-1].size[::-1], bool)
    mask[180:240, 300:390] = True
    visit, _ = again(uncoverer, visit, answer_for(visit, {0: mask}), out, "feather")
    changed = (pixels(visit.path) != full(visit, out)).any(-1)
    assert 500 < changed.sum() <= 60 * 90 * (512 / 768) ** 2 * 1.1


@pytest.mark.parametrize(
    "spoil",
    [
        lambda answer: None,
        lambda answer: {**answer, "token": "another"},
        lambda answer: {**answer, "regions": answer["regions"][:1]},
        lambda answer: {**answer, "regions": ["x"] * len(answer["regions"])},
        lambda answer: {**answer, "regions": [{"on": True, "mask": 3}] * len(answer["regions"])},
        lambda answer: {
            **answer,
            "regions": [{"on": True, "mask": "/etc/passwd"}] * len(answer["regions"]),
        },
        lambda answer: {
            **answer,
            "regions": [{"on": True, "mask": url_of(np.ones((9, 9), bool))}]
            * len(answer["regions"]),
        },
        lambda answer: {
            **answer,
            "regions": [{"on": True, "mask": "data:image/png;base64,AAAA"}]
            * len(answer["regions"]),
        },
    ],
)
def test_malformed_answers_are_refused(begun, spoil) -> None:
    uncoverer, visit, _, out = begun
    with pytest.raises(UncoverError):
        again(uncoverer, visit, spoil(answer_for(visit, {})), out, "feather")


def test_downloads_carry_the_note_and_the_label(begun) -> None:
    _, visit, _, out = begun
    plain = download(visit, out, "PNG", False)
    assert plain.name == "photo_uncovered.png"
    labelled, jpeg = download(visit, out, "PNG", True), download(visit, out, "JPEG", False)
    assert Image.open(plain).text["Comment"] == NOTE
    assert Image.open(labelled).text["Comment"] == NOTE
    assert Image.open(jpeg).info["comment"].decode() == NOTE
    assert jpeg.name == "photo_uncovered.jpg"
    differs = (pixels(plain) != pixels(labelled)).any(-1)
    assert differs[-20:, -200:].any()
    assert not differs[:450].any()
    with pytest.raises(UncoverError, match="PNG or JPEG"):
        download(visit, out, "EXE", False)


def test_deleted_photo_is_said_so(begun) -> None:
    uncoverer, visit, _, out = begun
    visit.path.unlink()
    with pytest.raises(ImageError, match="deleted"):
        again(uncoverer, visit, answer_for(visit, {}), out, "feather")


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_deleted_result_is_said_so(begun, kind: str) -> None:
    _, visit, _, out = begun
    visit.kept.unlink()
    with pytest.raises(ImageError, match="deleted"):
        download(visit, out, kind, False)


def test_old_results_are_swept(begun, monkeypatch: pytest.MonkeyPatch) -> None:
    _, visit, _, out = begun
    assert visit.kept.is_file()
    monkeypatch.setattr(kept, "KEPT", -1)
    own = kept.own_folder(out)
    assert not visit.kept.exists()
    assert sorted(out.iterdir()) in ([], [own])


def test_another_guess_is_taken_for_one_face(tmp_path: Path) -> None:
    uncoverer, out = stand_ins.uncoverer(small_generator()), tmp_path / "out"
    photo = stand_ins.clothed(tmp_path / "photo.png")
    visit, first = start(uncoverer, photo, out, "feather", False, samples=3)
    best = full(visit, out)
    other, view = take(visit, 0, 2, out)
    third = full(other, out)
    result = uncoverer(photo, blend="feather", samples=3)
    assert np.array_equal(best, result.pixels)
    assert np.array_equal(third, result.others[1])
    assert view.guesses is None
    assert view.words == first.words
    assert pixels(view.after).shape == third.shape
    back, _ = take(other, 0, 0, out)
    assert np.array_equal(full(back, out), best)
    for face, guess in ((1, 0), (0, 3), (-1, 0)):
        with pytest.raises(UncoverError, match="this guess is gone"):
            take(visit, face, guess, out)


@pytest.mark.parametrize(
    ("value", "ok"),
    [
        (None, True),
        ({"example": "one"}, True),
        ({"path": "UPLOADS/abc/photo.png"}, True),
        ({"example": "two"}, False),
        ({"path": "UPLOADS/secret.png"}, False),
        ({"path": "UPLOADS/abc/../../outside.png"}, False),
        ({"path": "UPLOADS/uncover/token/result.png"}, False),
        ({"path": "UPLOADS/abc/link.png"}, False),
        ({"path": "/etc/hostname"}, False),
        ({"path": "file:///etc/hostname"}, False),
        ({"path": 3}, False),
        ("UPLOADS/abc/photo.png", False),
        ([], False),
    ],
)
def test_only_uploads_and_examples_are_photos(tmp_path: Path, value, ok: bool) -> None:
    uploads = tmp_path / "uploads"
    for name in ("abc/photo.png", "secret.png", "uncover/token/result.png", "../outside.png"):
        (uploads / name).parent.mkdir(parents=True, exist_ok=True)
        (uploads / name).write_bytes(b"x")
    (uploads / "abc" / "link.png").symlink_to(tmp_path / "outside.png")
    if isinstance(value, dict) and isinstance(value.get("path"), str):
        value = {"path": value["path"].replace("UPLOADS", str(uploads))}
    if ok:
        path = given_photo(value, uploads, {"one": tmp_path / "example.png"})
        assert (path is None) == (value is None)
    else:
        with pytest.raises(ImageError, match="add it anew"):
            given_photo(value, uploads, {"one": tmp_path / "example.png"})


def test_errors_show_no_folder(tmp_path: Path) -> None:
    bad = tmp_path / "bad.png"
    bad.write_bytes(b"not a picture")
    with pytest.raises(ImageError) as caught:
        start(stand_ins.uncoverer(), bad, tmp_path / "out", "feather", False)
    text = one_line(caught.value, [bad])
    assert str(tmp_path) not in text
    assert text.startswith("bad.png ")
    assert one_line(ImageError("a photo is missing"), [bad]) == "A photo is missing."
    assert text.endswith(".")
    assert "\n" not in text
