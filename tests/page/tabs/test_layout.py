"""The page for the weights that come with the repository, as it is laid out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr
import pytest

import app
from page.show.card import read_card
from page.visit.chosen import Chosen, choose
from tests.browser import stand_ins
from uncover.scores import fixed, part_of

CONTROLS = (gr.Radio, gr.Checkbox, gr.Slider, gr.Dropdown, gr.ColorPicker)
PICTURES = (gr.Image, gr.ImageSlider, gr.Gallery)


@pytest.fixture(scope="module")
def chosen() -> Chosen:
    return choose(None, device="cpu")


@pytest.fixture(scope="module")
def parts(chosen: Chosen) -> dict[str, Any]:
    return stand_ins.parts(chosen)


def test_other_guesses_are_offered_where_there_are_some(chosen: Chosen, parts) -> None:
    assert parts["others"].visible is chosen.uncoverer.varied
    assert ("one-answer" in parts) is not chosen.uncoverer.varied


def test_the_results_are_the_cards(chosen: Chosen, parts) -> None:
    card, shown = read_card(chosen.folder), str(parts["results"].value)
    whole = part_of(card.slices, {})
    assert whole is not None
    assert f"{whole['n']} photos" in shown
    assert "not an identification" in shown
    for entry in card.slices:
        lpips = entry["metrics"]["lpips"]
        if len(fixed(entry)) == 1 and lpips["value"] is not None:
            assert f"{lpips['value']:.3f}" in shown, entry["slice"]
            assert f"[{lpips['low']:.3f}, {lpips['high']:.3f}]" in shown, entry["slice"]


def test_every_control_has_a_label_and_a_word_of_help(tmp_path: Path) -> None:
    page = app.build(stand_ins.chosen(tmp_path))
    public = {
        id(part) for fn in page.fns.values() if fn.api_visibility == "public" for part in fn.inputs
    }
    seen = 0
    for part in page.blocks.values():
        if isinstance(part, CONTROLS) and id(part) not in public:
            seen += 1
            assert part.label, part
            assert len(part.info or "") > 10, part.label
        elif isinstance(part, PICTURES):
            assert part.label, part
    assert seen >= 10
