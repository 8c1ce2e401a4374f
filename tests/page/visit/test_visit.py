"""What the page does with one photo, without a browser."""

from __future__ import annotations

import base64
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from page.visit import visit as visits
from page.visit.visit import again, download, for_editor, one_line, start
from tests.browser import stand_ins
from tests.uncover.small_generator import small_generator
from uncover.errors import ImageError, UncoverError
from uncover.images.provenance import NOTE


@pytest.fixture
def begun(tmp_path: Path):
    photo = stand_ins.clothed(tmp_path / "photo.png")
    uncoverer = stand_ins.uncoverer()
    visit, shown = start(uncoverer, photo, tmp_path / "out", "feather", False)
    return uncoverer, visit, shown, tmp_path / "out"


def pixels(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path).convert("RGB"))


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
    _, visit, shown, _ = begun
    before, after = pixels(shown.before), pixels(shown.after)
    painted = visit.faces[0].mask
    assert stand_ins.cloth(before).sum() > 1000
    assert stand_ins.cloth(after).sum() == 0
    assert np.array_equal(before[~painted], after[~painted])
    assert shown.found.shape == before.shape
    assert len(shown.pairs) == 1
    assert "1 face found, 1 painted" in shown.words


def test_no_face_gives_advice(tmp_path: Path) -> None:
    _, shown = start(stand_ins.uncoverer(), stand_ins.ASTRONAUT, tmp_path / "out", "feather", False)
    assert "No face found" in shown.words
    assert np.array_equal(pixels(shown.before), pixels(shown.after))


@pytest.mark.parametrize("varied", [False, True])  # a stand-in, and a real network
def test_unchanged_masks_give_the_same_picture(tmp_path: Path, varied: bool) -> None:
    uncoverer = stand_ins.uncoverer(small_generator() if varied else None)
    photo = stand_ins.clothed(tmp_path / "photo.png")
    visit, shown = start(uncoverer, photo, tmp_path / "out", "feather", False)
    _, second = again(uncoverer, visit, answer_for(visit, {}), tmp_path / "out", "feather")
    assert np.array_equal(pixels(shown.after), pixels(second.after))
    assert varied or stand_ins.cloth(pixels(second.after)).sum() == 0


def test_as_sent_counts_as_unchanged(begun) -> None:
    _, visit, _, _ = begun
    corrections = visits.read_answer(visit, for_editor(visit))
    assert [c.mask for c in corrections] == [None] * len(visit.regions)
    assert all(c.fill for c in corrections)


def test_not_this_face(begun) -> None:
    uncoverer, visit, shown, out = begun
    _, second = again(uncoverer, visit, answer_for(visit, {}, off=(0,)), out, "feather")
    assert np.array_equal(pixels(shown.before), pixels(second.after))
    assert "none painted" in second.words


@pytest.mark.parametrize("blend", ["feather", "poisson"])
def test_repainted_mask_is_painted_exactly(begun, blend: str) -> None:
    uncoverer, visit, shown, out = begun
    region = visit.regions[0]
    mask = np.zeros(region.size[::-1], bool)
    mask[100:180, 120:260] = True
    _, second = again(uncoverer, visit, answer_for(visit, {0: mask}), out, blend)
    changed = (pixels(shown.before) != pixels(second.after)).any(-1)
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
    uncoverer, visit, shown, out = begun
    empty = np.zeros(visit.regions[0].size[::-1], bool)
    _, second = again(uncoverer, visit, answer_for(visit, {0: empty}), out, "feather")
    assert np.array_equal(pixels(shown.before), pixels(second.after))


def test_missed_face_is_filled_where_it_was_marked(tmp_path: Path) -> None:
    uncoverer = stand_ins.uncoverer()
    visit, shown = start(uncoverer, stand_ins.ASTRONAUT, tmp_path / "out", "feather", False)
    mask = np.zeros(visit.regions[-1].size[::-1], bool)
    mask[180:240, 300:390] = True
    _, second = again(uncoverer, visit, answer_for(visit, {0: mask}), tmp_path / "out", "feather")
    changed = (pixels(shown.before) != pixels(second.after)).any(-1)
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
    assert plain == visit.painted
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
    visit.painted.unlink()
    with pytest.raises(ImageError, match="deleted"):
        download(visit, out, kind, False)


def test_old_results_are_swept(begun, monkeypatch: pytest.MonkeyPatch) -> None:
    _, visit, _, out = begun
    assert visit.painted.is_file()
    monkeypatch.setattr(visits, "KEPT", -1)
    kept = visits.own_folder(out)
    assert not visit.painted.exists()
    assert sorted(out.iterdir()) in ([], [kept])


def test_errors_show_no_folder(tmp_path: Path) -> None:
    bad = tmp_path / "bad.png"
    bad.write_bytes(b"not a picture")
    with pytest.raises(ImageError) as caught:
        start(stand_ins.uncoverer(), bad, tmp_path / "out", "feather", False)
    text = one_line(caught.value, [bad])
    assert str(tmp_path) not in text
    assert text.startswith("Bad.png") or "bad.png" in text
    assert text.endswith(".")
    assert "\n" not in text
