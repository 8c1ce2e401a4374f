import numpy as np
import pytest

from benchmark.metrics.psnr import decibels
from benchmark.models.baselines import MeanFace, Pca, Telea, learn
from benchmark.models.models import paint
from benchmark.photos.datasets import drawn
from benchmark.photos.rendered import draw_cases


@pytest.fixture(scope="module")
def faces(tmp_path_factory):
    return learn(drawn(60, first=1000), tmp_path_factory.mktemp("cache"), quiet=True)


def test_linear_completion_beats_the_mean_face(faces, tmp_path):
    cases = draw_cases(drawn(6), seed=0, size=128, align=False, cache=tmp_path, quiet=True)
    scores = []
    for case in cases.cases:
        pictures = cases.render(case)
        for model in (MeanFace(faces), Pca(faces), Telea()):
            result = paint(model, pictures.masked, pictures.hole, "photo")
            assert np.array_equal(result[~pictures.hole], pictures.truth[~pictures.hole])
            scores.append(decibels(result, pictures.truth, pictures.hole)[1])
    mean, linear, telea = np.reshape(scores, (-1, 3)).mean(0)
    assert linear > mean + 1
    assert telea > 8


def test_components_are_orthonormal_and_ordered(faces):
    gram = faces.components @ faces.components.T
    np.testing.assert_allclose(gram, np.eye(len(gram)), atol=1e-3)
    assert (np.diff(faces.variances) <= 0).all()
    assert faces.noise >= 1


def test_learned_once_and_kept(faces, tmp_path):
    data = drawn(12, first=2000)
    first = learn(data, tmp_path, quiet=True)
    kept = learn(data, tmp_path, quiet=True)
    assert first.sha256 == kept.sha256
    assert first.count == 12
    assert learn(drawn(11, first=2000), tmp_path, quiet=True).sha256 != first.sha256


def test_known_pixels_of_a_training_like_face_are_reproduced(faces):
    face = faces.mean + 0.8 * np.sqrt(faces.variances[0]) * faces.components[0].reshape(128, 128, 3)
    image = face.clip(0, 255).astype(np.uint8)
    hole = np.zeros((128, 128), bool)
    hole[70:110, 30:100] = True
    masked = np.where(hole[..., None], np.uint8(0), image)
    assert decibels(paint(Pca(faces), masked, hole, "x"), image, hole)[1] > 30
