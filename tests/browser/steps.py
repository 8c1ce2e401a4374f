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


def add(page, photo: Path, words: str) -> None:
    """Add a photo and wait until the page says `words`."""
    page.set_input_files("#photo input[type=file]", str(photo))
    page.locator("#words").get_by_text(words).wait_for()


def clear(page, name: str) -> None:
    """Take the photo out of an input again, and choose uploading as the way in."""
    page.locator(f"#{name} button[aria-label='Remove Image' i]").first.click()
    page.locator(f"#{name} button[aria-label='Upload file']").click()
    page.wait_for_selector(f"#{name} input[type=file]", state="attached")


def new_painted(page, old: str) -> str:
    """Wait for another painted picture than `old`; its address."""
    page.wait_for_function(
        "old => [...document.querySelectorAll('#slider img')].every(one => one.src !== old)",
        arg=old,
    )
    return painted(page)
