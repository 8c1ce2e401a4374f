"""Several answers to one face in a real browser: random weights with a latent vector, and the
weights that come with the repository."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from page.tabs.parts import MASKED
from page.visit.chosen import choose
from tests.browser import stand_ins
from tests.browser.conftest import PATIENCE
from tests.browser.steps import add, fetched, new_painted, painted
from tests.uncover.small_generator import small_generator

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]
FOUND = "1 face found, 1 painted"


@pytest.fixture(scope="module")
def site(run_page, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A page whose generator is a real one with several answers to a face."""
    folder = tmp_path_factory.mktemp("weights")
    with run_page(stand_ins.chosen(folder, small_generator())) as url:
        yield url


def ask_for(page, others: str) -> None:
    page.locator("#others").get_by_label(others, exact=True).check()


def shown(page, count: int) -> list[np.ndarray]:
    """Wait for so many pictures in the gallery; each as uint8 (h, w, 3)."""
    page.wait_for_function(
        "n => document.querySelectorAll('#guesses .grid-container img').length === n", arg=count
    )
    pictures = page.locator("#guesses .grid-container img")
    return [
        fetched(page, source) for source in pictures.evaluate_all("all => all.map((i) => i.src)")
    ]


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
    captions = page.locator("#guesses .caption-label").all_inner_texts()
    assert len(captions) == others + 2
    assert all("not an identification" in caption for caption in captions[:-1])
    assert "best guess" in captions[0]
    assert f"guess 2 of {others + 1}" in captions[1]
    assert "differ" in captions[-1]
    tops = page.locator("#guesses .grid-container img").evaluate_all(
        "all => all.map((one) => Math.round(one.getBoundingClientRect().top))"
    )
    assert max(tops) - min(tops) < 3


def test_they_fit_a_phone(page) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.wait_for_timeout(300)
    page.wait_for_function("document.documentElement.scrollWidth <= 392")
    wide = page.evaluate("document.documentElement.scrollWidth")
    widths = page.locator("#guesses .grid-container img").evaluate_all(
        "all => all.map((one) => one.getBoundingClientRect().width)"
    )
    page.set_viewport_size({"width": 1280, "height": 1000})
    assert wide <= 392
    assert min(widths) > 100


def test_a_face_struck_out_has_no_guesses(page) -> None:
    page.locator("#correct button").first.click()
    for struck, pictures in ((True, 0), (False, 6)):
        old = painted(page)
        page.locator("#editor .me-off").set_checked(struck)
        page.click("#again")
        new_painted(page, old)
        shown(page, pictures)


def test_off_again_leaves_one(page) -> None:
    ask_for(page, "Off")
    shown(page, 0)
    page.locator("#guesses").wait_for(state="hidden")


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
        context.close()
