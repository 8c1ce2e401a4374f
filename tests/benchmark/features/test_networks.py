import builtins

import numpy as np
import pytest
import torch

from benchmark.features import FeatureScorer, load_features
from benchmark.features.networks import Network
from uncover.errors import UncoverError

IMAGE = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
HOLE = np.ones((64, 64), bool)


def test_own_callable_gets_uint8_pictures():
    scorer = load_features("tests.benchmark.stand_ins:colours")
    rows = scorer.score(IMAGE, HOLE, [IMAGE, 255 - IMAGE])
    assert rows.shape == (2, 16)
    assert rows[0, 0] == pytest.approx(IMAGE[:32, :32].mean() / 255, abs=1e-5)


def test_squeezenet_features_are_those_of_torchvision(monkeypatch):
    import torchvision.models as zoo

    torch.manual_seed(0)
    network = zoo.SqueezeNet(version="1_1").eval()
    monkeypatch.setattr(zoo, "squeezenet1_1", lambda weights: network)
    row = load_features("squeezenet1_1").score(IMAGE, HOLE, [IMAGE])[0]
    x = torch.from_numpy(IMAGE).permute(2, 0, 1).float() / 255
    from torchvision.transforms.functional import normalize

    x = normalize(x, [0.485, 0.456, 0.406], [0.229, 0.224, 0.225])[None]
    with torch.no_grad():
        expected = network.features(x).mean((2, 3))[0].numpy()
    assert row.shape == (512 + 512 + 36 * 64,)
    np.testing.assert_allclose(row[:512], expected, atol=1e-5)


def test_features_that_cannot_be_had(monkeypatch):
    import torchvision.models as zoo

    def offline(weights):
        raise OSError("no network")

    monkeypatch.setattr(zoo, "squeezenet1_1", offline)
    with pytest.raises(UncoverError, match="squeezenet1_1 are not in torch's cache"):
        load_features("squeezenet1_1")


def test_inception_without_its_package(monkeypatch):
    real = builtins.__import__

    def without(name, *rest, **more):
        if name == "torchmetrics.image.fid":
            raise ModuleNotFoundError(name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(UncoverError, match=r"torch-fidelity.*--features squeezenet1_1"):
        load_features("inception")


@pytest.mark.parametrize(
    ("row", "name"),
    [(torch.full((1, 4), float("nan")), "nan"), (torch.zeros(1, 2, 2), "shape"),
     (torch.zeros(3, 2), "rows")],
)  # fmt: skip
def test_rows_that_cannot_be_used(row, name):
    scorer = FeatureScorer(name, name, Network(lambda _: row), "cpu")
    with pytest.raises(UncoverError, match=rf"--features {name} gave shape"):
        scorer.score(IMAGE, HOLE, [IMAGE])
