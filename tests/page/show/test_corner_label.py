from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from page.show.corner_label import with_corner_label


@pytest.mark.parametrize(
    ("mode", "expected"),
    [("RGB", "RGB"), ("L", "RGB"), ("RGBA", "RGBA"), ("P", "RGB"), ("CMYK", "RGB")],
)
def test_corner_label(mode: str, expected: str) -> None:
    image = Image.new("RGB", (640, 480), (90, 120, 150)).convert(mode)
    labelled = with_corner_label(image)
    assert labelled.mode == expected
    assert labelled.size == image.size
    corner = np.asarray(labelled.convert("L"))[-10:, -30:]
    assert corner.min() < 60
    plain = np.asarray(image.convert("RGB"))[:400]
    assert np.array_equal(np.asarray(labelled.convert("RGB"))[:400], plain)
