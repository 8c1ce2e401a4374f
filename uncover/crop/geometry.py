"""The canonical face frame: a similarity transform between a photo and an upright square crop.

Coordinates are (x, y) with y down, in pixels; pixel (0, 0) has its centre at (0, 0), as in OpenCV.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from uncover.crop.similarity import Pixel, area_shrink, fit_similarity
from uncover.errors import UncoverError

TEMPLATE_5: NDArray[np.float64] = np.array(
    [
        [0.3346, 0.2815],  # eye centre, image left
        [0.6654, 0.2815],  # eye centre, image right
        [0.5000, 0.4767],  # nose tip
        [0.3555, 0.6364],  # mouth corner, image left
        [0.6445, 0.6364],  # mouth corner, image right
    ]
)
"""Where the five points lie, as fractions of the crop's side; the chin is near (0.5, 0.886)."""
TEMPLATE_5.setflags(write=False)


@dataclass(frozen=True)
class DetectorBox:
    """How a detector's box, from the forehead to the chin, lies in its face's canonical frame.

    From 68-point landmarks on 190 labelled face boxes of two collections: their medians are 0.86
    and 0.92 for `side`, 0.50 and 0.44 for `centre_y`.

    Attributes:
        aspect: a face's height in its widths. The mean of the box's height and so many of its
            widths bears cut and tilted boxes better than either side alone.
        side: that mean, in crop sides.
        centre_y: height of the box's centre, in crop sides.
    """

    aspect: float = 1.25
    side: float = 0.89
    centre_y: float = 0.47


@dataclass(frozen=True)
class Resampling:
    """How pictures are warped between photo and crop; what these were chosen on was not written
    down. Each is compared with the crop pixels per photo pixel (`FaceCrop.scale`).

    Attributes:
        shrunk: below it, what is cut out of a photo is shrunk by averages first.
        smooth: up to it, what is placed in a photo is enlarged with cubics, above it linearly.
        averaged: above it, what is placed in a photo is shrunk by averages first.
    """

    shrunk: float = 0.75
    smooth: float = 0.75
    averaged: float = 1.33


DETECTOR_BOX, RESAMPLING = DetectorBox(), Resampling()

Rect = tuple[int, int, int, int]
"""A photo rectangle (x0, y0, x1, y1) in whole pixels; x1 and y1 are exclusive."""


@dataclass(frozen=True, eq=False)
class FaceCrop:
    """A square upright crop of a photo.

    Attributes:
        matrix: float64 (2, 3), photo pixels -> crop pixels; a similarity without reflection.
        size: side of the crop in pixels.
    """

    matrix: NDArray[np.float64]
    size: int

    @classmethod
    def from_points(cls, points5: ArrayLike, size: int) -> FaceCrop:
        """Fit (5, 2) photo points (eyes, nose tip, mouth corners) to `TEMPLATE_5`.

        Raises:
            UncoverError: not five finite points, or all in one place.
        """
        points = np.asarray(points5, np.float64)
        if points.shape != (5, 2):
            raise UncoverError(f"a face crop needs five (x, y) points, got shape {points.shape}")
        return cls(fit_similarity(points, TEMPLATE_5 * size), size)

    @classmethod
    def from_box(cls, box: Sequence[float], size: int, roll: float = 0.0) -> FaceCrop:
        """Frame a whole-face box (hairline to chin, ear to ear) roughly like the canonical frame.

        Args:
            box: (x0, y0, x1, y1) in photo pixels.
            size: side of the crop in pixels.
            roll: tilt of the head in degrees, as `FaceCrop.roll`.

        Raises:
            UncoverError: the box is empty or not finite.
        """
        x0, y0, x1, y1 = (float(v) for v in box)
        if not np.isfinite([x0, y0, x1, y1]).all() or x1 <= x0 or y1 <= y0:
            raise UncoverError(f"face box ({x0:g}, {y0:g}, {x1:g}, {y1:g}) is empty")
        extent = 0.5 * ((y1 - y0) + DETECTOR_BOX.aspect * (x1 - x0))
        side = extent / DETECTOR_BOX.side
        scale = size / side
        angle = np.deg2rad(roll)
        cos, sin = scale * np.cos(angle), scale * np.sin(angle)
        linear = np.array([[cos, sin], [-sin, cos]])
        centre = np.array([(x0 + x1) / 2, (y0 + y1) / 2])
        shift = np.array([0.5, DETECTOR_BOX.centre_y]) * size - linear @ centre
        return cls(np.column_stack([linear, shift]), size)

    @classmethod
    def whole(cls, width: int, height: int, size: int) -> FaceCrop:
        """The whole picture as one crop; its longer side fills the crop, centred."""
        side = max(width, height)
        f = size / side
        x = (side - width) / 2
        y = (side - height) / 2
        # Pixel areas map onto pixel areas, so centres shift by half a pixel.
        return cls(
            np.array([[f, 0, (x + 0.5) * f - 0.5], [0, f, (y + 0.5) * f - 0.5]], np.float64), size
        )

    @property
    def scale(self) -> float:
        """Crop pixels per photo pixel."""
        return float(np.hypot(self.matrix[0, 0], self.matrix[1, 0]))

    @property
    def roll(self) -> float:
        """Tilt of the crop in the photo, degrees in (-180, 180].

        Positive: the eye line falls to the image's right (the head turned clockwise as seen).
        """
        return float(np.rad2deg(np.arctan2(-self.matrix[1, 0], self.matrix[0, 0])))

    @property
    def inverse(self) -> NDArray[np.float64]:
        """float64 (2, 3) matrix, crop pixels -> photo pixels."""
        linear = np.linalg.inv(self.matrix[:, :2])
        return np.column_stack([linear, -linear @ self.matrix[:, 2]])

    def resized(self, size: int) -> FaceCrop:
        """The same frame at another side length; equals fitting anew at that size."""
        return FaceCrop(self.matrix * (size / self.size), size)

    def finer(self, factor: int) -> FaceCrop:
        """The same square with `factor` times as many pixels a side: one pixel's area becomes that
        of factor x factor pixels, where `resized` keeps the first pixel's centre."""
        shift = [[0, 0, (factor - 1) / 2]] * 2
        return FaceCrop(self.matrix * factor + np.array(shift), self.size * factor)

    def to_crop(self, points: ArrayLike) -> NDArray[np.float64]:
        """(N, 2) photo points -> crop points."""
        pts = np.asarray(points, np.float64)
        return pts @ self.matrix[:, :2].T + self.matrix[:, 2]

    def to_photo(self, points: ArrayLike) -> NDArray[np.float64]:
        """(N, 2) crop points -> photo points."""
        inverse = self.inverse
        return np.asarray(points, np.float64) @ inverse[:, :2].T + inverse[:, 2]

    def corners(self) -> NDArray[np.float64]:
        """(4, 2) photo points of the crop's outer corners, clockwise from the top left."""
        lo, hi = -0.5, self.size - 0.5
        return self.to_photo([[lo, lo], [hi, lo], [hi, hi], [lo, hi]])

    def rect(self, width: int, height: int) -> Rect:
        """The part of a photo that the crop touches; (0, 0, 0, 0) when it lies outside."""
        corners = self.corners()
        x0, y0 = np.maximum(np.floor(corners.min(0)).astype(int), 0)
        x1, y1 = np.minimum(np.ceil(corners.max(0)).astype(int) + 1, (width, height))
        if x1 <= x0 or y1 <= y0:
            return 0, 0, 0, 0
        return int(x0), int(y0), int(x1), int(y1)

    def shows(self, width: int, height: int) -> NDArray[np.bool_]:
        """Which pixels, bool (size, size), a photo of this size holds; `extract` mirrors beyond."""
        axis = np.arange(self.size, dtype=np.float64)
        linear, shift = self.inverse[:, :2], self.inverse[:, 2]
        # A similarity: each photo coordinate is a sum of one term per row and one per column.
        x = linear[0, 0] * axis[None] + linear[0, 1] * axis[:, None] + shift[0]
        y = linear[1, 0] * axis[None] + linear[1, 1] * axis[:, None] + shift[1]
        return (x >= -0.5) & (x < width - 0.5) & (y >= -0.5) & (y < height - 0.5)

    def extract(self, photo: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Cut the crop out of a photo.

        Beyond the photo's edge it is filled by reflection. Shrinking is anti-aliased. Only the
        rectangle that is needed is read, never the whole photo.

        Args:
            photo: uint8 (H, W, 3) or (H, W).

        Returns:
            uint8 (size, size, 3) or (size, size).
        """
        height, width = photo.shape[:2]
        x0, y0, x1, y1 = self._source_rect(width, height)
        return self._warped(photo[y0:y1, x0:x1], x0, y0)

    def extract_part(
        self, part: NDArray[np.uint8], rect: Rect, size: tuple[int, int]
    ) -> NDArray[np.uint8]:
        """As `extract`, from a plane of which only one rectangle is not zero.

        Args:
            part: uint8 (h, w), what lies in the rectangle.
            rect: where that is.
            size: (height, width) of the plane, which is never built as a whole.
        """
        x0, y0, x1, y1 = self._source_rect(size[1], size[0])
        piece = np.zeros((y1 - y0, x1 - x0), np.uint8)
        left, top = max(x0, rect[0]), max(y0, rect[1])
        right, bottom = min(x1, rect[2]), min(y1, rect[3])
        if left < right and top < bottom:
            piece[top - y0 : bottom - y0, left - x0 : right - x0] = part[
                top - rect[1] : bottom - rect[1], left - rect[0] : right - rect[0]
            ]
        return self._warped(piece, x0, y0)

    def _warped(self, piece: NDArray[np.uint8], x0: int, y0: int) -> NDArray[np.uint8]:
        """The crop out of a piece of the photo whose first pixel is (x0, y0)."""
        shift = np.array([[1.0, 0, x0], [0, 1.0, y0], [0, 0, 1]])
        matrix = np.vstack([self.matrix, [0, 0, 1]]) @ shift
        if self.scale < RESAMPLING.shrunk:
            matrix, piece = area_shrink(matrix, piece, self.scale)
        return cv2.warpAffine(
            np.ascontiguousarray(piece),
            matrix[:2],
            (self.size, self.size),
            flags=cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REFLECT_101,
        )

    def place(
        self, crop: NDArray[Pixel], rect: Rect, *, beyond: float | None = None
    ) -> NDArray[Pixel]:
        """Warp something that lives in the crop back onto a rectangle of the photo.

        Args:
            crop: uint8 or float32 (size, size) or (size, size, C).
            rect: the photo rectangle to fill.
            beyond: value where the rectangle lies outside the crop; None repeats the edge.

        Returns:
            An array of the crop's type, (y1 - y0, x1 - x0[, C]).
        """
        x0, y0, x1, y1 = rect
        back = np.vstack([self.inverse, [0, 0, 1]])
        matrix = np.array([[1.0, 0, -x0], [0, 1.0, -y0], [0, 0, 1]]) @ back
        if self.scale > RESAMPLING.averaged:
            matrix, crop = area_shrink(matrix, crop, 1 / self.scale)
        return cv2.warpAffine(
            np.ascontiguousarray(crop),
            matrix[:2],
            (x1 - x0, y1 - y0),
            flags=cv2.INTER_LINEAR if self.scale > RESAMPLING.smooth else cv2.INTER_CUBIC,
            borderMode=cv2.BORDER_REPLICATE if beyond is None else cv2.BORDER_CONSTANT,
            borderValue=(0.0 if beyond is None else beyond,) * 4,
        )

    def _source_rect(self, width: int, height: int) -> Rect:
        """The photo pixels that `extract` reads, with those that reflection will ask for."""
        corners = self.corners()
        lo = np.floor(corners.min(0)).astype(int) - 2
        hi = np.ceil(corners.max(0)).astype(int) + 3
        spans = []
        for a, b, n in ((lo[0], hi[0], width), (lo[1], hi[1], height)):
            first = min(a, 2 * (n - 1) - b) if b > n else a
            last = max(b, 1 - a) if a < 0 else b
            first = int(np.clip(first, 0, n - 1))
            spans.append((first, int(np.clip(last, first + 1, n))))
        (x0, x1), (y0, y1) = spans
        return x0, y0, x1, y1
