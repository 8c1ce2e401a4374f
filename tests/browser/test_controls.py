"""The page's controls in a real browser: ways in, corrections, ways out, keyboard, and waiting."""

from __future__ import annotations

import base64
import re
from pathlib import Path

import cv2
import numpy as np
import pytest
from gradio_client import Client, handle_file
from gradio_client.utils import Status
from PIL import Image

from tests.browser import stand_ins
from tests.browser.bad_photos import bad_photo
from tests.browser.steps import (
    FOUND,
    add,
    add_if_needed,
    clear,
    downloaded,
    new_painted,
    open_editor,
    open_options,
    painted,
    refill,
    saved,
    slider,
)
from uncover.images.provenance import NOTE

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]
MOUTH_ROWS = slice(stand_ins.MOUTH[1], stand_ins.MOUTH[3])


@pytest.fixture
def changed(page, tmp_path: Path):
    """Tells where the picture to be downloaded differs from a photo: bool (H, W)."""

    def differs(photo: Path) -> np.ndarray:
        open_options(page)
        page.locator("#kind").get_by_label("PNG").check()
        page.locator("#label input").uncheck()
        original = np.asarray(Image.open(photo).convert("RGB"))
        return (saved(page, tmp_path) != original).any(-1)

    return differs


def found_again(page) -> None:
    page.locator("#words").get_by_text(FOUND).wait_for()
    before, after = slider(page, "slider")
    assert before != after


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


def test_blend(page, photo: Path, changed) -> None:
    add(page, photo)
    open_options(page)
    old = painted(page)
    page.locator("#blend").get_by_label("Poisson").check()
    new_painted(page, old)
    assert changed(photo)[MOUTH_ROWS].any()


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


@pytest.fixture
def held():
    """The networks wait until the gate is opened."""
    stand_ins.GATE.clear()
    yield stand_ins.GATE
    stand_ins.GATE.set()


def test_queue_place_is_shown_and_stop_ends_the_wait(page, site, photo, held, tmp_path) -> None:
    options = {"download_files": str(tmp_path), "httpx_kwargs": {"timeout": 300}}
    client = Client(site, verbose=False, **options)
    clear(page, "photo")
    jobs = [client.submit(photo=handle_file(photo), api_name="/uncover") for _ in range(4)]
    for _ in range(600):  # both places at the networks are taken before the page asks
        if sum(job.status().code is Status.PROCESSING for job in jobs) == 2:
            break
        page.wait_for_timeout(100)
    page.set_input_files("#photo input[type=file]", str(photo))
    page.locator("#photo").get_by_text(re.compile(r"queue: \d+/\d+")).wait_for()
    page.click("#stop")
    page.locator("#photo").get_by_text("queue:").wait_for(state="detached")
    assert not page.locator("#stop").is_visible()
    assert page.locator("#photo .pp-preview").is_visible()  # the photo stays
    held.set()
    assert all(job.result(timeout=120)[1]["faces"] for job in jobs)
    page.click("#go")
    found_again(page)


def test_stop_ends_work_that_runs(page, photo: Path, held) -> None:
    clear(page, "photo")
    page.set_input_files("#photo input[type=file]", str(photo))
    page.locator("#photo").get_by_text("processing").wait_for()
    page.click("#stop")
    page.locator("#photo").get_by_text("processing").wait_for(state="detached")
    held.set()
    page.click("#go")
    found_again(page)


def test_after_the_example_and_a_stop_a_bad_photo_is_told(
    page, photo: Path, tmp_path: Path
) -> None:
    clear(page, "photo")
    page.set_input_files("#photo input[type=file]", str(bad_photo(tmp_path, "text")))
    page.locator(".toast-body").filter(has_text="text.png is not a picture").wait_for()
    page.locator("#photo .pp[data-state=empty]").wait_for()
    add(page, photo)
