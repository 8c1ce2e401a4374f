"""A deeper network from a shallower one's weights: the same answers before it learns on."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from training.run.deepen import deepened
from training.run.state import fit, initial_weights
from uncover.errors import UncoverError
from uncover.networks.generator import Generator, GeneratorConfig
from uncover.weights.components import save_component

SMALL = {"resolution": 64, "widths": (8, 12), "coarse_widths": (8, 12), "coarse_heads": 2}


def trained(**changes: object) -> Generator:
    """A generator none of whose layers is as it was initialised."""
    torch.manual_seed(0)
    network = Generator(GeneratorConfig(**SMALL, **changes))  # type: ignore[arg-type]
    with torch.no_grad():
        for name, tensor in network.state_dict().items():
            if tensor.is_floating_point():
                tensor.add_(0.1 * torch.rand_like(tensor) * (1 if "var" in name else 0.5))
    return network.eval()


def test_more_blocks_compute_the_same_until_they_learn() -> None:
    shallow = trained(coarse_blocks=(1, 1), blocks=(1, 1))
    torch.manual_seed(1)
    config = GeneratorConfig(**SMALL, coarse_blocks=(2, 3), blocks=(2, 2))  # type: ignore[arg-type]
    deep = Generator(config).eval()
    deep.load_state_dict(deepened(shallow.state_dict(), deep))
    image, mask = torch.rand(2, 3, 64, 64) * 2 - 1, torch.zeros(2, 1, 64, 64)
    mask[:, :, 30:60, 10:50] = 1
    image = image * (1 - mask)
    with torch.no_grad():
        assert torch.allclose(deep(image, mask), shallow(image, mask), atol=1e-6)
    assert sum(p.numel() for p in deep.parameters()) > sum(p.numel() for p in shallow.parameters())


def test_the_same_network_keeps_its_weights() -> None:
    network = trained(coarse_blocks=(1, 2), blocks=(1, 1))
    state = network.state_dict()
    kept = deepened(state, network)
    assert kept.keys() == state.keys()
    assert all(torch.equal(kept[key], state[key]) for key in state)


def test_published_weights_may_be_shallower_and_not_narrower(tmp_path: Path) -> None:
    shallow = trained(coarse_blocks=(1, 1), blocks=(1, 1))
    save_component(tmp_path, "generator", shallow, shallow.config)
    deep = Generator(GeneratorConfig(**SMALL, coarse_blocks=(1, 2), blocks=(1, 1)))  # type: ignore[arg-type]
    fit(deep, initial_weights(tmp_path, "generator", deep), tmp_path)
    kept = deep.state_dict()["coarse.body.encoder.1.2.qkv.weight"]  # attention, now third
    was = shallow.state_dict()["coarse.body.encoder.1.1.qkv.weight"]
    assert torch.allclose(kept, was, atol=1e-3)
    wide = {**SMALL, "coarse_widths": (16, 20)}
    wider = Generator(GeneratorConfig(**wide, coarse_blocks=(1, 1), blocks=(1, 1)))  # type: ignore[arg-type]
    with pytest.raises(UncoverError, match="another shape"):
        fit(wider, initial_weights(tmp_path, "generator", wider), tmp_path)
