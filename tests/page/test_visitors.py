"""A visitor who leaves while his photo waits ends nothing."""

from __future__ import annotations

import asyncio

import gradio as gr

from page.visitors import VISITORS, outlive_visitors


def test_a_message_to_who_has_left_goes_nowhere() -> None:
    with gr.Blocks() as page:
        gr.Textbox()
    page.queue()
    outlive_visitors(page)
    messages = page._queue.pending_messages_per_session
    messages["here"] = asyncio.Queue()
    messages["here"].put_nowait("begun")
    messages["gone"].put_nowait("begun")
    assert "gone" not in messages
    assert messages["here"].qsize() == 1
    for number in range(VISITORS + 5):
        messages[f"{number}"] = asyncio.Queue()
    assert len(messages) == VISITORS
    assert "here" not in messages
