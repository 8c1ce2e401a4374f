"""Photos that cannot be used, and odd ones that can."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from tests.browser import stand_ins


def bad_photo(folder: Path, kind: str) -> Path:
    """Write a picture of the kind, named after it."""
    image = Image.open(stand_ins.ASTRONAUT).convert("RGB").resize((64, 64))
    path = folder / f"{kind}.{'jpg' if kind in ('cmyk', 'truncated') else 'png'}"
    if kind == "text":
        path.write_text("no picture at all")
    elif kind == "empty":
        path.write_bytes(b"")
    elif kind == "truncated":
        image.resize((512, 512)).save(path)
        path.write_bytes(path.read_bytes()[:4000])
    elif kind == "huge":
        Image.new("1", (20_000, 20_000)).save(path)
    elif kind == "dot":
        image.resize((1, 1)).save(path)
    elif kind == "cmyk":
        image.convert("CMYK").save(path)
    elif kind == "deep":
        Image.fromarray(np.asarray(image.convert("L")).astype(np.uint16) * 257).save(path)
    elif kind == "palette":
        image.quantize(16).save(path)
    elif kind == "animated":
        path = path.with_suffix(".gif")
        image.save(path, save_all=True, append_images=[image.rotate(90)])
    return path
