"""Labels, cards and the choice of weights, as the page shows them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from page.show.annotate import caption, draw_faces, face_pair, zoom_rect
from page.show.card import read_card
from page.show.card_page import results_html
from page.show.corner_label import with_corner_label
from page.tryon.tryon import _ssim_map, compare, in_words, make_style, put_on, take_off
from page.visit import chosen as choosing
from tests.browser import stand_ins
from uncover.errors import UncoverError, WeightsError
from uncover.images import read_image
from uncover.results import Face
from uncover.weights.config import WeightsConfig, write_config

ROOT = Path(__file__).parents[1]
FACE = Face((10.0, 20.0, 60.0, 90.0), "with_mask", 0.98, (200, 300))


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "Face 1: mask, 98 % sure"),
        ({"reason": "bare"}, "Face 1: mask, 98 % sure; left alone: no mask on it"),
    ],
)
def test_caption(changes: dict[str, str], expected: str) -> None:
    face = Face(FACE.box, FACE.label, FACE.score, FACE.size, **changes)
    assert caption(face, 1).replace("98%", "98 %") == expected


def test_boxes_are_drawn_and_shrunk() -> None:
    photo = np.full((200, 300, 3), 90, np.uint8)
    drawn = draw_faces(photo, [FACE])
    assert drawn.shape == photo.shape
    assert (drawn != photo).any()
    assert draw_faces(photo, [FACE], longest=150).shape == (100, 150, 3)
    assert (photo == 90).all()


@pytest.mark.parametrize(
    ("box", "shape"),
    [((0, 0, 10, 10), (20, 400)), ((390, 5, 420, 60), (70, 400)), (FACE.box, (200, 300))],
)
def test_zoom_stays_inside(box, shape) -> None:
    x0, y0, x1, y1 = zoom_rect(box, shape)
    assert 0 <= x0 < x1 <= shape[1]
    assert 0 <= y0 < y1 <= shape[0]


def test_pair_shows_both() -> None:
    before, after = np.zeros((200, 300, 3), np.uint8), np.full((200, 300, 3), 200, np.uint8)
    pair = face_pair(before, after, FACE, side=80)
    assert pair[:, :40].max() == 0
    assert pair[:, -40:].min() == 200


@pytest.mark.parametrize(
    ("mode", "expected"),
    [("RGB", "RGB"), ("L", "RGB"), ("RGBA", "RGBA"), ("P", "RGB"), ("CMYK", "RGB")],
)
def test_corner_label(mode: str, expected: str) -> None:
    image = Image.new("RGB", (640, 480), (90, 120, 150)).convert(mode)
    labelled = with_corner_label(image)
    assert labelled.mode == expected
    assert labelled.size == image.size
    corner = np.asarray(labelled.convert("L"))[-10:, -30:]
    assert corner.min() < 60
    plain = np.asarray(image.convert("RGB"))[:400]
    assert np.array_equal(np.asarray(labelled.convert("RGB"))[:400], plain)


def test_mask_on_and_off_on_a_real_face() -> None:
    photo = read_image(stand_ins.ASTRONAUT)
    masked = put_on(photo, make_style("surgical", "rgba(40, 90, 200, 1)", 0.3))
    assert np.array_equal(masked.bare, photo.rgb)
    assert masked.covered.sum() > 2000
    guess = take_off(stand_ins.uncoverer(), masked)
    assert 0 <= guess.scores.ssim_hole < guess.scores.ssim < 1
    assert guess.scores.lpips_hole is None or guess.scores.lpips_hole > 0
    assert "SSIM" in in_words(guess)
    changed = (guess.result.pixels != masked.masked).any(-1)
    assert (changed & masked.covered).any()


def test_identical_faces_score_as_identical() -> None:
    photo = read_image(stand_ins.ASTRONAUT)
    masked = put_on(photo, make_style("cloth", "#cc3333", 0.5))
    scores = compare(photo.rgb, photo.rgb, masked.covered, masked.crop)
    assert scores.ssim_hole == pytest.approx(1, abs=1e-5)
    assert scores.lpips is None or scores.lpips == pytest.approx(0, abs=1e-6)


def test_ssim_equals_scikit_image() -> None:
    reference = pytest.importorskip("skimage.metrics").structural_similarity
    rng = np.random.default_rng(0)
    truth = read_image(stand_ins.ASTRONAUT).rgb[:256, 100:356]
    noisy = np.clip(truth + rng.normal(0, 20, truth.shape), 0, 255).astype(np.uint8)
    options = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
    _, wanted = reference(
        truth / 255, noisy / 255, data_range=1.0, channel_axis=-1, full=True, **options
    )
    found = _ssim_map(truth, noisy)
    assert np.abs(found - wanted.mean(-1))[8:-8, 8:-8].max() < 1e-3


@pytest.mark.parametrize(
    "style", [("top hat", "#ffffff", 0.5), ("cloth", "reddish", 0.5), ("cloth", "#ffffff", 7.0)]
)
def test_impossible_masks_are_refused(style) -> None:
    with pytest.raises(UncoverError, match="cannot be drawn"):
        make_style(*style)


def _entry(n: int, lpips: float | None, **fixed: str) -> dict[str, object]:
    """A slice of results.json; lpips None: no photos."""
    low, high = (None, None) if lpips is None else (lpips - 0.002, lpips + 0.002)
    names = {"ethnicity": "all", "pose": "all"} | fixed
    measured = {"lpips": {"value": lpips, "low": low, "high": high}}
    return {"slice": names, "n": n, "metrics": measured}


SLICES = [
    _entry(300, 0.066),
    _entry(150, 0.071, ethnicity="asian"),
    _entry(150, 0.061, ethnicity="white"),
    _entry(0, None, pose="60+"),
    _entry(120, 0.07, ethnicity="asian", pose="0-15"),
    _entry(12, 0.05, ethnicity="white", pose="0-15"),
]


def _weights(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    write_config(folder, WeightsConfig(results={"data": "some faces"}))
    return folder


def test_results_are_read_from_the_file_beside_the_weights(tmp_path: Path) -> None:
    folder = _weights(tmp_path)
    (folder / "README.md").write_text("---\nlicense: x\n---\n# Card\n\n| slice | n | LPIPS |\n")
    model = {"weights_sha256": read_card(folder).fingerprint, "slices": SLICES}
    written = {"data": {"name": "some faces"}, "models": {"m": model}}
    (folder / "results.json").write_text(json.dumps(written))
    card = read_card(folder)
    assert card.text.startswith("# Card")
    assert len(card.slices) == 6
    assert card.slices[1].fixed == {"ethnicity": "asian"}
    assert card.slices[1].metrics["lpips"].high == pytest.approx(0.073)
    assert card.slices[3].metrics["lpips"].value is None
    html = results_html(card)
    for text in ("some faces", "asian", "do not overlap", "not tested", "n = 12", "0.071"):
        assert text in html, text


def test_results_of_other_weights_are_not_shown(tmp_path: Path) -> None:
    folder = _weights(tmp_path)
    entry = {"slice": {"ethnicity": "all"}, "n": 7, "metrics": {"lpips": {"value": 0.5}}}
    results = {
        "data": {"name": "x"},
        "models": {"m": {"weights_sha256": "0" * 64, "slices": [entry]}},
    }
    (folder / "results.json").write_text(json.dumps(results))
    assert read_card(folder).slices == ()
    results["models"]["m"]["weights_sha256"] = read_card(folder).fingerprint
    (folder / "results.json").write_text(json.dumps(results))
    assert read_card(folder).slices[0].metrics["lpips"].value == 0.5


def test_no_results_are_said_so(tmp_path: Path) -> None:
    assert "No benchmark results" in results_html(read_card(_weights(tmp_path)))


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, (None, None)),
        ({"UNCOVER_WEIGHTS": " "}, (None, None)),
        ({"UNCOVER_WEIGHTS": "a/b"}, ("a/b", None)),
        ({"UNCOVER_WEIGHTS": "a/b@v1"}, ("a/b", "v1")),
        ({"UNCOVER_WEIGHTS": "a/b@v1", "UNCOVER_REVISION": "v2"}, ("a/b", "v2")),
    ],
)
def test_wanted_weights(
    environment: dict[str, str], expected: tuple[str | None, str | None]
) -> None:
    assert choosing.wanted(environment) == expected


def test_unreachable_weights_fall_back_with_a_banner(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded: list[str] = []

    def load(source: str, **options: object) -> str:
        loaded.append(source)
        return "networks"

    def unreachable(source: str, revision: str | None) -> Path:
        raise WeightsError("the Hub cannot be reached")

    monkeypatch.setattr(choosing.Uncoverer, "from_pretrained", staticmethod(load))
    monkeypatch.setattr(choosing, "resolve", unreachable)
    chosen = choosing.choose("user/repo", "v1", embedded=tmp_path)
    assert loaded == [str(tmp_path)]
    assert "user/repo@v1" in str(chosen.banner)
    assert "cannot be reached" in str(chosen.banner)
    assert choosing.choose(None, embedded=tmp_path).banner is None


def test_large_blocks_go_back_to_the_system() -> None:
    code = (
        "import numpy as np; from page.visit.memory import return_large_blocks as f; print(f());"
        "a = [np.ones(3_000_000, np.uint8) for _ in range(100)];"
        "rss = lambda: int(open('/proc/self/statm').read().split()[1]) * 4096 / 2**20;"
        "full = rss(); del a[::2]; print(full - rss())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    supported, freed = done.stdout.split()
    if supported == "False":
        pytest.skip("another C library")
    assert float(freed) > 120
