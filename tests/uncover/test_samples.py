"""Several answers to one masked face: the generator's, the pipeline's, the command's."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from tests.uncover.cli_scene import BOX, SCENE, names
from tests.uncover.fake_networks import make
from tests.uncover.networks.test_generator import SMALL
from tests.uncover.small_generator import small_generator
from uncover.commands.photos import FAILED, OK, USAGE, main
from uncover.errors import UncoverError
from uncover.faces import asked_look
from uncover.networks.generator import Generator
from uncover.results import sample_paths


@pytest.fixture
def generator() -> Generator:
    return small_generator()


def test_the_first_sample_is_the_fill_and_the_others_differ(generator: Generator) -> None:
    rng = np.random.default_rng(0)
    crops = rng.integers(0, 256, (2, 64, 64, 3), dtype=np.uint8)
    holes = np.zeros((2, 64, 64), bool)
    holes[:, 30:55, 15:50] = True
    samples = generator.sample(crops, holes, 6)
    assert samples.shape == (6, 2, 64, 64, 3)
    assert samples.dtype == np.uint8
    np.testing.assert_array_equal(samples[0], generator.fill(crops, holes))
    np.testing.assert_array_equal(samples, generator.sample(crops, holes, 6))
    assert not np.array_equal(samples, generator.sample(crops, holes, 6, seed=1))
    apart = [np.abs(samples[i].astype(int) - samples[j]).mean() for i in range(6) for j in range(i)]
    assert min(apart) > 0.05
    np.testing.assert_array_equal(generator.sample(crops, holes, 1)[0], samples[0])


def test_samples_share_the_coarse_stage(
    generator: Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []
    encode = generator.coarse.encode
    monkeypatch.setattr(generator.coarse, "encode", lambda *crop: seen.append(1) or encode(*crop))
    generator.sample(np.zeros((1, 64, 64, 3), np.uint8), np.ones((1, 64, 64), bool), 4)
    assert len(seen) == 2  # the best guess, and all others


def test_several_latents_at_once_are_each_at_a_time(generator: Generator) -> None:
    image, mask, z = torch.rand(2, 3, 64, 64), torch.zeros(2, 1, 64, 64), torch.randn(3, 2, 4)
    asked = torch.from_numpy(asked_look({"smile": 0.5, "open": 0.2}, 2, 4))
    with torch.inference_mode():
        together = generator(image, mask, z, asked)
        alone = torch.cat([generator(image, mask, each[None], asked) for each in z])
    torch.testing.assert_close(together, alone, atol=1e-5, rtol=1e-5)


def test_a_network_without_latent_has_one_answer() -> None:
    crop, hole = np.zeros((1, 64, 64, 3), np.uint8), np.ones((1, 64, 64), bool)
    network = Generator(replace(SMALL, latent=0)).eval()
    assert not network.varied
    assert network.sample(crop, hole, 1).shape == (1, 1, 64, 64, 3)
    with pytest.raises(ValueError, match="one answer"):
        network.sample(crop, hole, 2)


@pytest.mark.parametrize("blend", ["feather", "poisson"])
def test_all_samples_leave_the_rest_of_the_photo_alone(blend: str) -> None:
    result = make([BOX])(SCENE, samples=3, blend=blend)
    mask = result.faces[0].mask
    pictures = [np.asarray(image) for image in result.images]
    assert len(pictures) == 3
    np.testing.assert_array_equal(pictures[0], np.asarray(make([BOX])(SCENE, blend=blend).image))
    for picture in pictures:
        np.testing.assert_array_equal(picture[~mask], SCENE[~mask])
    spread = result.uncertainty
    assert spread.dtype == np.float32
    assert spread.shape == mask.shape
    assert not spread[~mask].any()
    expected = np.stack(pictures).astype(np.float64).std(0).mean(-1)
    np.testing.assert_allclose(spread, expected, atol=1e-3)


def test_one_sample_is_certain_of_everything() -> None:
    result = make([BOX])(SCENE)
    assert result.images == [result.image]
    assert not result.uncertainty.any()


def test_samples_come_from_a_mask_given_by_hand_too() -> None:
    mask = np.zeros(SCENE.shape[:2], bool)
    mask[90:120, 80:120] = True
    result = make([BOX]).fill(SCENE, mask, samples=2)
    assert len(result.images) == 2


def test_weights_with_one_answer_say_so() -> None:
    uncoverer = make([BOX])
    uncoverer.generator.varied = False
    with pytest.raises(UncoverError, match="one answer to a face"):
        uncoverer(SCENE, samples=2)
    with pytest.raises(UncoverError, match=r"samples must lie in 1\.\.16"):
        uncoverer(SCENE, samples=17)


@pytest.mark.usefixtures("asked")
def test_the_command_writes_every_sample(photo: Path) -> None:
    out = photo.parent / "out"
    assert main([str(photo), "--samples", "3", "-o", str(out / "face.png")]) == OK
    assert names(out) == [path.name for path in sorted(sample_paths("face.png", 3))]
    written = [np.asarray(Image.open(out / f"face{end}.png")) for end in ("", "_sample2")]
    assert not np.array_equal(*written)
    assert Image.open(out / "face_uncertainty.png").mode == "L"
    assert "generated" in str(Image.open(out / "face_sample3.png").info)


@pytest.mark.usefixtures("asked")
def test_samples_overwrite_nothing(photo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    photo.with_name("photo_sample2.png").write_bytes(photo.read_bytes())
    out = photo.parent / "out"
    assert main([str(photo.parent), "--samples", "2", "-o", str(out)]) == FAILED
    assert "would overwrite" in capsys.readouterr().err
    assert (out / "photo_sample2.png").exists()


@pytest.mark.usefixtures("asked")
@pytest.mark.parametrize("count", ["0", "17", "two", "-1"])
def test_impossible_counts_are_refused(photo: Path, count: str) -> None:
    assert main([str(photo), f"--samples={count}"]) == USAGE


def test_other_answers_share_the_encoder(monkeypatch: pytest.MonkeyPatch) -> None:
    network = Generator(replace(SMALL, look=True, guided=False)).eval()
    seen = []
    encode = network.coarse.encode
    monkeypatch.setattr(
        network.coarse, "encode", lambda *crop: seen.append(len(crop[0])) or encode(*crop)
    )
    crops, holes = np.zeros((1, 64, 64, 3), np.uint8), np.ones((1, 64, 64), bool)
    assert network.sample(crops, holes, 4).shape == (4, 1, 64, 64, 3)
    assert seen == [1, 1]  # the best guess, and all others
