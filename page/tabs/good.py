"""The third tab: how good it is, in pictures, in two sentences, and in numbers."""

from __future__ import annotations

import threading
from html import escape
from typing import Any

import gradio as gr

from page.show import GUESS, Card, results_html
from page.tabs.parts import HEAVY, PRIVATE, told
from page.tryon import DrawnTrial, drawn_trials
from page.visit import picture_url
from uncover.pipeline import Uncoverer

WAIT = "<p>Twelve drawn faces are being painted, to show the best, a typical and the worst…</p>"


def good_tab(tab: gr.Tab, uncoverer: Uncoverer, card: Card) -> None:
    """Lay out the tab; its pictures are painted when somebody first opens it."""
    pictures = gr.HTML(WAIT, elem_id="drawn")
    gr.HTML(results_html(card), elem_id="results")
    made: list[str] = []
    lock = threading.Lock()

    def paint() -> Any:
        with lock:  # once for all visitors
            if not made:
                made.append(pictures_html(drawn_trials(uncoverer)))
        return made[0]

    tab.select(told(paint), None, pictures, **HEAVY, **PRIVATE)


def pictures_html(trials: list[DrawnTrial]) -> str:
    """The three drawn faces with captions."""
    figures = "".join(
        f"<figure><img src='{picture_url(one.strip)}' alt='{escape(one.title)} of twelve drawn "
        "faces: the truth, with a mask, the guess'>"
        f"<figcaption><b>{escape(one.title)} of twelve</b>: the truth, with a mask, the guess."
        "</figcaption></figure>"
        for one in trials
    )
    return (
        f"<div class='drawn'>{figures}<p class='hint'>Nobody's faces: they are drawn by a program, "
        "ordered by how near the guess's colours are to the truth's under the mask, "
        f"and painted here by the weights that this page runs with. {GUESS}</p></div>"
    )
