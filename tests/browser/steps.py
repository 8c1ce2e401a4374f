"""What several browser tests do on the page."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from PIL import Image


def fetched(page, source: str) -> np.ndarray:
    """uint8 (H, W, 3) of a picture on the page."""
    return np.asarray(Image.open(io.BytesIO(page.request.get(source).body())).convert("RGB"))


def slider(page, name: str) -> list[str]:
    """Addresses of the two pictures of a slider, before and after."""
    page.wait_for_selector(f"#{name} .ba:not([hidden])")
    return [page.locator(f"#{name} .ba-{side}").evaluate("one => one.src") for side in SIDES]


SIDES = ("before", "after")


def painted(page) -> str:
    """Address of the painted picture of the first tab's slider."""
    return slider(page, "slider")[1]


def downloaded(page, folder: Path, button: str = "#save") -> Path:
    """Click *Download*; the file."""
    with page.expect_download() as waiting:
        page.locator(button).click()
    path = folder / waiting.value.suggested_filename
    waiting.value.save_as(path)
    return path


def saved(page, folder: Path) -> np.ndarray:
    """uint8 (H, W, 3) of the full picture that *Download* gives, as PNG without label."""
    return np.asarray(Image.open(downloaded(page, folder)).convert("RGB"))


FOUND = "1 face found, 1 painted"


def add(page, photo: Path, words: str = FOUND) -> None:
    """Add a photo in the place of any other, and wait until the page says `words`."""
    clear(page, "photo")
    page.set_input_files("#photo input[type=file]", str(photo))
    page.locator("#words").get_by_text(words).wait_for()


def add_if_needed(page, photo: Path) -> None:
    """Have this photo on the page, its mask corrected or not."""
    if not page.locator(f"#slider img[src*='{photo.stem}_uncovered']").count():
        add(page, photo)


def clear(page, name: str) -> None:
    """Take the photo out of an input if there is one."""
    if name == "photo" and page.locator("#forget").is_visible():
        page.click("#forget")
        page.locator("#slider .ba").wait_for(state="hidden")
    remove = page.locator(f"#{name} [data-way=remove]")
    if remove.is_visible():
        remove.click()
    page.locator(f"#{name} .pp[data-state=empty]").wait_for()


def open_options(page) -> None:
    """Unfold the part with the choices of file and blend."""
    if not page.locator("#blend").is_visible():
        page.get_by_role("button", name="Options").click()
        page.locator("#blend").wait_for()


def open_editor(page) -> None:
    """Open the part where masks are corrected, and wait until it shows one."""
    if not page.locator("#editor").is_visible():
        page.locator("#correct button").first.click()
    page.locator("#editor .me-note").get_by_text("Pink is what").wait_for()


def refill(page) -> str:
    """Fill with the masks as they are; address of the new painted picture."""
    old = painted(page)
    page.click("#again")
    return new_painted(page, old)


def new_painted(page, old: str) -> str:
    """Wait for another painted picture than `old`; its address."""
    page.wait_for_function(
        "old => document.querySelector('#slider .ba-after').src !== old", arg=old
    )
    return painted(page)


def found_again(page) -> None:
    page.locator("#words").get_by_text(FOUND).wait_for()
    before, after = slider(page, "slider")
    assert before != after
