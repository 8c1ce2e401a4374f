"""Every control has a name and a word of help, for eyes and for screen readers."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.browser import stand_ins
from tests.browser.steps import add, clear, open_editor, open_options

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

BUTTONS = ("go", "stop", "save", "another", "forget", "again", "off", "save-trial")
CONTROLS = """() => [...document.querySelectorAll("button, select, textarea, canvas, summary, " +
    "[role=slider], [role=tab], input:not([type=hidden], [type=file])")]
  .filter((e) => e.checkVisibility())"""
NAMELESS = f"""() => ({CONTROLS})()
  .filter((e) => !(e.getAttribute("aria-label") || e.getAttribute("aria-labelledby") ||
    e.innerText.trim() || e.title || (e.labels && e.labels.length) ||
    e.querySelector("img[alt]:not([alt=''])")))
  .map((e) => e.outerHTML.slice(0, 200))"""
HELPLESS = f"""() => ({CONTROLS})()
  .filter((e) => {{
    const told = [e.title, e.querySelector("img")?.alt, e.matches("canvas") && e.ariaLabel,
      e.closest(".block")?.querySelector(".info-text")?.innerText];
    return !told.some((words) => words && words.trim().length > 10);
  }})
  .map((e) => e.outerHTML.slice(0, 200))"""
FOLDS_UNTOLD = """() => [...document.querySelectorAll(".label-wrap")]
  .filter((e) => e.checkVisibility() &&
    e.getAttribute("aria-expanded") !== String(e.classList.contains("open")))
  .map((e) => e.innerText)"""


def lacking(page) -> list[str]:
    """Controls of the open tab that have no name or no help, and get none within half a minute."""
    for _ in range(60):
        page.wait_for_timeout(500)
        left = [
            one for script in (NAMELESS, HELPLESS, FOLDS_UNTOLD) for one in page.evaluate(script)
        ]
        if not left:
            break
    return left


def show_all(page, photo: Path) -> None:
    """Put a photo in both tabs, and open what can be opened."""
    add(page, photo)
    open_editor(page)
    open_options(page)
    page.get_by_role("tab", name="Try it on yourself").click()
    clear(page, "bare")
    page.set_input_files("#bare input[type=file]", str(stand_ins.ASTRONAUT))
    page.wait_for_selector("#masked img")
    page.click("#off")
    page.wait_for_selector("#face-guess img")
    page.get_by_label("Colour", exact=True).click()
    page.wait_for_selector(".color-picker")
    page.get_by_role("tab", name="About these weights").click()
    page.get_by_role("button", name="The card").click()


def test_every_control_on_every_tab_has_a_name_and_a_word_of_help(page, photo: Path) -> None:
    assert page.evaluate("document.documentElement.lang") != ""
    show_all(page, photo)
    for tab in page.get_by_role("tab").all():
        tab.click()
        assert lacking(page) == [], tab.inner_text()
    seen = page.evaluate("(all) => all.map((id) => document.getElementById(id).title)", BUTTONS)
    assert len(set(seen)) == len(BUTTONS)


def test_before_there_is_a_photo_too(page) -> None:
    page.reload()
    for name in ("Try it on yourself", "Uncover"):
        page.get_by_role("tab", name=name).click()
        assert lacking(page) == [], name
