"""One or several answers of a generator to the same masked faces."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from uncover.errors import UncoverError
from uncover.paint.dark import gain_for, lit
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


def check_look(generator: Painter, look: Mapping[str, float]) -> None:
    """Raise UncoverError when a look is asked of a generator that cannot be told one."""
    if look and not getattr(generator, "told", False):
        raise UncoverError(
            f"these weights cannot be told {', '.join(look)}: leave it out, or take weights that "
            "were trained for it"
        )


def answers(
    generator: Painter,
    crops: NDArray[np.uint8],
    holes: NDArray[np.bool_],
    samples: int = 1,
    look: Mapping[str, float] | None = None,
) -> NDArray[np.uint8]:
    """The painted crops, uint8 (samples, B, S, S, 3), for crops (B, S, S, 3) with holes (B, S, S).

    They are the generator's own everywhere, in the tone of the photo where that is monochrome. Dark
    crops are lit for the generator, and its answers darkened again.
    look: what is asked of all faces, as `Settings.look` gives it.

    Raises:
        UncoverError: several samples of a generator that has one answer, or a look of one that
            cannot be told.
    """
    check_samples(generator, samples)
    check_look(generator, look or {})
    told = {"look": look} if look else {}
    gains = [gain_for(crop, hole) for crop, hole in zip(crops, holes, strict=True)]
    bright = np.stack([lit(crop, gain) for crop, gain in zip(crops, gains, strict=True)])
    if samples == 1:
        filled = generator.fill(bright, holes, **told)[None]
    else:
        filled = generator.sample(bright, holes, samples, **told)
    return np.stack(
        [
            [
                kept_monochrome(lit(face, 1 / gain), crop, hole)
                for face, gain, crop, hole in zip(answer, gains, crops, holes, strict=True)
            ]
            for answer in filled
        ]
    )
