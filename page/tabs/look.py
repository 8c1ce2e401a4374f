"""How the painted faces shall look: sliders for smile, mouth and beard."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import gradio as gr

from uncover.pipeline import Uncoverer

LOOKS = {
    "smile": ("Smile", "How widely the mouth smiles."),
    "open": ("Mouth open", "How far the mouth opens."),
    "beard": ("Beard", "How dark beard and moustache are."),
}
MIDDLE = 0.5
NO_LOOK = "No sliders for smile, mouth and beard: these weights do not know them."
OWN = "Sliders that you do not move are left to the network."
REST = "The rest is guessed."


@dataclass(frozen=True)
class LookPart:
    """The sliders of a page; none where the weights cannot be told a look.

    Attributes:
        asked: state: property -> 0..1, those that the visitor moved.
        sliders: by property.
        words: what is asked for, said.
        reset: button that takes all back.
    """

    asked: gr.State
    sliders: Mapping[str, gr.Slider] = field(default_factory=dict)
    words: gr.Markdown | None = None
    reset: gr.Button | None = None

    @property
    def shown(self) -> list[Any]:
        """What `as_guessed` and `as_asked` put values into."""
        return [self.asked, *([self.words] if self.words else []), *self.sliders.values()]

    def as_guessed(self) -> list[Any]:
        """Values of `shown` where nothing is asked."""
        return [{}, *([OWN] if self.words else []), *(MIDDLE for _ in self.sliders)]

    def as_asked(self, asked: Mapping[str, float]) -> list[Any]:
        """Values of `shown` for what is asked; the sliders stay where they are."""
        said = ", ".join(f"{LOOKS[name][0].lower()} {value:.2f}" for name, value in asked.items())
        return [dict(asked), f"Asked for: {said}. {REST}", *(gr.skip() for _ in self.sliders)]


def look_part(uncoverer: Uncoverer) -> LookPart:
    """Lay out the sliders; where the weights know no look, nothing."""
    asked = gr.State({}, time_to_live=3600)
    if not uncoverer.told:
        return LookPart(asked)
    with gr.Column(elem_id="look"):
        words = gr.Markdown(OWN, elem_id="look-words", elem_classes="hint")
        sliders = {
            name: gr.Slider(0, 1, MIDDLE, step=0.05, label=title, info=info, elem_id=name)
            for name, (title, info) in LOOKS.items()
        }
        reset = gr.Button("Leave all to the network", elem_id="own-look", size="sm")
    return LookPart(asked, sliders, words, reset)
