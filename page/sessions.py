"""Sessions of calls: one whose name is empty gets a name, as one without any does."""

from __future__ import annotations

from typing import Any

import gradio as gr


def name_sessions(page: gr.Blocks) -> None:
    """Have a page, on which `queue` was called, answer calls whose `session_hash` is empty.

    gradio keeps the messages of such a call under the empty name and looks for them under the
    call's own: the caller's connection breaks, and a traceback goes to the log.
    """
    push = page._queue.push

    async def named(body: Any, *others: Any, **named_others: Any) -> Any:
        body.session_hash = body.session_hash or None
        return await push(body, *others, **named_others)

    page._queue.push = named  # type: ignore[method-assign]
