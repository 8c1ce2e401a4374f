"""A call whose session has an empty name is answered."""

from __future__ import annotations

import json
import urllib.request

import gradio as gr
import pytest

from page.sessions import name_sessions


def shout(word: str) -> str:
    return f"{word}!"


@pytest.mark.parametrize("session", ["", None, "mine"])
def test_a_call_of_any_session_is_answered(session: str | None) -> None:
    with gr.Blocks() as page:
        gr.api(shout)
    page.queue()
    name_sessions(page)
    _, url, _ = page.launch(prevent_thread_lock=True, quiet=True, _frontend=False)
    try:
        route = f"{url}gradio_api/call/shout"
        body = json.dumps({"data": ["hello"], "session_hash": session}).encode()
        told = {"Content-Type": "application/json"}
        call = urllib.request.Request(route, body, told)
        event = json.load(urllib.request.urlopen(call, timeout=30))["event_id"]
        said = urllib.request.urlopen(f"{route}/{event}", timeout=30).read().decode()
    finally:
        page.close()
    assert 'event: complete\ndata: ["hello!"]' in said
