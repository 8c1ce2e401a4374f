"""A running page on stand-in networks, and a headless Chromium."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from page.visit.chosen import Chosen
from tests.browser import stand_ins
from tests.browser.steps import open_options, saved

CHROMIUMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE = 90_000


Run = Callable[..., AbstractContextManager[str]]


@pytest.fixture(scope="session")
def run_page(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Runs a page with weights in this process, on a free port of the loopback, for a while."""

    @contextmanager
    def run(chosen: Chosen, told: list[Any] | None = None, **options: bool) -> Iterator[str]:
        patch = pytest.MonkeyPatch()
        patch.setenv("GRADIO_TEMP_DIR", str(tmp_path_factory.mktemp("uploads")))
        patch.delenv("GRADIO_SERVER_PORT", raising=False)
        import app

        page = app.build(chosen)
        if told is not None:
            told.append(page)
        always = {"server_name": "127.0.0.1", "prevent_thread_lock": True, "quiet": True}
        _, url, _ = app.serve(page, **always, **options)
        yield url
        page.close(verbose=False)
        patch.undo()

    return run


@pytest.fixture(scope="session")
def site(run_page: Run, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a page that runs on stand-ins."""
    banner = "The weights x/y could not be loaded, so the page runs with the embedded ones."
    with run_page(stand_ins.chosen(tmp_path_factory.mktemp("weights"), banner=banner)) as url:
        yield url


@pytest.fixture(scope="session")
def photo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A portrait with a cloth over the mouth."""
    return stand_ins.clothed(tmp_path_factory.mktemp("photos") / "portrait.png")


@pytest.fixture(scope="package")
def launch() -> Iterator[Callable[..., object]]:
    """Starts a browser, with more flags if given; skips where there is none.

    Closed before other tests fork: a child that holds the driver's pipe would keep it from ending.
    """
    binary = next((path for name in CHROMIUMS if (path := shutil.which(name))), None)
    if binary is None:
        pytest.skip(f"no browser here: install one of {', '.join(CHROMIUMS)}")
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with api.sync_playwright() as playwright:
        browsers = []

        def start(*flags: str) -> object:
            browser = playwright.chromium.launch(executable_path=binary, args=[*FLAGS, *flags])
            browsers.append(browser)
            return browser

        yield start
        for browser in browsers:
            browser.close()


@pytest.fixture(scope="package")
def chromium(launch: Callable[..., object]) -> object:
    """The browser of most tests: one without a camera."""
    return launch()


WIDE = {"width": 1280, "height": 1000}


@pytest.fixture(scope="module")
def visit(chromium, site: str) -> Iterator[object]:
    """One open tab that a file's tests use in turn, as a visitor would; notes strange requests."""
    context = chromium.new_context(viewport=WIDE)
    tab = context.new_page()
    tab.set_default_timeout(PATIENCE)
    tab.strangers = []
    inside = (site, site.replace("http", "ws", 1), "data:", "blob:", "about:")

    def note(request) -> None:
        if not request.url.startswith(inside):
            tab.strangers.append(request.url)

    tab.on("request", note)
    tab.goto(site)
    tab.wait_for_selector("#photo input[type=file]", state="attached")
    yield tab
    context.close()


@pytest.fixture
def page(visit) -> object:
    """The open tab, wide and on the page's first part; an earlier test's photo may be there."""
    visit.set_viewport_size(WIDE)
    visit.get_by_role("tab", name="Uncover").click()
    return visit


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
