import cv2
import numpy as np
import pytest

from benchmark.metrics.sharpness import laplacian_energy, sharpness
from uncover.faces import draw_face

FACE = np.ascontiguousarray(draw_face(1, 200).image)
HOLE = np.zeros((200, 200), bool)
HOLE[90:180, 50:150] = True


def test_identical_pictures_give_one_and_a_blur_less():
    assert sharpness(FACE, FACE, HOLE) == 1.0
    blurred = [cv2.GaussianBlur(FACE, (0, 0), s) for s in (1.0, 3.0)]
    values = [sharpness(picture, FACE, HOLE) for picture in blurred]
    assert 1.0 > values[0] > values[1]


def test_energy_is_the_mean_square_of_the_written_out_laplacian():
    rng = np.random.default_rng(0)
    picture = np.repeat(rng.integers(0, 256, (32, 32, 1), dtype=np.uint8), 3, 2)
    hole = np.zeros((32, 32), bool)
    hole[8:20, 8:20] = True
    g = picture[..., 0].astype(float)
    laplacian = np.zeros_like(g)
    laplacian[1:-1, 1:-1] = (
        g[:-2, 1:-1] + g[2:, 1:-1] + g[1:-1, :-2] + g[1:-1, 2:] - 4 * g[1:-1, 1:-1]
    )
    assert laplacian_energy(picture, hole) == pytest.approx((laplacian[hole] ** 2).mean())


def test_a_photo_without_any_detail_gives_no_value():
    flat = np.full((64, 64, 3), 80, np.uint8)
    assert np.isnan(sharpness(flat, flat, np.ones((64, 64), bool)))
