"""One or several answers of a generator to the same masked faces."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from uncover.errors import UncoverError
from uncover.paint.dark import gain_for, lit
from uncover.paint.detail import Closer, add_detail
from uncover.paint.monochrome import kept_monochrome
from uncover.settings import Detailer, Painter


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
    enlarger: Detailer | None = None,
    views: Sequence[Closer | None] | None = None,
) -> list[list[NDArray[np.uint8]]]:
    """The painted crops, of each sample uint8 (S, S, 3) for each of the crops (B, S, S, 3) with
    holes (B, S, S).

    They are the networks' own everywhere, in the tone of the photo where that is monochrome. Dark
    crops are lit for the networks, and their answers darkened again.
    look: what is asked of all faces, as `Settings.look` gives it. views: of large faces, whose
    pictures are of the enlarger's resolution.

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
    pictures = [list(answer) for answer in filled]
    shown = list(zip(crops, holes, strict=True))
    if enlarger is not None and views is not None:
        pairs = list(zip(views, gains, strict=True))
        close = [None if view is None else lit(view.seen, gain) for view, gain in pairs]
        add_detail(enlarger, pictures, views, close)
        shown = [
            near if view is None else (view.seen, view.hole)
            for near, view in zip(shown, views, strict=True)
        ]
    return [
        [
            kept_monochrome(lit(face, 1 / gain), seen, hole)
            for face, gain, (seen, hole) in zip(answer, gains, shown, strict=True)
        ]
        for answer in pictures
    ]
