"""The page as a server of MCP tools, over the loopback."""

from __future__ import annotations

import asyncio
import base64
import io
import re
import sys
import urllib.request
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.browser import stand_ins

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def address(run_page, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of the MCP endpoint of a page of its own."""
    pytest.importorskip("mcp", reason="install it with: pip install -e '.[mcp]'")
    chosen = stand_ins.chosen(tmp_path_factory.mktemp("weights"))
    with run_page(chosen, mcp_server=True) as url:
        yield f"{url}gradio_api/mcp/"


def talk(address: str, say: Callable[[Any], Awaitable[Any]]) -> Any:
    """Open a session, let `say` use it, and give back what it gives back."""
    from mcp import ClientSession
    from mcp.client.streamable_http import streamablehttp_client

    async def session() -> Any:
        async with (
            streamablehttp_client(address) as (read, write, _),
            ClientSession(read, write) as opened,
        ):
            await opened.initialize()
            return await say(opened)

    # A thread of its own: Playwright keeps an event loop running in the tests' thread.
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, session()).result()


def test_tools_are_the_three_public_functions(address: str) -> None:
    tools = talk(address, lambda session: session.list_tools()).tools
    assert sorted(tool.name for tool in tools) == ["detect", "fill", "uncover"]
    for tool in tools:
        assert len(tool.description or "") > 40, tool.name
        said = tool.inputSchema["properties"]
        assert all(entry.get("description") for entry in said.values()), tool.name
        assert {"photo"} <= set(said)


@pytest.mark.parametrize("watched", [True, False])
def test_a_tool_answers_with_the_photo_painted(address: str, photo: Path, watched: bool) -> None:
    url = "data:image/png;base64," + base64.b64encode(photo.read_bytes()).decode()

    async def progress(*told: Any) -> None:
        assert told

    def call(session: Any) -> Awaitable[Any]:
        options = {"progress_callback": progress} if watched else {}
        return session.call_tool("uncover", {"photo": url}, **options)

    got = talk(address, call)
    assert not got.isError
    said = " ".join(part.text for part in got.content if part.type == "text")
    assert "not an identification" in said
    if watched:  # gradio hands pictures over as such only to clients that ask for progress
        data = base64.b64decode(next(p.data for p in got.content if p.type == "image"))
    else:
        found = re.search(r"http://127[^'\" ]+_uncovered[^'\" ]*[.]png", said)
        assert found, said
        data = urllib.request.urlopen(found[0], timeout=60).read()
    before, after = (np.asarray(Image.open(f).convert("RGB")) for f in (photo, io.BytesIO(data)))
    x0, y0, x1, y1 = stand_ins.MOUTH
    assert (before != after).any(-1)[y0:y1, x0:x1].all()


@pytest.mark.parametrize(
    "stolen",
    [
        "/etc/hostname",
        str(stand_ins.ASTRONAUT),
        "file:///etc/hostname",
        "../../../../etc/hostname",
        "http://127.0.0.1:9/x.png",
        "http://localhost/x.png",
        "http://169.254.169.254/latest/meta-data",
    ],
)
def test_no_tool_reads_the_machine_or_its_network(address: str, stolen: str) -> None:
    got = talk(address, lambda session: session.call_tool("detect", {"photo": stolen}))
    assert got.isError


@pytest.mark.parametrize("how", ["option", "environment"])
def test_missing_extra_is_said_in_one_line(
    how: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from page import launch as app

    monkeypatch.setitem(sys.modules, "mcp", None)
    monkeypatch.setattr(app.importlib.util, "find_spec", lambda name: None)
    monkeypatch.setenv("GRADIO_MCP_SERVER", "True" if how == "environment" else "False")
    assert app.main(["--mcp"] if how == "option" else []) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert said.startswith("error: ")
    assert "gradio[mcp]" in said
