"""Messages of the queue to visitors: one who has left is no error."""

from __future__ import annotations

from asyncio import Queue
from typing import Any

import gradio as gr
from gradio.utils import LRUCache

VISITORS = 2_000
"""Whose messages are kept at once; gradio's own number."""


class Messages(LRUCache[str, Queue[Any]]):
    """Session -> what it is still to be told; of a session that is gone, what nobody reads.

    gradio forgets a session when its browser leaves, and then ends with a KeyError, and a traceback
    in the log, where it wants to tell it that its photo is begun.
    """

    def __missing__(self, session: str) -> Queue[Any]:
        return Queue()


def outlive_visitors(page: gr.Blocks) -> None:
    """Have the queue of a page, on which `queue` was called, bear with visitors who leave."""
    page._queue.pending_messages_per_session = Messages(VISITORS)
