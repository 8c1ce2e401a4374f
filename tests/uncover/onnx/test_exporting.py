from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from uncover.errors import UncoverError, WeightsError
from uncover.faces.drawn import draw_face
from uncover.networks.detector import DetectorConfig, MaskDetector
from uncover.networks.enlarger import Enlarger, EnlargerConfig
from uncover.networks.generator import Generator, GeneratorConfig
from uncover.networks.segmenter import MaskSegmenter, SegmenterConfig
from uncover.onnx import backend as onnx_backend
from uncover.pipeline import Uncoverer
from uncover.weights.components import Bundle, load_bundle, save_component
from uncover.weights.config import check_files, read_config

onnxruntime = pytest.importorskip("onnxruntime")
pytest.importorskip("onnx")

FACES = 20


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Small networks of the real classes, exported in place."""
    from uncover.onnx.exporting import export

    path = tmp_path_factory.mktemp("onnx") / "w"
    torch.manual_seed(3)
    painter = GeneratorConfig(
        64,
        widths=(8, 16),
        blocks=(1, 1),
        detail_width=4,
        coarse_widths=(8, 12),
        coarse_blocks=(1, 1),
        coarse_heads=2,
    )
    seer = SegmenterConfig(
        resolution=64, widths=(8, 16), detail_width=4, dilation=0.03, presence=0.3
    )
    finder = DetectorConfig(
        pyramid_channels=16,
        head_channels=16,
        proposals=20,
        score_threshold=0.01,
        shorter_side=160,
        longer_side=224,
        tile_above=300,
        tile_size=256,
    )
    save_component(path, "generator", Generator(painter), painter)
    segmenter = MaskSegmenter(seer)
    with torch.no_grad():
        segmenter.finish[-1].weight.mul_(20)
        face = torch.from_numpy(draw_face(0, 64).image).permute(2, 0, 1)[None] / 127.5 - 1
        segmenter.finish[-1].bias.sub_(segmenter.eval()(face)[0].quantile(0.97))
    save_component(path, "segmenter", segmenter, seer)
    torch.manual_seed(1)
    detector = MaskDetector(finder)
    with torch.no_grad():
        detector.net.roi_heads.box_predictor.cls_score.weight.mul_(100)
    save_component(path, "detector", detector, finder)
    torch.manual_seed(2)
    finisher = EnlargerConfig(128, (8, 16), detail_width=4, detail_smoothing=1, noise=2)
    enlarger = Enlarger(finisher).eval()
    torch.nn.init.normal_(enlarger.to_rgb.weight, std=0.1)
    save_component(path, "enlarger", enlarger, finisher)
    written = export(path, path)
    assert set(written) == {
        "generator.onnx",
        "segmenter.onnx",
        "detector.onnx",
        "crop_to_face.onnx",
        "enlarger.onnx",
    }
    return path


@pytest.fixture(scope="module")
def torch_side(folder: Path) -> Bundle:
    return load_bundle(folder)


@pytest.fixture(scope="module", params=["onnx", "openvino"])
def runtime(request: pytest.FixtureRequest) -> str:
    if request.param == "openvino":
        pytest.importorskip("openvino")
    return str(request.param)


@pytest.fixture(scope="module")
def onnx_side(folder: Path, runtime: str) -> tuple:
    return onnx_backend.load(folder, runtime=runtime, threads=1)


@pytest.fixture(scope="module")
def faces() -> np.ndarray:
    return np.stack([draw_face(seed, 96).image for seed in range(FACES)])


def test_the_config_names_the_files(folder: Path) -> None:
    config = read_config(folder)
    check_files(folder, config)
    assert config.components["detector"].onnx.file == "detector.onnx"
    assert config.onnx.file == "crop_to_face.onnx"


def test_segmenter_agrees(torch_side: Bundle, onnx_side: tuple, faces: np.ndarray) -> None:
    ours, theirs = torch_side.segmenter.segment(faces), onnx_side[1].segment(faces)
    assert ours.probability.std() > 0.01
    assert np.abs(ours.probability - theirs.probability).max() <= 1e-3
    assert np.abs(ours.points - theirs.points).max() <= 1e-3 * faces.shape[1]
    assert np.abs(ours.presence - theirs.presence).max() <= 1e-3
    assert ours.presence.std() > 1e-3
    assert onnx_side[1].config.dilation == torch_side.segmenter.config.dilation
    assert onnx_side[1].segment(faces[:0]).points.shape == (0, 5, 2)
    with pytest.raises(ValueError, match="expected uint8"):
        onnx_side[1].segment(faces.astype(float))


def test_enlarger_agrees(torch_side: Bundle, onnx_side: tuple, faces: np.ndarray) -> None:
    crops = np.stack([draw_face(seed, 128).image for seed in range(3)])
    answers, holes = crops[:, ::2, ::2], np.zeros(crops.shape[:3], bool)
    holes[:, 60:] = True
    ours = torch_side.enlarger.eval().enlarge(answers, crops, holes)
    assert np.abs(ours.astype(int) - crops)[holes].mean() > 1
    theirs = onnx_side[3].enlarge(answers, crops, holes)
    assert np.abs(ours.astype(int) - theirs).max() <= 1


def test_generator_agrees(torch_side: Bundle, onnx_side: tuple, faces: np.ndarray) -> None:
    small = faces[:, 16:80, 16:80]
    holes = np.zeros(small.shape[:3], bool)
    holes[:, 30:] = True
    painter = onnx_side[2]
    raw = []
    for n in range(FACES):
        image = (small[n : n + 1].transpose(0, 3, 1, 2) / np.float32(127.5) - 1).astype(np.float32)
        hole = holes[n : n + 1, None].astype(np.float32)
        image = image * (1 - hole)
        (found,) = painter.session.run(["face"], {"image": image, "mask": hole})
        with torch.no_grad():
            wanted = torch_side.generator(torch.from_numpy(image), torch.from_numpy(hole))
        raw.append(np.abs(found - wanted.numpy()).max())
    assert max(raw) <= 1e-3
    ours, theirs = torch_side.generator.fill(small, holes), painter.fill(small, holes)
    assert np.abs(ours.astype(int) - theirs.astype(int)).max() <= 1
    with pytest.raises(ValueError, match="expected crops"):
        painter.fill(faces, holes)


def test_detector_agrees(torch_side: Bundle, onnx_side: tuple, faces: np.ndarray) -> None:
    crowd = np.concatenate([np.concatenate(list(row), 1) for row in faces.reshape(4, 5, 96, 96, 3)])
    seen = 0
    for image in [*faces, crowd]:
        for single in (True, False) if image is crowd else (True,):
            (ours,) = torch_side.detector.detect([image], one_label_per_face=single)
            (theirs,) = onnx_side[0].detect([image], one_label_per_face=single)
            assert len(ours) == len(theirs)
            seen += len(ours)
            ours_at, theirs_at = _ordered(ours), _ordered(theirs)
            assert np.abs(ours.scores[ours_at] - theirs.scores[theirs_at]).max(initial=0) <= 1e-3
            gap = np.abs(ours.boxes[ours_at] - theirs.boxes[theirs_at]).max(initial=0)
            assert gap <= 1e-3 * max(image.shape)
            assert [ours.labels[i] for i in ours_at] == [theirs.labels[i] for i in theirs_at]
    assert seen >= FACES
    with pytest.raises(ValueError, match="expected uint8"):
        onnx_side[0].detect([faces[0].astype(float)])


def _ordered(found) -> list[int]:
    """Near-equal scores may change places: order by label and box."""
    keys = [
        (label, *np.round(box, 1)) for label, box in zip(found.labels, found.boxes, strict=True)
    ]
    return sorted(range(len(keys)), key=keys.__getitem__)


def test_one_file_from_crop_to_face(folder: Path, torch_side: Bundle, faces: np.ndarray) -> None:
    from uncover.onnx.graphs import CropToFace

    session = onnxruntime.InferenceSession(
        (folder / "crop_to_face.onnx").read_bytes(), providers=["CPUExecutionProvider"]
    )
    crops = np.ascontiguousarray(faces[:, 16:80, 16:80])
    painted, holes = session.run(["faces", "masks"], {"crops": crops})
    with torch.no_grad():
        module = CropToFace(torch_side.segmenter, torch_side.generator)
        wanted, wanted_holes = module(torch.from_numpy(crops))
    assert 0.01 < holes.mean() < 0.99
    assert (holes != wanted_holes.numpy()).mean() < 1e-3
    same = holes == wanted_holes.numpy()
    gaps = np.abs(painted.astype(int) - wanted.numpy().astype(int)).max(-1)
    assert gaps[same].max() <= 1
    assert np.array_equal(painted[~holes], crops[~holes])


def test_altered_or_missing_files_are_refused(folder: Path, tmp_path: Path) -> None:
    for path in folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    path = tmp_path / "detector.onnx"
    path.write_bytes(path.read_bytes()[:-1] + b"\x07")
    with pytest.raises(WeightsError, match="onnx was altered"):
        onnx_backend.load(tmp_path)
    path.unlink()
    with pytest.raises(WeightsError, match="onnx is missing"):
        onnx_backend.load(tmp_path)
    painter = load_bundle(folder).generator
    save_component(tmp_path, "generator", painter, painter.config)
    with pytest.raises(WeightsError, match=r"uncover export onnx|is missing"):
        onnx_backend.load(tmp_path)


def test_an_export_that_disagrees_is_not_written(folder: Path, tmp_path: Path, monkeypatch) -> None:
    from uncover.onnx import exporting as onnx_export

    monkeypatch.setattr(onnx_export, "difference", lambda *_: 0.01)
    with pytest.raises(WeightsError, match=r"differs from PyTorch by .*: not written"):
        onnx_export.export(folder, tmp_path / "out")
    assert not (tmp_path / "out").exists()


WITHOUT_TORCH = """
import sys

class NoTorch:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("torch", "torchvision", "safetensors"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, NoTorch())
from uncover.commands.photos import main

status = main(sys.argv[1:])
assert not any(name.partition(".")[0] == "torch" for name in sys.modules)
sys.exit(status)
"""


def test_photos_are_filled_without_torch(
    folder: Path, tmp_path: Path, onnx_side: tuple, runtime: str
) -> None:
    from PIL import Image

    image, hole = draw_face(5, 128).image, np.zeros((128, 128), np.uint8)
    hole[60:110, 30:98] = 255
    paths = [tmp_path / f"{name}.png" for name in ("in", "hole", "out")]
    Image.fromarray(image).save(paths[0])
    Image.fromarray(hole).save(paths[1])
    command = [sys.executable, "-c", WITHOUT_TORCH, str(paths[0]), "--mask", str(paths[1])]
    command += ["-o", str(paths[2]), "--backend", runtime, "--weights", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    found = np.asarray(Image.open(paths[2]))
    *networks, enlarger = onnx_side
    wanted = np.asarray(Uncoverer(*networks, enlarger=enlarger).fill(image, hole > 0).image)
    assert np.array_equal(found, wanted)
    assert np.array_equal(found[hole == 0], image[hole == 0])
    onnx = Uncoverer.from_pretrained(str(folder), backend=runtime)
    assert isinstance(onnx.detector, onnx_backend.OnnxDetector)
    with pytest.raises(UncoverError, match="runs on the CPU"):
        Uncoverer.from_pretrained(str(folder), backend=runtime, device="cuda")
    with pytest.raises(UncoverError, match="backend must be torch, onnx or openvino"):
        Uncoverer.from_pretrained(str(folder), backend="tflite")


def test_a_look_is_a_third_input_and_zeros_leave_it_to_the_network(tmp_path: Path) -> None:
    from uncover.faces import asked_look
    from uncover.onnx.exporting import _hidden, _write
    from uncover.onnx.graphs import ToldGraph

    torch.manual_seed(4)
    config = GeneratorConfig(
        64,
        widths=(8, 16),
        blocks=(1, 1),
        detail_width=4,
        latent=2,
        look=True,
        coarse_widths=(8, 12),
        coarse_blocks=(1, 1),
        coarse_heads=2,
    )
    network = Generator(config).eval()
    torch.nn.init.normal_(network.coarse.to_rgb.weight, std=0.1)
    torch.nn.init.normal_(network.coarse.look.out.weight, std=0.3)
    crops = np.stack([draw_face(seed, 64).image for seed in range(2)])
    holes = np.zeros((2, 64, 64), bool)
    holes[:, 36:60, 12:52] = True
    look = torch.from_numpy(asked_look({"open": 0.2}, 2, 2))
    example = (*_hidden(torch.from_numpy(crops)), look)
    _write(
        ToldGraph(network).eval(), example, ["image", "mask", "look"], ["face"], tmp_path / "g.onnx"
    )
    session = onnx_backend.open_session((tmp_path / "g.onnx").read_bytes(), "g.onnx", 1)
    twin = onnx_backend.OnnxGenerator(session, onnx_backend.PainterSettings(64, True, 2))
    for asked in (None, {"smile": 1.0}, {"smile": 0.0, "beard": 1.0}):
        ours, theirs = (each.fill(crops, holes, asked).astype(int) for each in (network, twin))
        assert np.abs(ours - theirs).max() <= 1
    assert np.abs(twin.fill(crops, holes) - twin.fill(crops, holes, {"smile": 1.0})).max() > 1
    plain = onnx_backend.OnnxGenerator(session, onnx_backend.PainterSettings(64))
    with pytest.raises(ValueError, match="cannot be told"):
        plain.fill(crops, holes, {"smile": 1.0})
