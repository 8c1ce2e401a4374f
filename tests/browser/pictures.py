"""`python -m tests.browser.pictures`: makes the README's pictures anew, with weights/ as it is.

docs/images/example.png: a portrait, a mask drawn on it, what is painted under it, and that with a
smile asked for.
docs/images/page.png: the page with the built-in example, in a headless Chromium.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

from page.tabs.parts import BARE
from page.tryon.tryon import make_style, put_on, take_off
from tests.browser.conftest import CHROMIUMS, FLAGS
from tests.browser.load import ROOT, free_port, start_page
from uncover import Uncoverer
from uncover.images import read_image

STYLE = make_style("surgical", "#8fc4e0", 0.0, seed=3)
FACE = (132, 18, 312, 198)
"""The part of the portrait that is shown, twice enlarged: (x0, y0, x1, y1)."""
SIDE = 360
WIDTH, SHOWN = 1280, 960
"""How wide the page is, and how wide its picture."""


def example(uncoverer: Uncoverer) -> Image.Image:
    """The bare face, masked, painted, and painted smiling, side by side."""
    masked = put_on(read_image(BARE), STYLE)
    guess = take_off(uncoverer, masked).result.pixels
    smiling = uncoverer(masked.masked, smile=1.0, open=0.6).pixels
    shown = (masked.bare, masked.masked, guess, smiling)
    strip = Image.new("RGB", (len(shown) * SIDE, SIDE))
    for place, pixels in enumerate(shown):
        face = Image.fromarray(np.ascontiguousarray(pixels)).crop(FACE)
        strip.paste(face.resize((SIDE, SIDE), Image.Resampling.LANCZOS), (place * SIDE, 0))
    return strip


def shot(browser: str, url: str, path: Path) -> None:
    """Open the page, click the example, and take a picture of all that there is then."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=browser, args=FLAGS)
        tab = chromium.new_page(viewport={"width": WIDTH, "height": 1000}, color_scheme="light")
        tab.set_default_timeout(120_000)
        tab.goto(url)
        tab.locator("#photo [data-example=portrait]").click()
        for place in ("slider .ba:not([hidden])", "pairs img"):
            tab.wait_for_selector(f"#{place}")
        tab.mouse.move(WIDTH - 1, 0)
        tab.evaluate("scrollTo(0, 0)")
        tab.wait_for_function("[...document.images].every((one) => one.complete)")
        tab.wait_for_timeout(1000)  # what fades in or out has done so
        tab.screenshot(path=path, full_page=True)
        chromium.close()


def main(argv: list[str] | None = None) -> int:
    """Write both pictures; 2 where there is no browser for the second."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "images")
    folder = parser.parse_args(argv).out
    folder.mkdir(parents=True, exist_ok=True)
    example(Uncoverer.from_pretrained()).save(folder / "example.png", optimize=True)
    browser = next((path for name in CHROMIUMS if (path := shutil.which(name))), None)
    if browser is None:
        print(f"error: page.png needs one of {', '.join(CHROMIUMS)}", file=sys.stderr)
        return 2
    port = free_port()
    page, _ = start_page(port)
    try:
        with tempfile.TemporaryDirectory() as scratch:
            full = Path(scratch) / "page.png"
            shot(browser, f"http://127.0.0.1:{port}", full)
            image = Image.open(full).convert("RGB")
            size = (SHOWN, round(image.height * SHOWN / image.width))
            image = image.resize(size, Image.Resampling.LANCZOS)
            image = image.quantize(256, kmeans=3)  # a third of the bytes, and hardly to be seen
            image.save(folder / "page.png", optimize=True)
    finally:
        page.terminate()
        page.wait(timeout=30)
    return 0


if __name__ == "__main__":
    sys.exit(main())
