"""The speed benchmark says what was measured, in the right places; no time is held to anything."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from benchmark.__main__ import main
from benchmark.speed import FFC, ORIGINAL, OURS, clock, command, networks, report, stages, worker
from benchmark.speed.ffc import FfcConfig, FfcInpainter
from benchmark.speed.scenes import Scene, draw_scene
from tests.uncover.fake_networks import draw_scene as draw_fake_scene
from tests.uncover.fake_networks import make
from uncover.errors import UncoverError
from uncover.networks.detector import DetectorConfig, MaskDetector
from uncover.networks.generator import Generator, GeneratorConfig
from uncover.networks.segmenter import MaskSegmenter, SegmenterConfig
from uncover.weights.components import save_component

BOXES = [(10, 20, 90, 125), (110, 20, 190, 125)]
SMALL = Scene("2 faces, 400x300", 400, 300, 2, 160)


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Small networks of the real classes."""
    folder = tmp_path_factory.mktemp("speed") / "w"
    torch.manual_seed(0)
    painter = GeneratorConfig(
        64, (8, 16), (1, 1), detail_width=4, coarse_widths=(8, 12), coarse_blocks=(1, 1)
    )
    seer = SegmenterConfig(resolution=64, widths=(8, 16), detail_width=4)
    finder = DetectorConfig(pyramid_channels=8, head_channels=8, shorter_side=96, longer_side=128)
    save_component(folder, "generator", Generator(painter), painter)
    save_component(folder, "segmenter", MaskSegmenter(seer), seer)
    save_component(folder, "detector", MaskDetector(finder), finder)
    return folder


@pytest.fixture(scope="module")
def photo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("photo") / "scene.png"
    Image.fromarray(draw_fake_scene(BOXES)).save(path)
    return path


def test_scenes_are_the_same_everywhere_and_show_faces() -> None:
    photo = draw_scene(SMALL)
    assert photo.shape == (300, 400, 3)
    assert photo.dtype == np.uint8
    np.testing.assert_array_equal(photo, draw_scene(SMALL))
    from uncover.faces.landmarks import find_all_landmarks

    bare = draw_scene(Scene("none", 400, 300, 0, 160))
    assert find_all_landmarks(bare) == []
    assert np.abs(photo.astype(int) - bare).max() > 60


def test_every_stage_is_measured(photo: Path) -> None:
    found = stages.measure(make(BOXES), photo, runs=2, warmup=1)
    assert found["faces"] == 2
    assert set(found["stages"]) == {*stages.STAGES, stages.WHOLE}
    for values in found["stages"].values():
        assert values["runs"] == 2
        assert 0 < values["median_ms"] <= values["p95_ms"]
        assert values["peak_mb"] > 1
    whole = found["stages"][stages.WHOLE]["p95_ms"]
    assert all(found["stages"][name]["median_ms"] < whole for name in stages.STAGES)


def test_watching_changes_nothing(photo: Path) -> None:
    from contextlib import nullcontext

    watched = stages.staged(make(BOXES), lambda stage: nullcontext())
    np.testing.assert_array_equal(watched(photo).pixels, make(BOXES)(photo).pixels)


def test_the_ffc_network_has_the_papers_size() -> None:
    with torch.device("meta"):
        parameters = sum(p.numel() for p in FfcInpainter().parameters())
    assert 26.5e6 < parameters < 27.5e6


def test_the_ffc_network_sees_the_whole_crop() -> None:
    torch.manual_seed(0)
    network = FfcInpainter(FfcConfig(64, width=8, downs=2, blocks=1)).eval()
    image = torch.rand(1, 3, 64, 64, requires_grad=True)
    out = network(image, torch.zeros(1, 1, 64, 64))
    assert out.shape == (1, 3, 64, 64)
    out[0, :, 2, 2].sum().backward()
    assert image.grad is not None
    assert (image.grad[0, :, -2:, -2:].abs() > 0).any()
    with pytest.raises(ValueError, match="multiple"):
        FfcConfig(100)


def test_operations_are_counted_as_by_hand() -> None:
    config = FfcConfig(32, width=4, downs=1, blocks=1, share=0.5)
    with torch.no_grad():
        facts = networks.describe({FFC: FfcInpainter(config).eval()})[FFC]
    pixels = 32 * 32
    enter, leave = 4 * 4 * 49, 4 * 3 * 49
    down = 2 * 4 * 4 * 9  # two branches of 4 channels, at a quarter of the pixels
    block = 2 * (4 * 4 * 9 * 3 + 4 * 2 + 2 * 4)
    spectrum = 2 * (4 * 4)  # on 16 x 9 complex values
    up = 8 * 4 * 9
    expected = pixels * (enter + leave) + pixels // 4 * (down + block + up) + 16 * 9 * spectrum
    assert facts["flops"] == 2 * expected


def test_the_stages_operations_come_from_their_networks(weights: Path, photo: Path) -> None:
    answer = worker.flops({"threads": 1, "weights": str(weights), "photo": str(photo)})
    assert answer["flops"]["detect"] > 1e6
    assert set(answer["flops"]) <= set(stages.STAGES)


@pytest.mark.parametrize("backend", ["eager", "onnx"])
def test_generators_are_compared(weights: Path, backend: str) -> None:
    if backend == "onnx":
        pytest.importorskip("onnxruntime")
        pytest.importorskip("onnx")
    ask = {"backend": backend, "threads": 1, "weights": str(weights), "runs": 2, "warmup": 0}
    answer = worker.networks(ask)
    expected = {OURS, ORIGINAL, FFC} if backend == "eager" else {OURS, ORIGINAL}
    assert set(answer["times"]) == expected
    assert all(times["runs"] == 2 for times in answer["times"].values())
    assert set(answer["facts"]) == (expected if backend == "eager" else set())


def run(monkeypatch: pytest.MonkeyPatch, words: list[str]) -> int:
    """The command, with the workers' tasks done in this process."""

    def answer(ask: dict[str, object]) -> dict[str, object]:
        times = {"median_ms": 1500.0, "p95_ms": 1600.0, "runs": 1}
        if ask["task"] == "cold":
            return {"command": times, "import": times}
        return json.loads(json.dumps(worker.TASKS[str(ask["task"])](ask)))

    monkeypatch.setattr(command, "_answer", answer)
    return main(["speed", *words])


def test_a_run_writes_its_table_and_figures(
    weights: Path, photo: Path, tmp_path: Path, monkeypatch, capsys
) -> None:
    page = tmp_path / "README.md"
    page.write_text(f"# x\n{report.START}\nstale\n{report.END}\nend\n")
    assert clock.matmul_gflops(runs=2, side=64) > 0
    monkeypatch.setattr(clock, "matmul_gflops", lambda: 100.0)
    words = ["--weights", str(weights), "--photo", str(photo), "--backend", "eager", "--runs", "2"]
    words += [
        "--threads",
        "1",
        "--warmup",
        "0",
        "--folder",
        "3",
        "--out",
        str(tmp_path / "out"),
        "--quiet",
    ]
    assert run(monkeypatch, [*words, "--write-table", str(page)]) == 0
    results = json.loads((tmp_path / "out" / "speed.json").read_text())
    assert results["matmul_gflops"]["1"] == 100
    (row,) = results["scenes"][photo.name]["rows"]
    assert (row["backend"], row["threads"]) == ("eager", 1)
    assert row["stages"]["whole"]["runs"] == 2
    assert {r["network"] for r in results["networks"]["times"]} == {OURS, ORIGINAL, FFC}
    assert results["folder"][0]["photos"] == 3
    assert results["folder"][0]["each_ms"] > 0
    assert results["failures"] == []
    text = page.read_text()
    assert text.startswith("# x\n")
    assert text.endswith("end\n")
    assert "stale" not in text
    assert "| eager | 1.5 s | 1.6 s | 1500 ms |" in text
    assert "×1.0" in capsys.readouterr().out
    assert "stage by stage" in (tmp_path / "out" / "speed.md").read_text()


def test_ratios_are_to_the_slowest() -> None:
    rows = [{"stages": {"fill": {"median_ms": t}}} for t in (10.0, 40.0)] + [{"stages": {}}]
    assert report.ratios(rows, "fill") == [4.0, 1.0, None]


def test_gains_compare_the_same_threads() -> None:
    def row(network: str, backend: str, threads: int, time: float) -> dict[str, object]:
        return {"network": network, "backend": backend, "threads": threads, "median_ms": time}

    times = [row(OURS, "eager", 1, 50.0), row(OURS, "eager", 2, 40.0), row(OURS, "onnx", 2, 20.0),
             row(ORIGINAL, "eager", 2, 200.0), row(ORIGINAL, "onnx", 2, 160.0)]  # fmt: skip
    results = {"networks": {"times": times}}
    assert report.fill_gain(results, ORIGINAL, "eager") == 5.0
    assert report.fill_gain(results, ORIGINAL) == 8.0
    assert report.fill_gain(results, FFC) is None


def test_what_fails_is_named_and_the_rest_is_measured(
    weights: Path, photo: Path, tmp_path: Path, monkeypatch, capsys
) -> None:
    def refuse(ask: dict[str, object]) -> dict[str, object]:
        raise UncoverError("no memory")

    monkeypatch.setitem(worker.TASKS, "matmul", refuse)
    words = ["--weights", str(weights), "--photo", str(photo), "--backend", "eager", "--runs", "2"]
    words += ["--threads", "1", "--no-networks", "--cold", "0", "--folder", "0", "--quiet"]
    words += ["--out", str(tmp_path)]
    assert run(monkeypatch, words) == 1
    assert "matmul, 1 threads is left out: no memory" in capsys.readouterr().err
    assert json.loads((tmp_path / "speed.json").read_text())["scenes"][photo.name]["rows"]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--backend", "abacus"], "choose of eager"),
        (["--threads", "0"], "from 1 on"),
        (["--threads", "many"], "whole numbers"),
        (["--photo", "nowhere.jpg"], "no such file"),
        (["--write-table", "nowhere.md"], "cannot be read"),
    ],
)
def test_wrong_words_are_one_line(words: list[str], says: str, capsys) -> None:
    assert main(["speed", *words]) == 1
    err = capsys.readouterr().err
    assert says in err
    assert err.startswith("error: ")


def test_a_worker_in_its_own_process(weights: Path, photo: Path) -> None:
    ask = {"task": "flops", "threads": 1, "weights": str(weights), "photo": str(photo)}
    assert command._answer(ask)["flops"]["detect"] > 1e6


def test_a_worker_that_cannot_says_why_in_one_line(capsys) -> None:
    ask = {"task": "flops", "threads": 1, "weights": "no such/place/at all", "photo": "x.jpg"}
    assert worker.main([json.dumps(ask)]) == 1
    assert "neither a weights folder" in capsys.readouterr().err
    with pytest.raises(UncoverError, match="no such thing"):
        command._finished([sys.executable, "-c", "import sys; sys.exit('error: no such thing')"])


def test_peaks_can_be_reset() -> None:
    if not clock.reset_peak():
        pytest.skip("this system cannot reset the peak")
    before = clock.peak_mb()
    block = np.ones(300_000_000, np.uint8)
    after = clock.peak_mb()
    assert after - before > 200  # what else the process lets go of meanwhile is less
    del block
    clock.reset_peak()
    assert clock.peak_mb() < after
