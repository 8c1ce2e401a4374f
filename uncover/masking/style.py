"""What a drawn mask looks like: :class:`MaskStyle` and the draw of realistic ones."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Iterable
from dataclasses import dataclass, fields
from itertools import accumulate

import numpy as np

Colour = tuple[int, int, int]

KINDS = ("surgical", "n95", "duckbill", "cloth", "gaiter")
WEAR = ("worn", "nose_out", "chin")
CUTS: dict[str, tuple[str, ...]] = {
    "surgical": ("pleated",),
    "n95": ("fold", "cup"),
    "duckbill": ("bill",),
    "cloth": ("seamed", "pleated", "fitted"),
    "gaiter": ("tube", "bandana"),
}
PATTERNS = (
    "plain",
    "stripes",
    "checks",
    "dots",
    "flowers",
    "camouflage",
    "text",
    "logo",
    "teeth",
)
FASTENINGS = ("loops", "ties", "head", "wide", "none")


@dataclass(frozen=True)
class MaskStyle:
    """Everything that :func:`draw_mask` needs beside the photo; equal styles draw equal masks.

    Attributes:
        kind: one of :data:`KINDS`.
        cut: one of ``CUTS[kind]``; empty for the kind's first.
        wear: ``worn`` (nose and mouth covered), ``nose_out`` or ``chin``.
        colour, accent, strap: RGB of the fabric, of its print or trim, and of the straps.
        pattern: one of :data:`PATTERNS`.
        fit: 0 snug ... 1 baggy.
        top: 0 low on the nose ... 1 high on its bridge (or, worn otherwise, within that range).
        width: 0 narrow ... 1 up to the ears.
        fastening: ``loops`` round the ears, ``ties``, ``head`` straps, ``wide`` ear pieces cut
            from the fabric, or ``none``.
        strap_left, strap_right: whether the strap on that side (of the image) shows.
        trim: whether the edges carry a binding in the accent colour.
        valve: -1, 0 (none) or 1: side of an exhalation valve.
        wrinkles, shine: 0 ... 1.
        seed: fixes all that is left to chance (folds, print, small asymmetries).
    """

    kind: str = "surgical"
    cut: str = ""
    wear: str = "worn"
    colour: Colour = (158, 200, 222)
    accent: Colour = (245, 247, 248)
    strap: Colour = (245, 247, 248)
    pattern: str = "plain"
    fit: float = 0.4
    top: float = 0.6
    width: float = 0.6
    fastening: str = "loops"
    strap_left: bool = True
    strap_right: bool = True
    trim: bool = True
    valve: int = 0
    wrinkles: float = 0.5
    shine: float = 0.1
    seed: int = 0

    def __post_init__(self) -> None:
        _one_of("kind", self.kind, KINDS)
        if not self.cut:
            object.__setattr__(self, "cut", CUTS[self.kind][0])
        _one_of(f"cut of kind {self.kind!r}", self.cut, CUTS[self.kind])
        _one_of("wear", self.wear, WEAR)
        _one_of("pattern", self.pattern, PATTERNS)
        _one_of("fastening", self.fastening, FASTENINGS)
        for name in ("fit", "top", "width", "wrinkles", "shine"):
            value = getattr(self, name)
            if not isinstance(value, int | float | np.number) or not 0.0 <= value <= 1.0:
                raise ValueError(f"{name} must be a number from 0 to 1, got {value!r}")
        for name in ("colour", "accent", "strap"):
            value = getattr(self, name)
            good = len(value) == 3 and all(0 <= c <= 255 for c in value)
            if not good:
                raise ValueError(f"{name} must be three numbers from 0 to 255, got {value!r}")
        if self.valve not in (-1, 0, 1):
            raise ValueError(f"valve must be -1, 0 or 1, got {self.valve!r}")
        if not isinstance(self.seed, int | np.integer) or self.seed < 0:
            raise ValueError(f"seed must be a whole number >= 0, got {self.seed!r}")


def _one_of(name: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise ValueError(f"unknown {name} {value!r}; choose from {', '.join(allowed)}")


_KIND_ODDS = (0.55, 0.15, 0.05, 0.20, 0.05)
_WEAR_ODDS = (0.92, 0.05, 0.03)

# (RGB, weight) by kind: what people wear, light blue, white and black first.
_SURGICAL = (
    ((160, 205, 228), 30),
    ((132, 184, 216), 14),
    ((190, 220, 232), 10),
    ((238, 240, 240), 22),
    ((32, 32, 35), 16),
    ((148, 205, 190), 7),
    ((236, 178, 196), 6),
    ((120, 122, 126), 3),
    ((178, 168, 206), 2),
    ((222, 196, 170), 2),
)
_WHITE = (
    ((240, 239, 236), 60),
    ((228, 224, 214), 8),
    ((34, 34, 36), 16),
    ((150, 190, 215), 5),
    ((214, 84, 130), 3),
    ((236, 182, 190), 3),
    ((120, 130, 140), 3),
)
_CLOTH = (
    ((28, 28, 31), 34),
    ((70, 72, 76), 12),
    ((38, 48, 84), 8),
    ((235, 233, 228), 10),
    ((196, 48, 52), 5),
    ((214, 176, 60), 3),
    ((44, 104, 74), 4),
    ((60, 120, 170), 5),
    ((206, 108, 132), 4),
    ((206, 164, 134), 4),
    ((140, 98, 78), 3),
    ((236, 206, 190), 2),
)


def _index(rng: np.random.Generator, weights: Iterable[float]) -> int:
    """Draw an index by weight; ten times faster than ``rng.choice`` for a handful."""
    ladder = list(accumulate(weights))
    return min(bisect(ladder, rng.random() * ladder[-1]), len(ladder) - 1)


def _pick(rng: np.random.Generator, table: tuple[tuple[Colour, int], ...]) -> Colour:
    return _vary(rng, table[_index(rng, (w for _, w in table))][0], 12)


def _vary(rng: np.random.Generator, colour: Colour, spread: float) -> Colour:
    every, *each = (rng.standard_normal(4) * spread).tolist()
    r, g, b = (
        int(min(max(c + 0.6 * every + 0.4 * e, 4), 250)) for c, e in zip(colour, each, strict=True)
    )
    return r, g, b


def _any_colour(rng: np.random.Generator) -> Colour:
    r, g, b = (int(c) for c in rng.integers(15, 245, 3))
    return r, g, b


def _choose(rng: np.random.Generator, options: dict[str, float]) -> str:
    return list(options)[_index(rng, options.values())]


def random_style(rng: np.random.Generator, **fixed: object) -> MaskStyle:
    """Draw a mask as people wear them: mostly surgical, light blue, white or black, worn right.

    Args:
        rng: source of chance.
        fixed: fields of :class:`MaskStyle` to keep as given; the rest is drawn to go with them.

    Raises:
        ValueError: an unknown field, or a value that MaskStyle refuses.
    """
    unknown = sorted(set(fixed) - {f.name for f in fields(MaskStyle)})
    if unknown:
        raise ValueError(f"MaskStyle has no field {', '.join(unknown)}")
    kind = str(fixed.get("kind", KINDS[_index(rng, _KIND_ODDS)]))
    _one_of("kind", kind, KINDS)
    style: dict[str, object] = {
        "kind": kind,
        "wear": WEAR[_index(rng, _WEAR_ODDS)],
        "fit": float(rng.beta(1.6, 2.2)),
        "top": float(rng.beta(2.2, 1.8)),
        "width": float(rng.beta(2.0, 1.6)),
        "wrinkles": float(rng.beta(1.8, 2.2)),
        "shine": float(rng.beta(1.2, 5.0)),
        "strap_left": bool(rng.random() < 0.88),
        "strap_right": bool(rng.random() < 0.88),
        "seed": int(rng.integers(2**31)),
    }
    style.update(_LOOKS[kind](rng))
    style.update(fixed)
    return MaskStyle(**style)  # type: ignore[arg-type]


def _surgical(rng: np.random.Generator) -> dict[str, object]:
    colour = _pick(rng, _SURGICAL) if rng.random() < 0.96 else _any_colour(rng)
    pale = rng.random() < 0.6 and max(colour) > 90
    white = _vary(rng, (240, 242, 243), 8)
    return {
        "cut": "pleated",
        "colour": colour,
        "accent": white if pale else _vary(rng, colour, 10),
        "strap": colour if max(colour) < 90 else white,
        "pattern": _choose(rng, {"plain": 0.94, "logo": 0.03, "dots": 0.015, "flowers": 0.015}),
        "fastening": _choose(rng, {"loops": 0.92, "ties": 0.06, "none": 0.02}),
        "trim": bool(rng.random() < 0.75),
    }


def _n95(rng: np.random.Generator) -> dict[str, object]:
    colour = _pick(rng, _WHITE) if rng.random() < 0.95 else _any_colour(rng)
    cut = _choose(rng, {"fold": 0.72, "cup": 0.28})
    return {
        "cut": cut,
        "colour": colour,
        "accent": _any_colour(rng) if rng.random() < 0.15 else _vary(rng, colour, 8),
        "strap": _pick(rng, (((240, 240, 238), 7), ((214, 180, 70), 2), ((35, 35, 38), 2))),
        "pattern": _choose(rng, {"plain": 0.55, "text": 0.3, "logo": 0.15}),
        "fastening": _choose(
            rng, {"loops": 0.7, "head": 0.3} if cut == "fold" else {"head": 0.8, "none": 0.2}
        ),
        "trim": bool(rng.random() < 0.6),
        "valve": _index(rng, (0.14, 0.72, 0.14)) - 1,
        "wrinkles": float(rng.beta(1.2, 4.0)),
    }


def _duckbill(rng: np.random.Generator) -> dict[str, object]:
    colour = _pick(rng, _WHITE if rng.random() < 0.7 else _SURGICAL)
    return {
        "cut": "bill",
        "colour": colour,
        "accent": _vary(rng, colour, 10),
        "strap": _vary(rng, (238, 238, 236), 8),
        "pattern": _choose(rng, {"plain": 0.8, "text": 0.2}),
        "fastening": _choose(rng, {"loops": 0.5, "head": 0.5}),
        "wrinkles": float(rng.beta(1.2, 4.0)),
    }


def _cloth(rng: np.random.Generator) -> dict[str, object]:
    cut = _choose(rng, {"seamed": 0.5, "pleated": 0.25, "fitted": 0.25})
    plain = rng.random() < 0.55
    colour = _pick(rng, _CLOTH) if rng.random() < 0.8 else _any_colour(rng)
    pattern = PATTERNS[int(rng.integers(1, len(PATTERNS)))] if not plain else "plain"
    edge = rng.random()
    return {
        "cut": cut,
        "colour": colour,
        "accent": _any_colour(rng) if not plain or edge < 0.3 else _vary(rng, colour, 14),
        "strap": colour if rng.random() < 0.6 else _pick(rng, _CLOTH),
        "pattern": pattern,
        "fastening": _choose(
            rng,
            {"wide": 0.6, "loops": 0.4} if cut == "seamed" else {"loops": 0.86, "ties": 0.14},
        ),
        "trim": bool(rng.random() < 0.35),
        "valve": _index(rng, (0.04, 0.92, 0.04)) - 1,
    }


def _gaiter(rng: np.random.Generator) -> dict[str, object]:
    plain = rng.random() < 0.45
    return {
        "cut": _choose(rng, {"tube": 0.6, "bandana": 0.4}),
        "colour": _pick(rng, _CLOTH) if rng.random() < 0.7 else _any_colour(rng),
        "accent": _any_colour(rng),
        "pattern": "plain" if plain else PATTERNS[int(rng.integers(1, len(PATTERNS)))],
        "fastening": "none",
        "trim": False,
        "wrinkles": float(rng.beta(3.0, 1.6)),
    }


_LOOKS = {
    "surgical": _surgical,
    "n95": _n95,
    "duckbill": _duckbill,
    "cloth": _cloth,
    "gaiter": _gaiter,
}
