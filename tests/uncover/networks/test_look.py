"""How a face shall look: unknown is what was before, and the vector says what it should."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from uncover.faces import PROPERTIES, asked_look, look_size
from uncover.networks import CoarseStage, Generator, GeneratorConfig, look_vector
from uncover.strict import from_dict, to_dict

SIDE = 32


def crop() -> tuple[torch.Tensor, torch.Tensor]:
    torch.manual_seed(0)
    hole = torch.zeros(2, 1, SIDE, SIDE)
    hole[..., 16:28, 8:24] = 1
    return (torch.rand(2, 3, SIDE, SIDE) * 2 - 1) * (1 - hole), hole


def stage(latent: int | None) -> CoarseStage:
    torch.manual_seed(1)
    made = CoarseStage(SIDE, (8, 12), (1, 1), 2, latent).eval()
    torch.manual_seed(2)
    torch.nn.init.normal_(made.to_rgb.weight, std=0.05)
    return made


def test_a_new_look_changes_nothing_until_it_has_learned() -> None:
    plain, told = stage(None), stage(3)
    missing = told.load_state_dict(plain.state_dict(), strict=False).missing_keys
    assert all(key.startswith(("look.", "guess.")) for key in missing)
    known, hole = crop()
    look = look_vector(torch.rand(2, len(PROPERTIES)), torch.randn(2, 3))
    with torch.no_grad():
        assert torch.equal(plain(known, hole)[0], told(known, hole, look)[0])


def test_none_is_every_property_unknown_and_latent_zero() -> None:
    told = stage(3)
    torch.nn.init.normal_(told.look.out.weight, std=0.2)
    known, hole = crop()
    unknown = torch.from_numpy(asked_look({}, 2, 3))
    asked = torch.from_numpy(asked_look({"smile": 0.9}, 2, 3))
    with torch.no_grad():
        best = told(known, hole)[0]
        assert torch.equal(best, told(known, hole, unknown)[0])
        assert not torch.allclose(best, told(known, hole, asked)[0], atol=1e-4)


def test_a_vector_tells_zero_from_unknown() -> None:
    vector = asked_look({"smile": 0.0, "beard": 1.0, "open": None}, 1, 2)
    measured = torch.tensor([[0.0, torch.nan, 1.0]])
    assert torch.equal(torch.from_numpy(vector), look_vector(measured, torch.zeros(1, 2)))
    assert vector.shape == (1, look_size(2))
    assert vector[0].tolist() == [-1, 0, 1, 1, 0, 1, 0, 0]


@pytest.mark.parametrize("look", [False, True])
def test_configs_from_before_still_load(look: bool) -> None:
    config = GeneratorConfig(look=look, latent=4 if look else 0)
    values = to_dict(config)
    assert from_dict(GeneratorConfig, values, "config") == config
    for name in ("look", "coarse_smoothing"):
        del values[name]
    old = from_dict(GeneratorConfig, {**values, "latent": 0}, "config")
    assert (old.look, old.coarse_smoothing) == (False, 0)


@pytest.fixture
def told() -> Generator:
    torch.manual_seed(3)
    config = GeneratorConfig(
        resolution=64,
        widths=(8, 12),
        blocks=(1, 1),
        detail_width=8,
        latent=2,
        look=True,
        coarse_widths=(8, 12),
        coarse_blocks=(1, 1),
        coarse_heads=2,
    )
    made = Generator(config).eval()
    torch.nn.init.normal_(made.coarse.to_rgb.weight, std=0.1)
    torch.nn.init.normal_(made.coarse.look.out.weight, std=0.3)
    return made


CROPS = np.random.default_rng(0).integers(0, 256, (2, 64, 64, 3), np.uint8)
HOLES = np.zeros((2, 64, 64), bool)
HOLES[:, 32:56, 16:48] = True


def test_a_generator_can_be_told_and_none_is_its_own_guess(told: Generator) -> None:
    best = told.fill(CROPS, HOLES)
    nothing = told.fill(CROPS, HOLES, {"smile": None, "open": None})
    np.testing.assert_array_equal(best, nothing)
    assert not np.array_equal(best, told.fill(CROPS, HOLES, {"smile": 1.0}))


def test_samples_keep_what_was_asked_for_and_differ(told: Generator) -> None:
    assert told.varied
    samples = told.sample(CROPS, HOLES, 4, look={"smile": 1.0})
    assert samples.shape == (4, 2, 64, 64, 3)
    np.testing.assert_array_equal(samples[0], told.fill(CROPS, HOLES, {"smile": 1.0}))
    apart = [not np.array_equal(samples[i], samples[j]) for i in range(4) for j in range(i)]
    assert all(apart)


def test_a_generator_without_a_look_says_so() -> None:
    plain = Generator(GeneratorConfig(resolution=64, coarse_widths=(8, 12), coarse_blocks=(1, 1)))
    with pytest.raises(ValueError, match="cannot be told"):
        plain.eval().fill(CROPS, HOLES, {"beard": 0.5})


def test_unknown_names_are_refused(told: Generator) -> None:
    with pytest.raises(ValueError, match="unknown property 'nose'"):
        told.fill(CROPS, HOLES, {"nose": 0.5})
