"""Networks that understand one colour of cloth, and a page that runs on them."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
from PIL import Image

from page.visit.chosen import Chosen
from tests.uncover.fake_networks import CLOTH, FakeGenerator, FakeSegmenter
from uncover.pipeline import Settings, Uncoverer
from uncover.settings import Painter
from uncover.weights.config import WeightsConfig, write_config

ASTRONAUT = Path(__file__).parents[2] / "assets" / "astronaut.jpg"
MOUTH = (205, 118, 254, 168)
"""Where the cloth lies on the astronaut's face: (x0, y0, x1, y1)."""
GATE = threading.Event()
"""While it is cleared, finding faces waits (for two minutes at most), as under load."""
GATE.set()


def cloth(image: np.ndarray) -> np.ndarray:
    """bool (H, W): pixels of about the colour of the cloth."""
    return np.abs(image.astype(int) - CLOTH).sum(-1) < 60


@dataclass
class ClothDetector:
    """A face around every patch of cloth; the patch covers its lower half."""

    seen: list[tuple[int, ...]] = field(default_factory=list)

    def detect(self, images: Sequence[np.ndarray]) -> list[SimpleNamespace]:
        GATE.wait(120)
        found = []
        for image in images:
            self.seen.append(image.shape)
            _, _, stats, _ = cv2.connectedComponentsWithStats(cloth(image).astype(np.uint8))
            boxes = [
                (x - 0.25 * w, y - 1.1 * h, x + 1.25 * w, y + 1.1 * h)
                for x, y, w, h, area in stats[1:]
                if area > 200
            ]
            found.append(
                SimpleNamespace(
                    boxes=np.array(boxes, np.float32).reshape(-1, 4),
                    labels=["with_mask"] * len(boxes),
                    scores=np.full(len(boxes), 0.97, np.float32),
                )
            )
        return found


def uncoverer(generator: Painter | None = None) -> Uncoverer:
    """An Uncoverer that finds and fills cloth, with a stand-in for the generator or a real one."""
    return Uncoverer(ClothDetector(), FakeSegmenter(), generator or FakeGenerator(), Settings())


def chosen(folder: Path, generator: Painter | None = None, **more: str) -> Chosen:
    """The stand-ins as loaded weights, with an otherwise empty weights folder."""
    write_config(folder, WeightsConfig())
    (folder / "README.md").write_text("# Stand-ins\n\nNo networks at all.\n")
    return Chosen(uncoverer(generator), folder, "stand-ins", **more)


def parts(chosen: Chosen) -> dict[str, Any]:
    """The parts of the page for these weights by their `elem_id`, without serving it."""
    import app

    blocks = app.build(chosen).blocks.values()
    return {part.elem_id: part for part in blocks if getattr(part, "elem_id", None)}


def clothed(path: Path, mouth: tuple[int, int, int, int] = MOUTH, shift: int = 0) -> Path:
    """Write the astronaut with a flat cloth over her mouth; `shift` tells pictures apart."""
    image = np.roll(np.asarray(Image.open(ASTRONAUT).convert("RGB")), shift, axis=1)
    x0, y0, x1, y1 = mouth
    image[y0:y1, x0 + shift : x1 + shift] = CLOTH
    Image.fromarray(image).save(path)
    return path
