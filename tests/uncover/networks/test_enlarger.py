"""The enlarger changes nothing until it is trained, and only ever adds to what it is given."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch
from torch import nn

from uncover.networks import Enlarger, EnlargerConfig, fold

SMALL = EnlargerConfig(resolution=64, widths=(8, 12), detail_width=4)


def inputs(seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Answers, crops and holes."""
    rng = np.random.default_rng(seed)
    answers = rng.integers(60, 190, (2, 32, 32, 3), dtype=np.uint8)
    crops = rng.integers(0, 256, (2, 64, 64, 3), dtype=np.uint8)
    holes = np.zeros((2, 64, 64), bool)
    holes[:, 20:60, 10:50] = True
    return answers, crops, holes


def trained() -> Enlarger:
    torch.manual_seed(1)
    network = Enlarger(SMALL)
    for name, value in network.named_parameters():
        if "to_rgb" in name:
            nn.init.normal_(value, std=0.1)
    network(torch.randn(4, 3, 64, 64), torch.ones(4, 1, 64, 64))  # statistics of its norms
    return network.eval()


def test_untrained_it_enlarges_and_no_more() -> None:
    answers, crops, holes = inputs()
    out = Enlarger(SMALL).eval().enlarge(answers, crops, holes)
    assert np.array_equal(out[~holes], crops[~holes])
    grown = [cv2.resize(x, (64, 64), interpolation=cv2.INTER_CUBIC) for x in answers]
    inner = np.s_[:, 24:56, 14:46]
    gap = np.abs(out[inner].astype(int) - np.stack(grown)[inner])
    assert gap.max() <= 2  # areas on areas, as cv2 places them


def test_what_the_photo_hides_does_not_matter() -> None:
    answers, crops, holes = inputs()
    network = trained()
    other = np.where(holes[..., None], 255 - crops, crops)
    one, two = (network.enlarge(answers, x, holes) for x in (crops, other))
    assert np.array_equal(one, two)
    assert not np.array_equal(one, network.enlarge(255 - answers, crops, holes))


def test_a_window_is_painted_as_the_whole_is() -> None:
    network = trained()
    torch.manual_seed(0)
    base = torch.rand(1, 3, 192, 192) * 2 - 1
    with torch.no_grad():
        whole = network(base, torch.ones(1, 1, 192, 192))[..., 32:160, 32:160]
        part = network(base[..., 32:160, 32:160], torch.ones(1, 1, 128, 128))
    assert torch.allclose(part[..., 48:80, 48:80], whole[..., 48:80, 48:80], atol=1e-4)


def test_folding_changes_nothing() -> None:
    answers, crops, holes = inputs()
    network = trained()
    before = network.enlarge(answers, crops, holes)
    after = fold(network).enlarge(answers, crops, holes)  # type: ignore[operator]
    assert np.abs(before.astype(int) - after).max() <= 1


def test_it_is_small_as_said() -> None:
    network = Enlarger().eval()
    flops: list[int] = []

    def count(layer: nn.Module, inputs: object, out: torch.Tensor) -> None:
        assert isinstance(layer, nn.Conv2d)
        flops.append(2 * out.numel() * layer.weight[0].numel())

    for layer in network.modules():
        if isinstance(layer, nn.Conv2d):
            layer.register_forward_hook(count)
    with torch.no_grad():
        network(torch.zeros(1, 3, 128, 128), torch.zeros(1, 1, 128, 128))
    assert 16 * sum(flops) == pytest.approx(1.4e9, rel=0.05)
    assert sum(p.numel() for p in network.parameters()) == pytest.approx(64_000, rel=0.02)


def test_noise_is_kept_with_the_weights_and_drawn_anew_in_training() -> None:
    torch.manual_seed(0)
    network = Enlarger(EnlargerConfig(resolution=256, noise=4, detail_smoothing=1))
    nn.init.normal_(network.to_rgb.weight)
    base, hole = torch.zeros(1, 3, 256, 256), torch.ones(1, 1, 256, 256)
    with torch.inference_mode():
        assert not torch.equal(network(base, hole), network(base, hole))
        once = network.eval()(base, hole)
        assert torch.equal(once, network(base, hole))
        other = Enlarger(network.config).eval()
        other.load_state_dict(network.state_dict())
        assert torch.equal(once, other(base, hole))
    inside = once[0, 0, 40:216, 40:216]
    assert inside.std() > 10 * (inside[0::4, 0::4].mean() - inside[2::4, 2::4].mean()).abs()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"resolution": 100}, "multiple of 8"),
        ({"blocks": (1,)}, "same length"),
        ({"detail_width": 0}, "positive"),
        ({"smoothing": 9}, "smoothing"),
        ({"detail_smoothing": 9}, "detail_smoothing"),
    ],
)
def test_shapes_that_cannot_be_built_are_refused(changes: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        EnlargerConfig(**changes)


def test_wrong_sizes_are_refused() -> None:
    answers, crops, holes = inputs()
    with pytest.raises(ValueError, match="half the crops' side"):
        Enlarger(SMALL).eval().enlarge(crops, crops, holes)
    with pytest.raises(ValueError, match="expected crops"):
        Enlarger(SMALL).eval().enlarge(answers, answers, holes[:, ::2, ::2])
