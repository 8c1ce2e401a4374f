"""What a visitor does, in a real browser."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from tests.browser import stand_ins
from tests.browser.bad_photos import bad_photo
from tests.browser.conftest import PATIENCE
from tests.browser.steps import add, clear, downloaded, fetched, open_editor, refill, saved, slider
from uncover.images.provenance import NOTE

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]


def test_upload_changes_the_mouth_and_nothing_else(page, photo: Path, tmp_path: Path) -> None:
    assert "could not be loaded" in page.locator("#banner [role=status]").inner_text()
    assert page.get_by_text("A guess, not an identification.").first.is_visible()
    add(page, photo)
    before, after = (fetched(page, source) for source in slider(page, "slider"))
    original = np.asarray(Image.open(photo).convert("RGB"))
    x0, y0, x1, y1 = stand_ins.MOUTH
    assert np.abs(before.astype(int) - original).mean() < 3
    assert stand_ins.cloth(before[y0:y1, x0:x1]).mean() > 0.9
    assert stand_ins.cloth(after[y0:y1, x0:x1]).mean() < 0.1
    changed = (saved(page, tmp_path) != original).any(-1)
    assert changed[y0:y1, x0:x1].all()
    changed[y0 - 20 : y1 + 20, x0 - 20 : x1 + 20] = False
    assert not changed.any()
    page.wait_for_selector("#pairs img")


def test_mask_is_corrected_and_filled_again(page, photo: Path, tmp_path: Path) -> None:
    add(page, photo)
    open_editor(page)
    canvas = page.locator("#editor canvas")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    page.mouse.move(box["x"] + 0.2 * box["width"], box["y"] + 0.2 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.4 * box["width"], box["y"] + 0.2 * box["height"], steps=5)
    page.mouse.up()
    page.locator("#editor [data-act=grow]").press("Enter")
    refill(page)
    after = saved(page, tmp_path)
    original = np.asarray(Image.open(photo).convert("RGB"))
    changed = (after != original).any(-1)
    y0 = stand_ins.MOUTH[1]
    assert changed[: y0 - 20].sum() > 50, "the painted stroke, above the cloth, was not filled"
    assert changed[: y0 - 20].sum() < 3000

    page.locator("#editor .me-off").check()
    page.click("#again")
    page.wait_for_selector("#slider .ba-single")
    page.locator("#words").get_by_text("none painted").wait_for()


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("text", "not a picture"),
        ("empty", "is empty"),
        ("truncated", "damaged or cut short"),
    ],
)
def test_bad_file_gives_a_toast_and_the_page_goes_on(
    page, photo: Path, tmp_path: Path, kind: str, words: str
) -> None:
    bad = bad_photo(tmp_path, kind)
    clear(page, "photo")
    page.set_input_files("#photo input[type=file]", str(bad))
    toast = page.locator(".toast-body").filter(has_text=bad.name)
    toast.wait_for()
    said = toast.inner_text()
    assert words in said
    assert "/" not in said
    assert said.strip().endswith(".")
    page.evaluate("document.querySelectorAll('.toast-body button').forEach((b) => b.click())")
    toast.wait_for(state="detached")
    assert not page.locator("#slider .ba").is_visible()
    page.locator("#stop").wait_for(state="hidden")
    assert not page.locator("#photo .error-trigger, #slider .error-trigger").first.is_visible()
    add(page, photo)


def test_without_a_webcam_the_page_goes_on(page, photo: Path) -> None:
    page.reload()
    page.locator("#photo [data-way=camera]").click()
    page.get_by_role("alert").filter(has_text="No camera was found").wait_for()
    add(page, photo)


def test_a_picture_from_the_webcam_is_taken(launch, site: str) -> None:
    browser = launch("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")
    tab = browser.new_page()
    tab.set_default_timeout(PATIENCE)
    tab.goto(site)
    tab.locator("#photo [data-way=camera]").click()
    # A click before the first frame takes no picture.
    tab.wait_for_function("() => document.querySelector('#photo video')?.videoWidth > 0")
    tab.locator("#photo [data-way=shoot]").click()
    tab.locator("#words").get_by_text("No face found").wait_for()  # a test pattern is no face
    assert "camera" in slider(tab, "slider")[0]
    tab.close()


def test_mask_is_put_on_and_taken_off(page, tmp_path: Path) -> None:
    page.get_by_role("tab", name="Try it on yourself").click()
    clear(page, "bare")
    page.set_input_files("#bare input[type=file]", str(stand_ins.ASTRONAUT))
    page.wait_for_selector("#masked img")
    masked = fetched(page, page.locator("#masked img").first.get_attribute("src"))
    bare = np.asarray(Image.open(stand_ins.ASTRONAUT).convert("RGB"))
    x0, y0, x1, y1 = stand_ins.MOUTH

    def apart(one: np.ndarray, other: np.ndarray) -> np.ndarray:
        return np.abs(one.astype(int) - other).sum(-1)[y0:y1, x0:x1] > 60

    assert apart(masked, bare).mean() > 0.8
    page.click("#off")
    page.locator("#score").get_by_text("SSIM").first.wait_for()
    page.wait_for_selector("#face-guess img")
    faces, score = (page.locator(name).bounding_box() for name in ("#face-guess", "#score"))
    assert faces["y"] < score["y"]
    truth, guess = (fetched(page, source) for source in slider(page, "truth"))
    assert apart(truth, bare).mean() < 0.05
    assert apart(guess, bare).mean() > 0.5
    strip = Image.open(downloaded(page, tmp_path, "#save-trial"))
    assert strip.size == (3 * 256, 256)
    assert strip.text["Comment"] == NOTE


def test_a_mask_that_is_worn_already_is_noticed(page, photo: Path) -> None:
    page.get_by_role("tab", name="Try it on yourself").click()
    clear(page, "bare")
    page.set_input_files("#bare input[type=file]", str(photo))
    page.locator(".toast-body").filter(has_text="wears a mask already").wait_for()
    assert not page.locator("#off").is_visible()
    clear(page, "bare")


def test_weights_and_results_are_told(page) -> None:
    page.get_by_role("tab", name="How good is it?").click()
    page.get_by_text("No benchmark results come with these weights").wait_for()
    page.wait_for_selector("#drawn figure img")
    assert page.locator("#drawn figure").count() == 3
    page.get_by_role("tab", name="About these weights").click()
    page.locator("#loaded").get_by_text("CC-BY-NC-SA-4.0").wait_for()


SHIFTS = """() => {
    window.shifted = 0;
    new PerformanceObserver((all) => {
        for (const one of all.getEntries()) if (!one.hadRecentInput) window.shifted += one.value;
    }).observe({ type: "layout-shift", buffered: false });
}"""


@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_jumps_when_a_photo_is_added_and_little_is_sent(
    page, tmp_path: Path, width: int
) -> None:
    page.set_viewport_size({"width": width, "height": 844})
    clear(page, "photo")
    rng = np.random.default_rng(0)
    grey = cv2.resize(rng.integers(0, 255, (750, 1000), np.uint8), (4000, 3000))
    pixels = np.repeat(grey[..., None], 3, axis=2)
    face = Image.open(stand_ins.clothed(tmp_path / "face.png")).resize((2048, 2048), Image.NEAREST)
    pixels[500:2548, 900:2948] = np.asarray(face)
    large = tmp_path / "large.jpg"
    Image.fromarray(pixels).save(large, quality=92)
    sent: list[int] = []
    page.on("requestfinished", lambda request: sent.append(request.sizes()["responseBodySize"]))
    page.evaluate(SHIFTS)
    page.set_input_files("#photo input[type=file]", str(large))
    page.locator("#words").get_by_text("1 face found, 1 painted").wait_for()
    page.wait_for_function(
        "[...document.querySelectorAll('#slider img')].every((one) => one.naturalWidth === 1600)"
    )
    page.wait_for_timeout(700)
    assert page.evaluate("window.shifted") <= 0.1
    assert 100_000 < sum(sent) <= 1_500_000
    assert large.stat().st_size > 1_500_000


def test_phone_width_has_no_sideways_scroll(page, photo: Path) -> None:
    add(page, photo)
    page.set_viewport_size({"width": 390, "height": 844})
    for tab in page.get_by_role("tab").all():
        tab.click()
        page.wait_for_timeout(300)
        page.wait_for_function("document.documentElement.scrollWidth <= 390")


def test_nothing_is_asked_of_other_servers(page, photo: Path) -> None:
    """Nor was in the tests before."""
    page.reload()
    add(page, photo)
    assert page.strangers == []
