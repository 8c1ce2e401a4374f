"""A running page on stand-in networks, and a headless Chromium."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser import stand_ins

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


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a page that runs in this process, on a free port of the loopback."""
    patch = pytest.MonkeyPatch()
    patch.setenv("GRADIO_TEMP_DIR", str(tmp_path_factory.mktemp("uploads")))
    patch.delenv("GRADIO_SERVER_PORT", raising=False)
    import app

    banner = "The weights x/y could not be loaded, so the page runs with the embedded ones."
    page = app.build(stand_ins.chosen(tmp_path_factory.mktemp("weights"), banner=banner))
    _, url, _ = app.serve(page, server_name="127.0.0.1", prevent_thread_lock=True, quiet=True)
    yield url
    page.close(verbose=False)
    patch.undo()


@pytest.fixture(scope="session")
def photo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A portrait with a cloth over the mouth."""
    return stand_ins.clothed(tmp_path_factory.mktemp("photos") / "portrait.png")


@pytest.fixture(scope="session")
def chromium() -> Iterator[object]:
    """A browser; skips where there is none."""
    binary = next((path for name in CHROMIUMS if (path := shutil.which(name))), None)
    if binary is None:
        pytest.skip(f"no browser here: install one of {', '.join(CHROMIUMS)}")
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=binary, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def page(chromium, site: str) -> Iterator[object]:
    """One open tab that a file's tests use in turn, as a visitor would; notes strange requests."""
    context = chromium.new_context(viewport={"width": 1280, "height": 1000})
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
