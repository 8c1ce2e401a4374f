"""What the tests of several loops need."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from torch import nn

from training.gan import feature_critics


def untrained() -> nn.Sequential:
    """As `feature_critics.frozen_squeezenet`, always the same, and nothing is downloaded."""
    from torchvision.models import squeezenet1_1

    with torch.random.fork_rng():
        torch.manual_seed(1)
        features = squeezenet1_1(weights=None).features
    return features[: max(feature_critics.TAPS) + 1].eval().requires_grad_(False)


@pytest.fixture(scope="module")
def random_classifier() -> Iterator[None]:
    """Critics on features see with a SqueezeNet of random weights."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(feature_critics, "frozen_squeezenet", untrained)
        yield
