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
    """Addresses of the two pictures of a slider."""
    page.wait_for_function(f"document.querySelectorAll('#{name} img').length >= 2")
    sources = page.locator(f"#{name} img").evaluate_all("all => all.map(one => one.src)")
    return list(dict.fromkeys(sources))


def painted(page) -> str:
    """Address of the painted picture of the first tab's slider."""
    return next(source for source in slider(page, "slider") if "_uncovered" in source)


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
    """Take the photo out of an input if there is one, and choose uploading as the way in."""
    remove = page.locator(f"#{name} button[aria-label='Remove Image' i]")
    if remove.count():
        remove.first.click()
        if name == "photo":
            page.locator("#words").get_by_text("Add a photo to begin").wait_for()
    page.locator(f"#{name} button[aria-label='Upload file']").click()
    page.wait_for_selector(f"#{name} input[type=file]", state="attached")


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
        "old => [...document.querySelectorAll('#slider img')].every(one => one.src !== old)",
        arg=old,
    )
    return painted(page)
