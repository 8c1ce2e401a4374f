"""Several answers to one face in a real browser: random weights with a latent vector, and the
weights that come with the repository."""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from page.tabs import MASKED
from page.visit.chosen import choose
from tests.browser import stand_ins
from tests.browser.conftest import PATIENCE
from tests.browser.steps import (
    add,
    downloaded,
    fetched,
    new_painted,
    open_options,
    painted,
    saved,
)
from tests.uncover.small_generator import small_generator

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]
FOUND = "1 face found, 1 painted"


@pytest.fixture(scope="module")
def site(run_page, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A page whose generator is a real one with several answers to a face."""
    folder = tmp_path_factory.mktemp("weights")
    with run_page(stand_ins.chosen(folder, small_generator(told=True))) as url:
        yield url


def ask_for(page, others: str) -> None:
    page.locator("#others").get_by_label(others, exact=True).check()


def shown(page, count: int) -> list[np.ndarray]:
    """Wait for so many pictures in the gallery; each as uint8 (h, w, 3)."""
    page.wait_for_function(
        "n => document.querySelectorAll('#guesses .gb-card img').length === n", arg=count
    )
    sources = page.locator("#guesses img").evaluate_all("all => all.map((i) => i.src)")
    return [from_url(source) for source in sources]


def from_url(source: str) -> np.ndarray:
    """uint8 (h, w, 3) of a data URL."""
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(source.partition(",")[2]))))


def test_off_by_default(page, photo: Path) -> None:
    assert not page.locator("#others").is_visible()
    add(page, photo, FOUND)
    page.locator("#others").wait_for()
    assert page.locator("#others").get_by_label("Off").is_checked()
    assert not page.locator("#guesses").is_visible()
    assert page.locator("#one-answer").count() == 0


@pytest.mark.parametrize("others", [2, 4])
def test_guesses_stand_side_by_side_with_a_map(page, others: int) -> None:
    old = painted(page)
    ask_for(page, str(others))
    new_painted(page, old)
    *guesses, _ = shown(page, others + 2)
    for number, one in enumerate(guesses):
        for other in guesses[:number]:
            assert (one != other).any(-1).sum() > 500
    captions = page.locator("#guesses figcaption").all_inner_texts()
    assert len(captions) == others + 2
    assert all("not an identification" in caption for caption in captions[:-1])
    assert "best guess" in captions[0]
    assert f"guess 2 of {others + 1}" in captions[1]
    assert "differ" in captions[-1]
    tops = page.locator("#guesses .gb-card img").evaluate_all(
        "all => all.map((one) => Math.round(one.getBoundingClientRect().top))"
    )
    assert len(set(tops)) <= 2


def test_one_is_taken_and_the_download_follows(page, tmp_path: Path) -> None:
    best, old = saved(page, tmp_path), painted(page)
    card = page.locator("#guesses [data-guess='2']")
    other = np.asarray(
        Image.open(downloaded(page, tmp_path, "#guesses [data-guess='2'] button >> nth=1"))
    )
    assert painted(page) == old  # looked at, not taken
    card.get_by_role("button", name="Use this one").click()
    new_painted(page, old)
    assert card.get_by_role("button", name="In use").is_disabled()
    assert page.locator("#guesses .gb-used").count() == 1
    taken = saved(page, tmp_path)
    assert (taken != best).any()
    assert np.array_equal(taken, other)
    assert page.locator("#guesses .gb-card").count() == 6  # the others stay to choose from


def test_they_fit_a_phone(page) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.wait_for_timeout(300)
    page.wait_for_function("document.documentElement.scrollWidth <= 392")
    wide = page.evaluate("document.documentElement.scrollWidth")
    widths = page.locator("#guesses .gb-card img").evaluate_all(
        "all => all.map((one) => one.getBoundingClientRect().width)"
    )
    page.set_viewport_size({"width": 1280, "height": 1000})
    assert wide <= 392
    assert min(widths) > 100


def test_a_face_struck_out_has_no_guesses(page) -> None:
    page.locator("#correct button").first.click()
    for struck, pictures in ((True, 0), (False, 6)):
        page.locator("#editor .me-off").set_checked(struck)
        page.click("#again")
        shown(page, pictures)


def test_off_again_leaves_one(page) -> None:
    ask_for(page, "Off")
    shown(page, 0)
    page.locator("#guesses").wait_for(state="hidden")


def test_sliders_say_how_the_face_shall_look(page, photo: Path) -> None:
    add(page, photo, FOUND)
    own = painted(page)
    assert page.locator("#look-words").inner_text().startswith("Sliders that you do not move")
    page.locator("#smile input[type=range]").fill("1")
    smiling = new_painted(page, own)
    page.locator("#look-words").get_by_text("Asked for: smile 1.00").wait_for()
    page.locator("#beard input[type=range]").fill("0")
    bare = new_painted(page, smiling)
    assert not np.array_equal(fetched(page, own), fetched(page, bare))
    page.click("#own-look")
    again = new_painted(page, bare)
    assert np.array_equal(fetched(page, own), fetched(page, again))
    page.locator("#look-words").get_by_text(re.compile("^Sliders that you do not move")).wait_for()


def test_the_repositorys_own_weights(chromium, run_page) -> None:
    chosen = choose(None, device="cpu")
    with run_page(chosen) as url:
        context = chromium.new_context(viewport={"width": 1280, "height": 1000})
        tab = context.new_page()
        tab.set_default_timeout(PATIENCE)
        tab.goto(url)
        tab.wait_for_selector("#photo input[type=file]", state="attached")
        add(tab, MASKED, FOUND)
        one, several = tab.locator("#one-answer"), tab.locator("#others")
        (several if chosen.uncoverer.varied else one).wait_for()
        assert several.is_visible() == chosen.uncoverer.varied
        assert one.is_visible() != chosen.uncoverer.varied
        open_options(tab)
        assert tab.locator("#no-look").is_visible() != chosen.uncoverer.told
        assert tab.locator("#smile").is_visible() == chosen.uncoverer.told
        context.close()
