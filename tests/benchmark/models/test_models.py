from pathlib import Path

import numpy as np
import pytest
import torch

import uncover
from benchmark.models import models
from benchmark.models.models import UncoverModel, paint, weights_name
from tests.uncover.standins import SMALL
from uncover.errors import WeightsError
from uncover.networks.context_encoder import ContextEncoder, ContextEncoderConfig
from uncover.networks.generator import Generator
from uncover.weights.components import save_component

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


def test_weights_are_filled_as_users_fill_them(folder, monkeypatch):
    from uncover import Uncoverer
    from uncover.networks.segmenter import MaskSegmenter, SegmenterConfig
    from uncover.weights.components import load_bundle

    segmenter = MaskSegmenter(SegmenterConfig()).eval()
    save_component(folder, "segmenter", segmenter, segmenter.config)
    model = UncoverModel("ours", str(folder))
    result = paint(model, IMAGE, HOLE, "photo")
    bundle = load_bundle(str(folder), components=("generator", "segmenter"))
    product = Uncoverer(None, bundle.segmenter, bundle.generator)
    assert np.array_equal(result, np.asarray(product.fill(IMAGE, HOLE).image))
    assert np.array_equal(result[~HOLE], IMAGE[~HOLE])
    assert len(model.weights_sha256) == 64
    assert model.notes["training"]["images"] == 7
    assert UncoverModel("again", str(folder)).fingerprint == model.fingerprint


def test_weights_without_a_segmenter_fill_the_crop_as_it_is(folder, monkeypatch):
    monkeypatch.setenv("UNCOVER_WEIGHTS", str(folder))
    model = UncoverModel("ours", str(folder))
    result = paint(model, IMAGE, HOLE, "photo")
    raw = model._uncoverer.generator.fill(IMAGE[None], HOLE[None])[0]
    inner = HOLE.copy()
    inner[:30], inner[50:], inner[:, :18], inner[:, 46:] = False, False, False, False
    assert np.abs(result[inner].astype(int) - raw[inner]).max() <= 1
    assert np.array_equal(result[~HOLE], IMAGE[~HOLE])


def test_the_originals_model_is_measured_like_any_other(tmp_path):
    config = ContextEncoderConfig(resolution=64, bottleneck=8)
    models = []
    for k in range(2):
        torch.manual_seed(k)
        save_component(tmp_path / str(k), "seed_generator", ContextEncoder(config), config,
                       training={"images": 9})  # fmt: skip
        models.append(UncoverModel("seed", str(tmp_path / str(k))))
    results = [paint(model, IMAGE, HOLE, "photo") for model in models]
    assert np.abs(results[0][HOLE].astype(int) - results[1][HOLE]).mean() > 1
    assert np.array_equal(results[0][~HOLE], IMAGE[~HOLE])
    assert models[0].notes["training"]["images"] == 9
    assert models[0].fingerprint != models[1].fingerprint
    assert models[0].weights_sha256 != models[1].weights_sha256


def test_weights_that_do_not_load(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(WeightsError):
        UncoverModel("bad", str(tmp_path))


def test_weights_of_nan_are_refused(folder, monkeypatch):
    generator = Generator(SMALL)
    with torch.no_grad():
        next(generator.parameters()).fill_(float("nan"))
    monkeypatch.setattr("uncover.weights.load_component", lambda *_: generator)
    with pytest.raises(WeightsError, match="hold NaN or infinity"):
        UncoverModel("nan", str(folder))


def test_names(folder):
    assert weights_name("default") == "uncover"
    assert weights_name("someone/model") == "someone/model"
    assert weights_name(str(folder)) == folder.parent.name
    assert weights_name(str(folder.parent)) == folder.parent.name


@pytest.mark.parametrize("file", models.filling_files(), ids=lambda f: f.name)
def test_an_edit_in_any_file_that_a_fill_passes_through_changes_the_key(file, monkeypatch):
    before = models.filling_code()
    read = Path.read_text

    def edited(self, *rest, **more):
        return read(self, *rest, **more) + ("\n# edited" if self == file else "")

    monkeypatch.setattr(Path, "read_text", edited)
    assert models.filling_code() != before


def test_the_key_covers_every_room_but_other_backends_and_commands():
    root = Path(uncover.__file__).parent
    rooms = {f.relative_to(root).parts[0] for f in models.filling_files() if root in f.parents}
    every = {p.name for p in root.iterdir() if p.is_dir() and any(p.glob("*.py"))}
    assert every - rooms == {"onnx", "commands"}
