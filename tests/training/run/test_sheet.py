from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from training.run import write_sheet


def test_tiles_lie_row_by_row_and_the_rest_is_grey(tmp_path: Path) -> None:
    tiles = [np.full((4, 6, 3), (level, 0, 200), np.uint8) for level in (10, 20, 30)]
    write_sheet(tmp_path / "new" / "sheet.png", tiles, columns=2, grey=40)
    sheet = cv2.imread(str(tmp_path / "new" / "sheet.png"))[..., ::-1]
    assert sheet.shape == (8, 12, 3)
    assert sheet[0, 0].tolist() == [10, 0, 200]
    assert sheet[0, 6].tolist() == [20, 0, 200]
    assert sheet[4, 0].tolist() == [30, 0, 200]
    assert (sheet[4:, 6:] == 40).all()


def test_no_tiles_no_file(tmp_path: Path) -> None:
    write_sheet(tmp_path / "sheet.png", [], columns=2)
    assert list(tmp_path.iterdir()) == []
