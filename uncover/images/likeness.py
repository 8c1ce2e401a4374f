"""How alike two pictures are, once for all packages: PSNR, the map of SSIM, LPIPS' network."""

from __future__ import annotations

import contextlib
import io
import socket
import warnings
from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from uncover.errors import UncoverError

CEILING = 100.0
"""The PSNR of identical pictures in dB, which is infinite, so that means stay finite."""
WINDOW, SIGMA = 11, 1.5
C1, C2 = 0.01**2, 0.03**2


def psnr(fill: NDArray[np.uint8], truth: NDArray[np.uint8]) -> float:
    """Peak signal-to-noise ratio in dB, 10 log10(255^2 / MSE), at most `CEILING`.

    fill, truth: uint8 of one shape, pictures or the same pixels of two.
    """
    mse = float(((fill.astype(np.float64) - truth.astype(np.float64)) ** 2).mean())
    return CEILING if mse <= 0 else float(min(CEILING, 10 * np.log10(255.0**2 / mse)))


def ssim_map(fill: NDArray[np.uint8], truth: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Structural similarity at each pixel and channel: float64 (S, S, 3), 1 where alike.

    Wang et al., "Image Quality Assessment: From Error Visibility to Structural Similarity" (2004):
    11 x 11 Gaussian window of sigma 1.5, K1 = 0.01, K2 = 0.03, on RGB channel by channel, reflected
    at the edges. Equal to torchmetrics' `structural_similarity_index_measure(data_range=1.0)`,
    which filters with the full 121-tap window and takes ten times as long on a CPU; a test
    compares them.

    Args:
        fill, truth: uint8 (S, S, 3).
    """
    x, y = fill / 255.0, truth / 255.0
    mean_x, mean_y = _blur(x), _blur(y)
    var_x = np.maximum(_blur(x * x) - mean_x**2, 0)
    var_y = np.maximum(_blur(y * y) - mean_y**2, 0)
    covariance = _blur(x * y) - mean_x * mean_y
    alike = (2 * mean_x * mean_y + C1) * (2 * covariance + C2)
    result: NDArray[np.float64] = alike / ((mean_x**2 + mean_y**2 + C1) * (var_x + var_y + C2))
    return result


def _blur(image: NDArray[np.float64]) -> NDArray[np.float64]:
    blurred = cv2.GaussianBlur(image, (WINDOW, WINDOW), SIGMA, borderType=cv2.BORDER_REFLECT_101)
    return np.asarray(blurred, np.float64)


def load_lpips(net: str, spatial: bool = False, seconds: float = 20.0) -> Any:
    """LPIPS 0.1, a torch module, frozen; pictures are (B, 3, H, W) in -1..1.

    Zhang et al., "The Unreasonable Effectiveness of Deep Features as a Perceptual Metric" (2018),
    through their package `lpips`. What ImageNet taught its trunk is fetched once, checked against
    its hash and kept in torch's cache (TORCH_HOME).

    Args:
        net: "alex", "squeeze" or "vgg".
        spatial: give the distance at each pixel, (B, 1, H, W), in place of one a picture.
        seconds: a download that stays silent for so long fails.

    Raises:
        UncoverError: the trunk's weights are neither in torch's cache nor within reach.
    """
    import lpips

    try:
        # The package announces itself unless told not to; torchvision warns about an argument
        # that the package still uses.
        with warnings.catch_warnings(), fetching(seconds):
            warnings.simplefilter("ignore")
            network = lpips.LPIPS(net=net, spatial=spatial, verbose=False)
    except (OSError, RuntimeError) as error:
        raise UncoverError(
            f"the weights of LPIPS ({net}) are not in torch's cache and cannot be downloaded "
            f"({type(error).__name__}): go online once, or point TORCH_HOME at a cache with them"
        ) from error
    return network.eval().requires_grad_(False)


@contextlib.contextmanager
def fetching(seconds: float = 20.0) -> Iterator[None]:
    """Within it, a connection that stays silent for `seconds` fails, and progress is not shown."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(seconds)
    try:
        quiet = io.StringIO()
        with contextlib.redirect_stderr(quiet), contextlib.redirect_stdout(quiet):
            yield
    finally:
        socket.setdefaulttimeout(before)
