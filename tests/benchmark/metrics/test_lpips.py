import functools
import urllib.error

import lpips
import numpy as np
import pytest
import torch
from skimage.data import astronaut

from benchmark.metrics.lpips import LpipsScorer
from uncover.errors import UncoverError


@pytest.fixture
def scorer(monkeypatch):
    """The scorer over a network of random weights: the arithmetic is LPIPS's all the same."""
    torch.manual_seed(0)
    random = functools.partial(lpips.LPIPS, pnet_rand=True)
    monkeypatch.setattr(lpips, "LPIPS", random)
    return LpipsScorer("squeeze")


def pictures() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    truth = np.ascontiguousarray(astronaut()[:96, 180:276])
    hole = np.zeros((96, 96), bool)
    hole[40:90, 20:80] = True
    return truth, np.where(hole[..., None], np.uint8(120), truth), hole


def test_agrees_with_lpips_called_directly(scorer):
    truth, fill, hole = pictures()
    found = scorer.score(truth, hole, [fill, truth])
    x, y = (torch.from_numpy(p).permute(2, 0, 1)[None].float() / 255 for p in (fill, truth))
    with torch.no_grad():
        expected = scorer.model(x, y, normalize=True).item()
    assert expected > 1e-3
    assert found[0, 0] == pytest.approx(expected, abs=1e-5)
    assert found[1, 0] == 0.0


def test_other_fills_do_not_change_a_value(scorer):
    truth, fill, hole = pictures()
    alone = scorer.score(truth, hole, [fill])
    assert scorer.score(truth, hole, [truth, fill, fill])[2, 0] == alone[0, 0]


def test_unknown_net():
    with pytest.raises(UncoverError, match="--lpips resnet is unknown"):
        LpipsScorer("resnet")


@pytest.mark.parametrize(("net", "other"), [("alex", "squeeze"), ("squeeze", "none")])
def test_weights_that_cannot_be_had(monkeypatch, net, other):
    def offline(**_):
        raise urllib.error.URLError("no network")

    monkeypatch.setattr(lpips, "LPIPS", offline)
    with pytest.raises(UncoverError, match=f"LPIPS \\({net}\\).*--lpips {other}"):
        LpipsScorer(net)
