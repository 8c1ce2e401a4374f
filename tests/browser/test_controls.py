"""The page's controls in a real browser: ways in, ways out, and the keyboard."""

from __future__ import annotations

import base64
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.browser import stand_ins
from tests.browser.bad_photos import bad_photo
from tests.browser.steps import (
    add,
    add_if_needed,
    clear,
    downloaded,
    found_again,
    new_painted,
    open_options,
    painted,
    slider,
)
from uncover.images.provenance import NOTE

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]
MOUTH_ROWS = slice(stand_ins.MOUTH[1], stand_ins.MOUTH[3])


def test_only_what_can_be_done_is_shown_before_there_is_a_photo(page) -> None:
    clear(page, "photo")
    assert page.get_by_text("Add a photo of someone in a mask").is_visible()
    assert page.locator("#photo [data-example]").count() >= 1
    for name in ("save", "more", "correct", "go", "stop", "options", "slider", "another"):
        assert not page.locator(f"#{name}").is_visible(), name


def test_the_photo_is_there_once_and_download_comes_first(page, photo: Path) -> None:
    add(page, photo)
    large = page.evaluate(
        "() => [...document.images].filter((i) => i.checkVisibility() && i.clientWidth > 250 && "
        "!i.closest('#pairs')).length"
    )
    assert large == 2  # before and after, one over the other
    assert not page.locator("#photo").is_visible()
    assert "primary" in page.locator("#save").get_attribute("class")
    assert not page.locator("#go").is_visible()
    assert not page.locator("#stop").is_visible()


def test_the_divider_opens_at_a_tenth_and_works_by_keyboard_and_zooms(page, photo: Path) -> None:
    add(page, photo)
    divider = page.locator("#slider .ba-range")
    view, handle = page.locator("#slider .ba-view").bounding_box(), divider.bounding_box()
    assert divider.input_value() == "10"
    assert handle["y"] > view["y"] + 0.7 * view["height"]  # low, off the face
    divider.focus()
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    assert divider.input_value() == "15"
    page.keyboard.press("+")
    scale = "document.querySelector('#slider .ba-after').style.transform"
    assert "scale(1.6)" in page.evaluate(scale)
    page.keyboard.press("0")
    assert "scale(1)" in page.evaluate(scale)
    page.locator("#slider [data-act=in]").click()
    assert "scale(1.6)" in page.evaluate(scale)
    x, y = view["x"] + view["width"] / 2, view["y"] + view["height"] / 2
    moved = page.evaluate(scale)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 40, y + 30, steps=3)
    page.mouse.up()
    assert page.evaluate(scale) != moved
    page.locator("#slider [data-act=boxes]").click()
    assert page.locator("#slider .ba-face").inner_text() == "1 mask 97%"
    assert page.locator("#slider .ba-face").is_visible()


def test_several_faces_are_numbered_with_words_below(page, photo: Path, tmp_path: Path) -> None:
    pixels = np.asarray(Image.open(photo))
    pair = tmp_path / "pair.png"
    Image.fromarray(np.concatenate([pixels, pixels], axis=1)).save(pair)
    add(page, pair, "2 faces found, 2 painted")
    legend = page.locator("#slider .ba-legend")
    assert not legend.is_visible()
    page.locator("#slider [data-act=boxes]").click()
    assert page.locator("#slider .ba-face").all_inner_texts() == ["1", "2"]
    assert legend.locator("li").all_inner_texts() == ["1 mask 97%", "2 mask 97%"]


def test_nothing_painted_is_said_and_shown_once(page, tmp_path: Path) -> None:
    bare = tmp_path / "bare.png"
    Image.open(stand_ins.ASTRONAUT).save(bare)
    add(page, bare, "No face found")
    assert page.locator("#slider .ba-before").is_visible()
    for hidden in ("#slider .ba-range", "#save", "#others"):
        assert not page.locator(hidden).is_visible(), hidden


@pytest.mark.parametrize("anywhere", [False, True])  # beside a result, too
def test_drop(page, photo: Path, anywhere: bool) -> None:
    if anywhere:
        add(page, photo)
    else:
        clear(page, "photo")
    data = base64.b64encode(photo.read_bytes()).decode()
    transfer = page.evaluate_handle(
        """data => {
            const bytes = Uint8Array.from(atob(data), (c) => c.charCodeAt(0));
            const transfer = new DataTransfer();
            transfer.items.add(new File([bytes], "dropped.png", { type: "image/png" }));
            return transfer;
        }""",
        data,
    )
    target = page.locator("#words" if anywhere else "#photo .pp-drop")
    for kind in ("dragenter", "dragover", "drop"):
        target.dispatch_event(kind, {"dataTransfer": transfer})
    page.wait_for_selector("#slider img[src*=dropped_uncovered]", state="attached")
    found_again(page)


def test_paste(page, photo: Path, changed) -> None:
    clear(page, "photo")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.evaluate(
        """async (data) => {
            const bytes = Uint8Array.from(atob(data), (c) => c.charCodeAt(0));
            const blob = new Blob([bytes], { type: "image/png" });
            await navigator.clipboard.write([new ClipboardItem({ "image/png": blob })]);
        }""",
        base64.b64encode(photo.read_bytes()).decode(),
    )
    page.locator("#photo [data-way=paste]").click()
    found_again(page)
    page.context.clear_permissions()
    assert changed(photo)[MOUTH_ROWS].any()


def test_example(page) -> None:
    clear(page, "photo")
    page.locator("#photo [data-example=portrait]").click()
    page.locator("#words").get_by_text("No face found").wait_for()  # the stand-ins know cloth only
    assert "astronaut_masked" in slider(page, "slider")[0]
    clear(page, "photo")
    assert not page.locator("#words").is_visible()


def test_another_photo_takes_the_place_of_the_first(page, photo: Path, tmp_path: Path) -> None:
    add(page, photo)
    second = stand_ins.clothed(tmp_path / "second.png", shift=9)
    with page.expect_file_chooser() as choosing:
        page.click("#another")
    choosing.value.set_files(str(second))
    page.wait_for_selector("#slider img[src*=second_uncovered]", state="attached")
    found_again(page)


def test_a_bad_second_file_leaves_the_first_result(page, photo: Path, tmp_path: Path) -> None:
    add(page, photo)
    first = painted(page)
    bad = bad_photo(tmp_path, "text")
    page.set_input_files("#photo input[type=file]", str(bad))
    toast = page.locator(".toast-body").filter(has_text="text.png is not a picture")
    toast.wait_for()
    page.wait_for_timeout(500)
    assert page.locator(".toast-body").count() == 1
    assert painted(page) == first
    assert page.locator("#save").is_visible()
    found_again(page)
    page.evaluate("document.querySelectorAll('.toast-body button').forEach((b) => b.click())")
    toast.wait_for(state="detached")


@pytest.mark.parametrize(("kind", "label"), [("PNG", False), ("PNG", True), ("JPEG", True)])
def test_download(page, photo: Path, tmp_path: Path, kind: str, label: bool) -> None:
    add_if_needed(page, photo)
    open_options(page)
    page.locator("#kind").get_by_label(kind).check()
    page.locator("#label input").set_checked(label)
    ending = {"PNG": ".png", "JPEG": ".jpg"}[kind]
    path = downloaded(page, tmp_path)
    saved = Image.open(path)
    corner = np.asarray(saved.convert("RGB")).astype(int)[-20:, -200:]
    plain = np.asarray(Image.open(photo).convert("RGB")).astype(int)[-20:, -200:]
    assert path.name == f"portrait_uncovered{ending}"
    assert saved.format == kind
    assert (np.abs(corner - plain).max() > 100) == label
    note = saved.text["Comment"] if kind == "PNG" else saved.info["comment"].decode()
    assert note == NOTE


def test_blend(page, photo: Path, changed) -> None:
    add(page, photo)
    open_options(page)
    old = painted(page)
    page.locator("#blend").get_by_label("Poisson").check()
    new_painted(page, old)
    assert changed(photo)[MOUTH_ROWS].any()
