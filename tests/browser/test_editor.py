"""Masks put right by hand in a real browser: brush, keys, undo, files, and faces left out."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from tests.browser.steps import (
    add,
    downloaded,
    open_editor,
    open_options,
    refill,
)

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]


def tool(page, name: str) -> None:
    page.locator(f"#editor [data-tool={name}]").click()


def act(page, name: str) -> None:
    page.locator(f"#editor [data-act={name}]").click()


def share(page) -> float:
    """How much of the face's view is marked, as the page says."""
    text = page.locator("#editor .me-note").inner_text()
    return float(text.split(":")[1].split("%")[0])


@pytest.fixture
def editor(page, photo: Path) -> None:
    """A new photo whose mask can be corrected."""
    add(page, photo)
    open_editor(page)


@pytest.mark.usefixtures("editor")
def test_grow_shrink_undo_reset(page, photo: Path, changed) -> None:
    sizes = [changed(photo).sum()]
    for name in ("grow", "shrink", "shrink"):
        for _ in range(3):
            act(page, name)
        refill(page)
        sizes.append(changed(photo).sum())
    first, grown, back, shrunk = sizes
    assert shrunk < 0.95 * first < first < 0.95 * grown
    assert back < grown
    small = share(page)
    act(page, "undo")
    assert share(page) >= small
    act(page, "reset")
    refill(page)
    assert abs(int(changed(photo).sum()) - int(first)) <= 0.02 * first


@pytest.mark.usefixtures("editor")
def test_erase(page, photo: Path, changed) -> None:
    before = changed(photo)
    tool(page, "erase")
    canvas = page.locator("#editor canvas")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    y = box["y"] + 0.62 * box["height"]
    page.mouse.move(box["x"] + 0.4 * box["width"], y)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.6 * box["width"], y, steps=5)
    page.mouse.up()
    refill(page)
    after = changed(photo)
    assert after.sum() < before.sum() - 50
    within = cv2.dilate(before.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    assert not (after & ~within).any()  # the rim is faint: some of it equals the photo by chance


@pytest.mark.usefixtures("editor")
def test_canvas_by_keyboard(page, photo: Path) -> None:
    tool(page, "erase")
    page.locator("#editor .me-size").fill("80")
    full = share(page)
    canvas = page.locator("#editor canvas")
    canvas.focus()
    for key in ("ArrowLeft", "Space", "ArrowUp", "Space", "ArrowRight", "Space"):
        page.keyboard.press(key)
    assert share(page) < full
    tool(page, "paint")
    act(page, "reset")
    assert share(page) == full


@pytest.mark.usefixtures("editor")
def test_undo_redo_brush_width_and_zoom_by_key_and_button(page) -> None:
    first = share(page)
    assert page.locator("#editor [data-act=undo]").is_disabled()
    act(page, "grow")
    grown = share(page)
    assert grown > first
    canvas = page.locator("#editor canvas")
    canvas.focus()
    page.keyboard.press("Control+z")
    assert share(page) == first
    page.keyboard.press("Control+y")
    assert share(page) == grown
    act(page, "undo")
    assert share(page) == first
    act(page, "redo")
    assert share(page) == grown
    brush = page.locator("#editor .me-size")
    width = 24
    brush.fill(str(width))
    canvas.focus()
    page.keyboard.press("]")
    page.keyboard.press("]")
    page.keyboard.press("[")
    assert int(brush.input_value()) == width + 4
    shown = canvas.bounding_box()["width"]
    act(page, "in")
    assert canvas.bounding_box()["width"] == pytest.approx(1.5 * shown, rel=0.02)
    act(page, "out")
    assert canvas.bounding_box()["width"] == pytest.approx(shown, rel=0.02)


@pytest.mark.usefixtures("editor")
def test_the_brush_has_an_outline(page) -> None:
    canvas = page.locator("#editor canvas")
    canvas.scroll_into_view_if_needed()
    picture = "document.querySelector('#editor canvas').toDataURL()"
    page.mouse.move(1, 1)
    without = page.evaluate(picture)
    canvas.hover()
    assert page.evaluate(picture) != without
    page.mouse.move(1, 1)
    assert page.evaluate(picture) == without


@pytest.mark.usefixtures("editor")
def test_a_mask_goes_out_and_comes_back(page, tmp_path: Path) -> None:
    found = share(page)
    path = downloaded(page, tmp_path, "#editor [data-act=save]")
    mask = np.asarray(Image.open(path).convert("L"))
    assert mask.mean() / 2.55 == pytest.approx(found, abs=1)
    larger = tmp_path / "larger.png"
    Image.fromarray(cv2.dilate(mask, np.ones((31, 31), np.uint8))).save(larger)
    page.set_input_files("#editor .me-file", str(larger))
    page.wait_for_function(
        "old => !document.querySelector('#editor .me-note').innerText.includes(`: ${old} %`)",
        arg=f"{found:.0f}",
    )
    assert share(page) > found
    wide = tmp_path / "wide.png"
    Image.new("L", (400, 100)).save(wide)
    page.set_input_files("#editor .me-file", str(wide))
    page.locator("#editor .me-note").get_by_text("another shape").wait_for()


@pytest.mark.usefixtures("editor")
def test_leaving_out_is_offered_for_faces_only(page) -> None:
    assert page.locator("#editor .me-off").is_visible()
    page.locator("#editor .me-faces button").last.click()
    assert not page.locator("#editor .me-off").is_visible()


@pytest.mark.usefixtures("editor")
def test_not_this_face(page, photo: Path, changed) -> None:
    page.locator("#editor .me-off").check()
    page.click("#again")
    page.wait_for_selector("#slider .ba-single")
    page.locator("#words").get_by_text("none painted").wait_for()
    canvas = page.locator("#editor canvas")
    canvas.scroll_into_view_if_needed()
    canvas.click(position={"x": 150, "y": 200})  # who paints on it wants it filled after all
    assert not page.locator("#editor .me-off").is_checked()
    page.click("#again")
    page.wait_for_selector("#slider .ba:not(.ba-single)")
    assert changed(photo).any()


@pytest.mark.usefixtures("editor")
def test_everything_is_reached_with_the_tab_key(page) -> None:
    open_options(page)
    page.evaluate("window.scrollTo(0, 0); document.activeElement.blur()")
    reached = set()
    for _ in range(80):
        page.keyboard.press("Tab")
        reached.add(
            page.evaluate("""() => {
            const one = document.activeElement;
            const inside = one.closest("#slider, #save, #another, #forget, #again, #editor, " +
                "#kind, #label");
            return inside ? inside.id : one.tagName; }""")
        )
    wanted = {"slider", "save", "another", "forget", "again", "editor", "kind", "label"}
    assert wanted <= reached
