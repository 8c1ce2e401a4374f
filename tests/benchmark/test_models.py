import numpy as np
import pytest
import torch

from benchmark.models import UncoverModel, paint, weights_name
from uncover.errors import WeightsError
from uncover.generator import Generator, GeneratorConfig
from uncover.weights import save_component

SMALL = GeneratorConfig(resolution=64, widths=(8, 16), blocks=(1, 1), detail_width=8)
IMAGE = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
HOLE = np.zeros((64, 64), bool)
HOLE[24:56, 12:52] = True


@pytest.fixture
def folder(tmp_path):
    torch.manual_seed(0)
    save_component(
        tmp_path / "weights", "generator", Generator(SMALL), SMALL, training={"images": 7}
    )
    return tmp_path / "weights"


def test_weights_are_filled_as_users_fill_them(folder):
    from uncover import Uncoverer
    from uncover.weights import load_bundle

    model = UncoverModel("ours", str(folder))
    result = paint(model, IMAGE, HOLE, "photo")
    generator = load_bundle(str(folder), components=("generator",)).generator
    expected = np.asarray(Uncoverer(None, None, generator).fill(IMAGE, HOLE).image)
    assert np.array_equal(result, expected)
    assert np.array_equal(result[~HOLE], IMAGE[~HOLE])
    assert len(model.weights_sha256) == 64
    assert model.notes["training"]["images"] == 7
    assert UncoverModel("again", str(folder)).fingerprint == model.fingerprint


def test_weights_that_do_not_load(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(WeightsError):
        UncoverModel("bad", str(tmp_path))


def test_weights_of_nan_are_refused(tmp_path):
    generator = Generator(SMALL)
    with torch.no_grad():
        next(generator.parameters()).fill_(float("nan"))
    save_component(tmp_path, "generator", generator, SMALL)
    with pytest.raises(WeightsError):
        UncoverModel("nan", str(tmp_path))


def test_names(folder):
    assert weights_name("default") == "uncover"
    assert weights_name("someone/model") == "someone/model"
    assert weights_name(str(folder)) == folder.parent.name
    assert weights_name(str(folder.parent)) == folder.parent.name
