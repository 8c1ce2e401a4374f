"""What is done to a picture before a network sees it, as recorded in config.json."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from uncover.crop import TEMPLATE_5
from uncover.errors import WeightsError
from uncover.weights.config import Preprocessing

MAX_RESOLUTION = 1024


def check_preprocessing(stored: Preprocessing, arch: Any, where: str) -> None:
    """Refuse weights made for another input range, border or face frame than this code uses.

    Raises:
        WeightsError: the first difference, or crops of absurd size; one line.
    """
    ours = default_preprocessing(arch)
    if ours.resolution is not None and ours.resolution > MAX_RESOLUTION:
        raise WeightsError(
            f"{where}.arch asks for crops of an absurd size: {ours.resolution} pixels a side, "
            f"{MAX_RESOLUTION} at most"
        )
    for field in dataclasses.fields(Preprocessing):
        theirs, own = getattr(stored, field.name), getattr(ours, field.name)
        if theirs is None or own is None:
            continue
        if field.name == "template":
            same = np.shape(theirs) == np.shape(own) and np.allclose(theirs, own, atol=1e-4)
        else:
            same = theirs == own
        if not same:
            raise WeightsError(
                f"{where}.preprocessing.{field.name} differs from what this version does: "
                "use the version of uncover that the weights were made with"
            )


def default_preprocessing(arch: Any) -> Preprocessing:
    """What the code does to a crop before a network sees it; resolution comes from `arch`."""
    resolution = getattr(arch, "resolution", None)
    if resolution is None:
        return Preprocessing()
    template = tuple((round(float(x), 6), round(float(y), 6)) for x, y in TEMPLATE_5)
    return Preprocessing(int(resolution), (-1.0, 1.0), "reflect101", template)
