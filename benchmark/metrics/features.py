"""Networks whose feature rows the set-level metrics (FID, KID) compare.

Only Inception's features give what is called FID and KID in the literature. With any other
network the report names it beside the number, and numbers of different networks do not compare.
"""

from __future__ import annotations

import hashlib
import importlib
import inspect
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from uncover.errors import UncoverError
from uncover.images import fetching

INCEPTION, SQUEEZENET, NONE = "inception", "squeezenet1_1", "none"


class FeatureScorer:
    """One feature row a picture; a `Scorer` whose columns are the features.

    name: what the report calls the features. width: features per row.
    """

    def __init__(self, name: str, key: str, network: Callable[[Tensor], Tensor], device: str):
        self.name = name
        self.key = key
        self.network = network
        self.device = torch.device(device)
        self.columns: tuple[str, ...] = ()

    @torch.inference_mode()
    def score(self, truth: np.ndarray, hole: np.ndarray, fills: list[np.ndarray]) -> np.ndarray:
        """float64 (len(fills), width): the rows of the fills; truth and hole are not used."""
        rows = []
        for fill in fills:
            x = torch.from_numpy(np.ascontiguousarray(fill.transpose(2, 0, 1)))[None]
            row = self.network(x.to(self.device))
            if row.ndim != 2 or len(row) != 1 or not torch.isfinite(row).all():
                raise UncoverError(
                    f"--features {self.name} gave shape {tuple(row.shape)} or values that are not "
                    "finite; (B, D) rows of numbers are needed for (B, 3, S, S) pictures"
                )
            rows.append(row[0].float().cpu().numpy())
        return np.array(rows, np.float64)


def load_features(name: str, device: str = "cpu") -> FeatureScorer:
    """The features "inception", "squeezenet1_1" or "module:callable".

    A callable gets uint8 (B, 3, S, S) on the device and gives float (B, D).

    Raises:
        UncoverError: unknown, or the network's weights can be neither found nor fetched.
    """
    if name == INCEPTION:
        network = _inception(device)
        return FeatureScorer(name, f"inception-2048-{torch.device(device).type}", network, device)
    if name == SQUEEZENET:
        network = _squeezenet(device)
        return FeatureScorer(name, f"squeezenet1_1-{torch.device(device).type}", network, device)
    if ":" in name:
        network = import_callable(name, "--features")
        return FeatureScorer(name, f"own-{name}-{source_digest(network)}", network, device)
    raise UncoverError(
        f"--features {name} is unknown; there are: inception, squeezenet1_1, none, module:callable"
    )


def label(metric: str, features: str) -> str:
    """What a report may call a set-level metric: plain "FID" only with Inception's features."""
    plain = metric.upper()
    return plain if features == INCEPTION else f"{plain} ({features} features)"


def import_callable(name: str, option: str) -> Callable:
    """The callable that "package.module:name" points at.

    Raises:
        UncoverError: it cannot be imported or is not callable.
    """
    module, _, attribute = name.partition(":")
    try:
        found = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise UncoverError(f"{option} {name} cannot be imported: {error}") from error
    if not callable(found):
        raise UncoverError(f"{option} {name} is not callable")
    return found


def source_digest(function: Callable) -> str:
    """Fingerprint of the file a callable is defined in, so that edits are not served stale."""
    target = (
        function if inspect.isroutine(function) or inspect.isclass(function) else type(function)
    )
    try:
        source = Path(inspect.getfile(target)).read_bytes()
    except (OSError, TypeError):
        source = repr(function).encode()
    return hashlib.sha256(source).hexdigest()[:16]


def _squeezenet(device: str) -> Callable[[Tensor], Tensor]:
    """torchvision's ImageNet SqueezeNet 1.1: mean over space of its last feature map, 512 wide.

    The crop goes in as it is (no second resize, no centre crop that would cut the chin off).
    """
    from torchvision.models import squeezenet1_1

    try:
        with fetching():
            model = squeezenet1_1(weights="DEFAULT")
    except (OSError, RuntimeError) as error:
        raise UncoverError(
            "the weights of squeezenet1_1 are not in torch's cache and cannot be downloaded: "
            "use --features none, or go online once"
        ) from error
    body = model.features.eval().requires_grad_(False).to(device)
    mean = torch.tensor([0.485, 0.456, 0.406], device=device)[:, None, None]
    std = torch.tensor([0.229, 0.224, 0.225], device=device)[:, None, None]

    def network(images: Tensor) -> Tensor:
        return body((images.float() / 255 - mean) / std).mean((2, 3))

    return network


def _inception(device: str) -> Callable[[Tensor], Tensor]:
    """The Inception of torch-fidelity, which torchmetrics uses: 2,048 pooled features."""
    try:
        from torchmetrics.image.fid import NoTrainInceptionV3

        with fetching():
            model = NoTrainInceptionV3(name="inception-v3-compat", features_list=["2048"])
    except (ImportError, ModuleNotFoundError) as error:
        raise UncoverError(
            "Inception features need the package torch-fidelity: pip install torch-fidelity, or "
            "use --features squeezenet1_1"
        ) from error
    except (OSError, RuntimeError) as error:
        raise UncoverError(
            "the weights of Inception are not in torch's cache and cannot be downloaded: "
            "use --features squeezenet1_1, or go online once"
        ) from error
    return model.to(device).eval()
