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
    fetched,
    new_painted,
    open_editor,
    painted,
    refill,
    slider,
)
from uncover.images.provenance import NOTE

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]
MOUTH_ROWS = slice(stand_ins.MOUTH[1], stand_ins.MOUTH[3])


def changed(page, photo: Path) -> np.ndarray:
    """bool (H, W): where the painted picture differs from the photo."""
    original = np.asarray(Image.open(photo).convert("RGB"))
    return (fetched(page, painted(page)) != original).any(-1)


def found_again(page) -> None:
    page.locator("#words").get_by_text(FOUND).wait_for()
    assert len(slider(page, "slider")) == 2


def test_nothing_empty_is_shown_before_there_is_a_photo(page) -> None:
    clear(page, "photo")
    assert page.locator("#words").get_by_text("Add a photo to begin").is_visible()
    for name in ("saving", "save", "more", "correct"):
        assert not page.locator(f"#{name}").is_visible(), name


def test_uncover_without_a_photo_is_no_dead_end(page) -> None:
    clear(page, "photo")
    page.click("#go")
    page.locator("#words").get_by_text("Add a photo to begin").wait_for()


def test_drop(page, photo: Path) -> None:
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
    target = page.locator("#photo [data-testid=image] button, #photo button").first
    for kind in ("dragenter", "dragover", "drop"):
        target.dispatch_event(kind, {"dataTransfer": transfer})
    found_again(page)
    assert "dropped" in painted(page)


def test_paste(page, photo: Path) -> None:
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
    page.locator("#photo button[aria-label='Paste from clipboard']").click()
    found_again(page)
    page.context.clear_permissions()
    assert changed(page, photo)[MOUTH_ROWS].any()


def test_example(page) -> None:
    clear(page, "photo")
    page.get_by_role("button", name="Use this portrait").click()
    page.locator("#words").get_by_text("No face found").wait_for()  # the stand-ins know cloth only
    assert "astronaut_masked" in painted(page)
    clear(page, "photo")
    page.locator("#words").get_by_text("Add a photo to begin").wait_for()


@pytest.mark.parametrize(("kind", "label"), [("PNG", False), ("PNG", True), ("JPEG", True)])
def test_download(page, photo: Path, tmp_path: Path, kind: str, label: bool) -> None:
    add_if_needed(page, photo)
    page.locator("#kind").get_by_label(kind).check()
    page.locator("#label input").set_checked(label)
    ending = {"PNG": ".png", "JPEG": ".jpg"}[kind]
    page.wait_for_selector("#save:not([disabled])")
    for _ in range(300):  # the file is prepared anew after each choice
        with page.expect_download() as waiting:
            page.click("#save")
        path = tmp_path / waiting.value.suggested_filename
        waiting.value.save_as(path)
        saved = Image.open(path)
        corner = np.asarray(saved.convert("RGB")).astype(int)[-20:, -200:]
        plain = np.asarray(Image.open(photo).convert("RGB")).astype(int)[-20:, -200:]
        if path.suffix == ending and (np.abs(corner - plain).max() > 100) == label:
            break
        page.wait_for_timeout(250)
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
def test_grow_shrink_undo_reset(page, photo: Path) -> None:
    sizes = [changed(page, photo).sum()]
    for name in ("grow", "shrink", "shrink"):
        for _ in range(3):
            act(page, name)
        refill(page)
        sizes.append(changed(page, photo).sum())
    first, grown, back, shrunk = sizes
    assert shrunk < 0.95 * first < first < 0.95 * grown
    assert back < grown
    small = share(page)
    act(page, "undo")
    assert share(page) >= small
    act(page, "reset")
    refill(page)
    assert abs(int(changed(page, photo).sum()) - int(first)) <= 0.02 * first


@pytest.mark.usefixtures("editor")
def test_erase(page, photo: Path) -> None:
    before = changed(page, photo)
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
    after = changed(page, photo)
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
def test_not_this_face(page, photo: Path) -> None:
    page.locator("#editor .me-off").check()
    refill(page)
    assert not changed(page, photo).any()
    page.locator("#editor .me-off").uncheck()
    refill(page)
    assert changed(page, photo).any()


def test_blend(page, photo: Path) -> None:
    add(page, photo)
    if not page.locator("#blend").is_visible():
        page.get_by_role("button", name="Options").click()
    old = painted(page)
    page.locator("#blend").get_by_label("Poisson").check()
    new_painted(page, old)
    assert changed(page, photo)[MOUTH_ROWS].any()


@pytest.mark.usefixtures("editor")
def test_everything_is_reached_with_the_tab_key(page) -> None:
    page.evaluate("window.scrollTo(0, 0); document.activeElement.blur()")
    reached = set()
    for _ in range(80):
        page.keyboard.press("Tab")
        reached.add(
            page.evaluate("""() => {
            const one = document.activeElement;
            const inside = one.closest("#go, #stop, #save, #again, #editor, #kind, #label, #photo");
            return inside ? inside.id : one.tagName; }""")
        )
    wanted = {"go", "stop", "save", "again", "editor", "kind", "label", "photo"}
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
    page.locator("#slider").get_by_text(re.compile(r"queue: \d+/\d+")).wait_for()
    page.click("#stop")
    page.locator("#slider").get_by_text("queue:").wait_for(state="detached")
    assert page.locator("#slider img").count() == 0
    held.set()
    assert all(job.result(timeout=120)[1]["faces"] for job in jobs)
    page.click("#go")
    found_again(page)


def test_stop_ends_work_that_runs(page, photo: Path, held) -> None:
    clear(page, "photo")
    page.set_input_files("#photo input[type=file]", str(photo))
    page.locator("#slider").get_by_text("processing").wait_for()
    page.click("#stop")
    page.locator("#slider").get_by_text("processing").wait_for(state="detached")
    held.set()
    page.click("#go")
    found_again(page)


def test_after_the_example_and_a_stop_a_bad_photo_is_told(
    page, photo: Path, tmp_path: Path
) -> None:
    clear(page, "photo")
    page.set_input_files("#photo input[type=file]", str(bad_photo(tmp_path, "text")))
    page.locator(".toast-body").filter(has_text="text.png is not a picture").wait_for()
    clear(page, "photo")
    add(page, photo)
