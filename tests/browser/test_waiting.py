"""Waiting in a real browser: the place in the queue, and Stop."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from gradio_client import Client, handle_file
from gradio_client.utils import Status

from tests.browser import stand_ins
from tests.browser.bad_photos import bad_photo
from tests.browser.steps import (
    add,
    clear,
    found_again,
)

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]


@pytest.fixture
def held():
    """The networks wait until the gate is opened."""
    stand_ins.GATE.clear()
    yield stand_ins.GATE
    stand_ins.GATE.set()


def test_queue_place_is_shown_and_stop_ends_the_wait(page, site, photo, held, tmp_path) -> None:
    options = {"download_files": str(tmp_path), "httpx_kwargs": {"timeout": 300}}
    client = Client(site, verbose=False, **options)
    clear(page, "photo")
    jobs = [client.submit(photo=handle_file(photo), api_name="/uncover") for _ in range(4)]
    for _ in range(600):  # both places at the networks are taken before the page asks
        if sum(job.status().code is Status.PROCESSING for job in jobs) == 2:
            break
        page.wait_for_timeout(100)
    page.set_input_files("#photo input[type=file]", str(photo))
    page.locator("#photo").get_by_text(re.compile(r"queue: \d+/\d+")).wait_for()
    page.click("#stop")
    page.locator("#photo").get_by_text("queue:").wait_for(state="detached")
    assert not page.locator("#stop").is_visible()
    assert page.locator("#photo .pp-preview").is_visible()  # the photo stays
    held.set()
    assert all(job.result(timeout=120)[1]["faces"] for job in jobs)
    page.click("#go")
    found_again(page)


def test_stop_ends_work_that_runs(page, photo: Path, held) -> None:
    clear(page, "photo")
    page.set_input_files("#photo input[type=file]", str(photo))
    page.locator("#photo").get_by_text("processing").wait_for()
    page.click("#stop")
    page.locator("#photo").get_by_text("processing").wait_for(state="detached")
    held.set()
    page.click("#go")
    found_again(page)


def test_after_the_example_and_a_stop_a_bad_photo_is_told(
    page, photo: Path, tmp_path: Path
) -> None:
    clear(page, "photo")
    page.set_input_files("#photo input[type=file]", str(bad_photo(tmp_path, "text")))
    page.locator(".toast-body").filter(has_text="text.png is not a picture").wait_for()
    page.locator("#photo .pp[data-state=empty]").wait_for()
    add(page, photo)
