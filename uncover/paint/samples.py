"""One or several answers of a generator to the same masked faces."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from uncover.errors import UncoverError
from uncover.paint.monochrome import kept_monochrome
from uncover.settings import Painter


def is_varied(generator: Painter) -> bool:
    """Whether a generator has several different answers to a face."""
    return bool(getattr(generator, "varied", False))


def check_samples(generator: Painter, samples: int) -> None:
    """Raise UncoverError when several samples are asked of a generator that has one answer."""
    if samples > 1 and not is_varied(generator):
        raise UncoverError(
            "these weights have one answer to a face: ask for one sample, or take weights "
            "trained for several and the torch backend"
        )


def answers(
    generator: Painter, crops: NDArray[np.uint8], holes: NDArray[np.bool_], samples: int = 1
) -> NDArray[np.uint8]:
    """The painted crops, uint8 (samples, B, S, S, 3), for crops (B, S, S, 3) with holes (B, S, S).

    They are the generator's own everywhere, in the tone of the photo where that is monochrome.

    Raises:
        UncoverError: several samples of a generator that has one answer.
    """
    check_samples(generator, samples)
    if samples == 1:
        filled = generator.fill(crops, holes)[None]
    else:
        filled = generator.sample(crops, holes, samples)
    return np.stack(
        [
            [kept_monochrome(*face) for face in zip(answer, crops, holes, strict=True)]
            for answer in filled
        ]
    )
