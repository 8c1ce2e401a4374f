"""`python -m tests.browser.examples`: draws the page's examples anew, into assets/examples.

Nobody's faces (`uncover.faces.draw_face`), with masks drawn on them: a darker face, a side view,
glasses, and a group. The page says of each that it is drawn.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from page.tryon import make_style
from uncover.faces.drawn import DrawnFace, draw_face
from uncover.masking import draw_mask

FOLDER = Path(__file__).parents[2] / "assets" / "examples"
SIDE = 448


def masked(face: DrawnFace, kind: str, colour: str, seed: int = 0) -> np.ndarray:
    """The face with a mask on, uint8 (size, size, 3)."""
    return draw_mask(face.image, face.landmarks, make_style(kind, colour, 0.3, seed=seed))[0]


def with_glasses(face: DrawnFace, image: np.ndarray) -> np.ndarray:
    """The picture with a frame around each eye, a bridge and the front of the sides."""
    shown = image.copy()
    points = face.landmarks
    centres = [points[36:42].mean(0), points[42:48].mean(0)]
    apart = float(np.linalg.norm(centres[1] - centres[0]))
    tilt = float(np.degrees(np.arctan2(*(centres[1] - centres[0])[::-1])))
    width = max(2, round(apart / 14))
    axes = round(0.36 * apart), round(0.27 * apart)
    ink = (32, 26, 30)

    def at(point: np.ndarray) -> tuple[int, int]:
        return round(float(point[0])), round(float(point[1]))

    along = (centres[1] - centres[0]) / apart
    for side, centre in zip((-1, 1), centres, strict=True):
        glass = shown.copy()
        cv2.ellipse(glass, at(centre), axes, tilt, 0, 360, (225, 235, 245), -1, cv2.LINE_AA)
        shown = cv2.addWeighted(glass, 0.12, shown, 0.88, 0)
        cv2.ellipse(shown, at(centre), axes, tilt, 0, 360, ink, width, cv2.LINE_AA)
        rim, temple = centre + side * axes[0] * along, points[0 if side < 0 else 16]
        cv2.line(shown, at(rim), at(0.25 * rim + 0.75 * temple), ink, width, cv2.LINE_AA)
    inner = centres[0] + axes[0] * along, centres[1] - axes[0] * along
    cv2.line(shown, at(inner[0]), at(inner[1]), ink, width, cv2.LINE_AA)
    return shown


def group(faces: list[np.ndarray], size: tuple[int, int] = (1120, 700)) -> np.ndarray:
    """Several square pictures of one size beside and above one another, as in a call."""
    across = (len(faces) + 1) // 2
    tiles = [cv2.resize(one, (size[0] // across, size[1] // 2)) for one in faces]
    rows = [np.concatenate(tiles[i : i + across], axis=1) for i in range(0, len(tiles), across)]
    return np.concatenate(rows)


def main() -> None:
    """Write every example."""
    FOLDER.mkdir(exist_ok=True)
    glasses = draw_face(10, SIDE)
    pictures = {
        "darker": masked(draw_face(1, SIDE), "surgical", "#9fcbe0"),
        "side": masked(draw_face(5, SIDE, yaw=42), "n95", "#eeeeea"),
        "glasses": with_glasses(glasses, masked(glasses, "cloth", "#3b4a6b", seed=2)),
        "group": group(
            [
                masked(draw_face(4, SIDE), "surgical", "#8fbfdc", seed=1),
                masked(draw_face(2, SIDE), "cloth", "#51705a", seed=4),
                draw_face(7, SIDE).image,
                masked(draw_face(9, SIDE), "n95", "#f2f2ee", seed=3),
            ],
            (896, 896),
        ),
    }
    for name, pixels in pictures.items():
        Image.fromarray(pixels).save(FOLDER / f"{name}.jpg", quality=90)


if __name__ == "__main__":
    main()
