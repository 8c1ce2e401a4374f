"""Whole runs from the command line on drawn faces."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmark.__main__ import main
from benchmark.numbers import per_photo
from tests.benchmark.labelled_photos import label_rows, write_folder, write_labels
from uncover.errors import UncoverError
from uncover.scores import check_results, read_results

GREY = "python:tests.benchmark.stand_ins:grey"
TINTED = "tinted=python:tests.benchmark.stand_ins:tinted"
FEATURES = "tests.benchmark.stand_ins:colours"
QUICK = ["--size", "96", "--lpips", "none", "--draws", "200", "--quiet", "--workers", "2"]


def arguments(out: Path, cache: Path, *more: str, data: tuple[str, ...] = ("--drawn", "12")):
    return [*data, "--out", str(out), "--cache", str(cache), *QUICK, *more]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A finished run over 12 drawn faces with two models."""
    folder = tmp_path_factory.mktemp("run")
    words = arguments(
        folder / "out", folder / "cache", "--model", TINTED, "--model", f"grey={GREY}",
        "--features", FEATURES, "--floor", "10", "--slices", "ethnicity,pose,mask_type",
    )  # fmt: skip
    assert main(words) == 0
    return folder, words


def without_time(path: Path) -> dict:
    content = json.loads(path.read_text())
    return {k: v for k, v in content.items() if k not in ("created", "command", "git")}


def test_results_have_the_documented_form(run):
    folder, _ = run
    results = read_results(folder / "out" / "results.json")
    assert results["data"]["n"] == 12
    assert results["features"] == FEATURES
    assert list(results["models"]) == ["tinted", "grey"]
    model = results["models"]["tinted"]
    assert model["slices"][0]["slice"] == {"ethnicity": "all", "pose": "all", "mask_type": "all"}
    assert set(model["slices"][0]["metrics"]) == {
        "coverage", "ssim", "ssim_hole", "psnr", "psnr_hole", "sharpness", "edge", "mouth",
        "identity", "c2st", "c2st_structure", "fid", "kid",
    }  # fmt: skip
    singles = [s for s in model["slices"] if s["slice"]["ethnicity"] != "all"]
    assert sum(s["n"] for s in singles if set(s["slice"].values()) - {"all"} and
               list(s["slice"].values()).count("all") == 2) == 12  # fmt: skip
    assert set(model["gaps"]) == {"ethnicity", "pose", "mask_type"}


def test_report_and_pictures(run):
    folder, _ = run
    report = (folder / "out" / "report.md").read_text()
    assert "never an identification" in report
    assert "estimated head pose" in report
    assert f"FID ({FEATURES} features)" in report
    assert "| FID ↓" not in report
    assert "n=0" in report
    for name in ("heat-ssim_hole", "slices-psnr_hole", "best", "worst", "models"):
        picture = np.asarray(Image.open(folder / "out" / f"{name}.png"))
        assert picture.std() > 5, name
    assert not list((folder / "out").glob("gaps-*"))  # no group has ten photos


def test_second_run_is_the_same_to_the_last_digit_and_fills_nothing(run, tmp_path, monkeypatch):
    folder, words = run
    calls = []

    def counted(image, mask):
        calls.append(1)
        return image

    monkeypatch.setattr("benchmark.run.evaluate.paint", counted)
    again = [str(tmp_path) if w == str(folder / "out") else w for w in words]
    assert main([*again, "--batch-size", "5"]) == 0
    assert not calls
    first, second = folder / "out" / "results.json", tmp_path / "results.json"
    assert without_time(first) == without_time(second)


def test_fresh_run_in_other_batches_is_the_same_to_the_last_digit(run, tmp_path):
    folder, words = run
    again = [w.replace(str(folder / "cache"), str(tmp_path / "cache")) for w in words]
    again = [str(tmp_path) if w == str(folder / "out") else w for w in again]
    assert main([*again, "--batch-size", "4", "--workers", "1"]) == 0
    a, b = (without_time(f / "results.json") for f in (folder / "out", tmp_path))
    assert a == b


def test_per_photo_values_are_those_of_the_results(run):
    folder, _ = run
    values = per_photo.read(folder / "out")
    results = read_results(folder / "out" / "results.json")
    entry = results["models"]["grey"]["slices"][0]["metrics"]["ssim_hole"]
    column = values.values["grey"][:, values.columns.index("ssim_hole")]
    assert entry["value"] == pytest.approx(column.mean(), abs=1e-12)


def test_compare(run, capsys):
    folder, _ = run
    path = str(folder / "out" / "results.json")
    assert main(["compare", path, path, "--draws", "200"]) == 0
    text = capsys.readouterr().out
    assert "tinted (out) is A, grey (out) is B" in text
    assert "A better on" in text
    assert main(["compare", path, path, "--model-b", "absent"]) == 1
    assert "has no model absent; it has: tinted, grey" in capsys.readouterr().err


def test_compare_needs_the_same_holes(run, tmp_path, capsys):
    folder, _ = run
    words = arguments(tmp_path, folder / "cache", "--model", GREY, "--features", "none")
    assert main([*words, "--seed", "3", "--slices", "none"]) == 0
    assert main(["compare", str(folder / "out"), str(tmp_path)]) == 1
    assert "share no photo with the same hole" in capsys.readouterr().err


def test_failing_model_leaves_the_others_results(tmp_path, capsys):
    words = arguments(tmp_path / "o", tmp_path / "c", "--model", GREY, "--features", "none")
    bad = "bad=python:tests.benchmark.stand_ins:not_a_number"
    absent = str(tmp_path / "absent")
    assert main([*words, "--model", bad, "--weights", absent, "--slices", "pose"]) == 1
    error = capsys.readouterr().err
    assert "error: bad has no results: model bad gave NaN" in error
    assert "absent is neither a weights folder nor" in error
    results = read_results(tmp_path / "o" / "results.json")
    assert list(results["models"]) == [GREY.removeprefix("python:")]
    assert set(results["failures"]) == {"bad", absent}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--slices", "age"], "unknown slice age"),
        (["--where", "ethnicity=martian"], "ethnicity has no value martian"),
        (["--where", "pose=>60"], "the slice pose=>60 is empty"),
        (["--baseline", "magic"], "--baseline magic is unknown"),
        (["--features", "resnet"], "--features resnet is unknown"),
        (["--lpips", "resnet"], "--lpips resnet is unknown"),
        (["--model", GREY], "two models are called"),
        (["--size", "1024"], "--size must lie in 64..512"),
        (["--floor", "5"], "--floor must lie in 10..1000000"),
        (["--write-card", "absent.md"], "absent.md does not exist"),
        (["--rendered", "absent"], "absent is no rendered set"),
        (["--split", "test"], ""),
    ],
)
def test_faulty_options_give_one_line(tmp_path, capsys, words, message):
    out = tmp_path / "out"
    few = ("--drawn", "3")
    given = arguments(
        out, tmp_path / "cache", "--model", GREY, "--features", "none", *words, data=few
    )
    status = main(given)
    if not message:
        assert status == 0
        return
    assert status == 1
    lines = capsys.readouterr().err.strip().splitlines()
    assert lines[-1].startswith("error: ")
    assert message in lines[-1]
    assert not (out / "results.json").exists()


def test_labelled_photos_with_train_split_and_rendered_set(tmp_path, capsys):
    folder = write_folder(tmp_path / "photos", 5, train=8)
    data = ("--data", str(folder))
    common = ["--features", "none", "--slices", "ethnicity,gender"]
    png = str(tmp_path / "png")
    words = arguments(tmp_path / "a", tmp_path / "c", "--baseline", "telea,mean-face,pca",
                      *common, "--save-rendered", png, data=data)  # fmt: skip
    assert main(words) == 0
    again = arguments(tmp_path / "b", tmp_path / "c", "--baseline", "telea,mean-face,pca",
                      *common, "--rendered", png, data=data)  # fmt: skip
    assert main(again) == 0
    assert without_time(tmp_path / "a" / "results.json") == without_time(
        tmp_path / "b" / "results.json"
    )
    rows = label_rows(5)
    rows[2]["path"] = "test/gone.png"
    write_labels(folder / "labels.csv", rows)
    assert main(words) == 1
    assert "labels.csv names test/gone.png" in capsys.readouterr().err


def test_missing_seed_weights_say_how_to_get_them(tmp_path, capsys):
    words = arguments(tmp_path, tmp_path / "c", "--baseline", "seed", "--features", "none",
                      "--seed-weights", str(tmp_path / "none"))  # fmt: skip
    assert main(words) == 1
    assert "training.gan --preset seed" in capsys.readouterr().err


def damaged(change) -> dict:
    entry = {"value": 0.5, "low": None, "high": None}
    metrics = {m: dict(entry) for m in ("ssim", "ssim_hole", "psnr_hole")}
    part = {"slice": {"pose": "all"}, "n": 3, "metrics": metrics}
    gap = {"worst": "a", "best": "b", "gap": 0.1, "low": 0.0, "high": 0.2}
    results = {
        "created": "", "git": "", "features": "none",
        "data": {"name": "x", "sha256": "0", "n": 3},
        "models": {"m": {"weights_sha256": None, "slices": [part],
                         "gaps": {"pose": {"ssim": gap}}}},
    }  # fmt: skip
    change(results, results["models"]["m"], part)
    return results


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda r, m, s: r.pop("git"), "results lacks git"),
        (lambda r, m, s: r["data"].pop("n"), "data lacks n"),
        (lambda r, m, s: r.update(models={}), "lists no model"),
        (lambda r, m, s: m.pop("weights_sha256"), "lacks weights_sha256"),
        (lambda r, m, s: s.update(n=4), "n is 4 of 3"),
        (lambda r, m, s: s["metrics"].pop("ssim"), "lacks ssim"),
        (lambda r, m, s: s["metrics"]["ssim"].update(value=float("nan")), "value is nan"),
        (lambda r, m, s: s["metrics"].update(beauty={}), "unknown metric beauty"),
        (lambda r, m, s: m["gaps"]["pose"]["ssim"].pop("worst"), "lacks worst or best"),
    ],
)
def test_schema_names_what_is_wrong(change, message):
    with pytest.raises(UncoverError, match=message):
        check_results(damaged(change))


def test_schema_accepts_the_minimum():
    assert check_results(damaged(lambda r, m, s: None))["data"]["n"] == 3
