"""Networks whose feature rows the metrics of sets compare: FID, KID and the two C2STs.

Only Inception's features give what is called FID and KID in the literature. With any other
network the report names it beside the number, and numbers of different networks do not compare.
"""

from __future__ import annotations

import hashlib
import importlib
import inspect
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from benchmark.digests import code_digest
from benchmark.features.windows import (
    CHANNELS,
    GRID,
    aligned_by_eyes,
    around_hole,
    projection,
)
from uncover.errors import UncoverError
from uncover.images import fetching
from uncover.networks import IMAGE_MEAN, IMAGE_STD

INCEPTION, SQUEEZENET, NONE = "inception", "squeezenet1_1", "none"
EFFICIENTNET = "efficientnet-lite2"
USED_IN_TRAINING = (SQUEEZENET,)
"""Features that this project's training looks through, too: what they judge has learned to please
them."""


_CODE = [Path(__file__).with_name(f"{name}.py") for name in ("networks", "windows", "efficientnet")]


@dataclass(frozen=True)
class Network:
    """rows: uint8 (B, 3, S, S) -> float (B, D), a picture's features. maps: the same before they
    are averaged over space, float (B, C, h, w); None where a network gives rows alone."""

    rows: Callable[[Tensor], Tensor]
    maps: Callable[[Tensor], Tensor] | None = None


class FeatureScorer:
    """Rows of features of fills and bare faces alike: whole crop, texture, structure, in turn.

    name: what the report calls the features.
    """

    columns = ()
    of_truth = True

    def __init__(self, name: str, key: str, network: Network, device: str) -> None:
        self.name = name
        self.key = f"{key}-{code_digest(*_CODE)}"
        self.network = network
        self.device = torch.device(device)
        self._mixing: Tensor | None = None

    @torch.inference_mode()
    def score(
        self,
        truth: np.ndarray,
        hole: np.ndarray,
        fills: list[np.ndarray],
        landmarks: np.ndarray | None = None,
    ) -> np.ndarray:
        """float64 (len(fills), width); see `Scorer` and `split`."""
        rows = []
        for fill in fills:
            whole = self._row(fill)
            texture = self._row(around_hole(fill, hole))
            rows.append(np.concatenate([whole, texture, self._structure(fill, landmarks)]))
        return np.array(rows, np.float64)

    def split(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
        """(n, width) -> the rows of whole crop and texture, (n, D) each, and of structure, or None
        where the network gives no maps."""
        structure = GRID * GRID * CHANNELS if self.network.maps is not None else 0
        width = (rows.shape[1] - structure) // 2
        parts = rows[:, :width], rows[:, width : 2 * width], rows[:, 2 * width :]
        return parts if structure else (*parts[:2], None)

    def _row(self, picture: np.ndarray) -> np.ndarray:
        row = self.network.rows(self._tensor(picture))
        if row.ndim != 2 or len(row) != 1 or not torch.isfinite(row).all():
            raise UncoverError(
                f"--features {self.name} gave shape {tuple(row.shape)} or values that are not "
                "finite; (B, D) rows of numbers are needed for (B, 3, S, S) pictures"
            )
        return np.asarray(row[0].float().cpu().numpy())

    def _structure(self, picture: np.ndarray, landmarks: np.ndarray | None) -> np.ndarray:
        if self.network.maps is None:
            return np.empty(0, np.float32)
        if landmarks is None:
            return np.full(GRID * GRID * CHANNELS, np.nan, np.float32)
        maps = self.network.maps(self._tensor(aligned_by_eyes(picture, landmarks)))
        grid = torch.nn.functional.adaptive_avg_pool2d(maps.float(), GRID)[0]
        if self._mixing is None:
            self._mixing = torch.from_numpy(projection(len(grid))).to(grid.device)
        mixed = torch.einsum("cyx,ck->yxk", grid, self._mixing)
        return np.asarray(mixed.reshape(-1).cpu().numpy())

    def _tensor(self, picture: np.ndarray) -> Tensor:
        planes = np.ascontiguousarray(picture.transpose(2, 0, 1))
        return torch.from_numpy(planes)[None].to(self.device)


def load_features(name: str, device: str = "cpu") -> FeatureScorer:
    """The features "inception", "squeezenet1_1" or "module:callable".

    A callable gets uint8 (B, 3, S, S) on the device and gives float (B, D).

    Raises:
        UncoverError: unknown, or the network's weights can be neither found nor fetched.
    """
    makers: dict[str, Callable[[str], Network]] = {
        INCEPTION: _inception,
        SQUEEZENET: _squeezenet,
        EFFICIENTNET: _efficientnet,
    }
    if name in makers:
        key = f"{name}-{torch.device(device).type}"
        return FeatureScorer(name, key, makers[name](device), device)
    if ":" in name:
        function = import_callable(name, "--features")
        key = f"own-{name}-{source_digest(function)}"
        return FeatureScorer(name, key, Network(function), device)
    known = ", ".join((*makers, NONE))
    raise UncoverError(f"--features {name} is unknown; there are: {known}, module:callable")


def label(title: str, features: str) -> str:
    """What a report may call a metric of features: plain "FID" only with Inception's."""
    return title if features == INCEPTION else f"{title} ({features} features)"


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


def _pooled(maps: Callable[[Tensor], Tensor]) -> Network:
    return Network(lambda images: maps(images).mean((2, 3)), maps)


def _squeezenet(device: str) -> Network:
    """torchvision's ImageNet SqueezeNet 1.1: mean over space of its last feature map, 512 wide.

    The picture goes in as it is (no second resize, no centre crop that would cut the chin off).
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
    mean = torch.tensor(IMAGE_MEAN, device=device)[:, None, None]
    std = torch.tensor(IMAGE_STD, device=device)[:, None, None]
    return _pooled(lambda images: body((images.float() / 255 - mean) / std))


def _efficientnet(device: str) -> Network:
    """EfficientNet-Lite2: mean over space of its last feature map, 1,280 wide."""
    from benchmark.features.efficientnet import load

    body = load().to(device)
    return _pooled(lambda images: body(images.float()))


def _inception(device: str) -> Network:
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
    model = model.to(device).eval()
    local = threading.local()
    model.Mixed_7c.register_forward_hook(lambda _m, _x, out: setattr(local, "maps", out))

    def maps(images: Tensor) -> Tensor:
        model(images)
        return local.maps

    return Network(model, maps)
