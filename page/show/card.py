"""What the weights' card says about them: origin, licence, and benchmark results by group.

Results are read from results.json beside the weights: the benchmark's own file, which travels
with them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from uncover.weights import CARD, RESULTS, WeightsConfig, read_config

ALL = "all"


@dataclass(frozen=True)
class Measure:
    """A metric on a slice: value and the ends of its 95 % interval; None where not given."""

    value: float | None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Slice:
    """A group of photos: factor -> value (factors not named are not fixed), n, and its metrics."""

    fixed: dict[str, str]
    n: int
    metrics: dict[str, Measure]


@dataclass(frozen=True)
class Card:
    """What is known about loaded weights.

    Attributes:
        text: the card's Markdown without its metadata; empty without a card.
        licence: such as "cc-by-nc-sa-4.0".
        fingerprint: sha256 over architectures and weights.
        sizes: network -> bytes on disk.
        data: name of the photos the results were measured on; empty when unknown.
        slices: benchmark results, the whole set first; empty when there are none.
        others: models that were measured beside them: name -> their results.
        left_out: photos on which no face was found, so that nothing could be scored.
    """

    text: str
    licence: str
    fingerprint: str
    sizes: dict[str, int]
    data: str
    slices: tuple[Slice, ...]
    others: dict[str, tuple[Slice, ...]] = field(default_factory=dict)
    left_out: int = 0


def read_card(folder: Path) -> Card:
    """Read the card of a weights folder.

    Raises:
        WeightsError: the folder has no valid config.json. Missing or foreign results are no error.
    """
    config = read_config(folder)
    page = folder / CARD
    text = page.read_text("utf-8", "replace") if page.is_file() else ""
    results = _results(folder / RESULTS, config)
    return Card(
        text=_body(text),
        licence=config.licence,
        fingerprint=config.fingerprint(),
        sizes={name: part.size for name, part in config.components.items()},
        **results,
    )


def _body(text: str) -> str:
    """A card without the YAML at its top."""
    if text.startswith("---\n") and (end := text.find("\n---", 3)) > 0:
        return text[end + 4 :].lstrip("\n")
    return text


def _results(path: Path, config: WeightsConfig) -> dict[str, Any]:
    """What a benchmark's results.json says of exactly these weights, and of others beside them."""
    generator = config.components.get("generator")
    hashes = {config.fingerprint(), generator.sha256 if generator else ""}
    empty: dict[str, Any] = {"data": "", "slices": ()}
    try:
        results = json.loads(path.read_text("utf-8"))
        known: dict[bool, dict[str, tuple[Slice, ...]]] = {True: {}, False: {}}
        for name, model in results["models"].items():
            own = model.get("weights_sha256") in hashes
            known[own][str(name)] = tuple(_slice(entry) for entry in model["slices"])
        data = results["data"]
        if not known[True]:
            return empty | {"data": str(data["name"])}
        return {
            "data": str(data["name"]),
            "slices": next(iter(known[True].values())),
            "others": known[False],
            "left_out": sum(int(n) for n in (data.get("left_out") or {}).values()),
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return empty


def _slice(entry: Mapping[str, Any]) -> Slice:
    fixed = {str(k): str(v) for k, v in entry["slice"].items() if v != ALL}
    metrics = {
        str(name): Measure(m.get("value"), m.get("low"), m.get("high"))
        for name, m in entry["metrics"].items()
    }
    return Slice(fixed, int(entry["n"]), metrics)


def values_of(slices: Iterable[Slice], factor: str) -> list[str]:
    """The values of a factor, in the order in which the results list them."""
    return list(dict.fromkeys(s.fixed[factor] for s in slices if factor in s.fixed))


def find_slice(slices: Iterable[Slice], fixed: Mapping[str, str]) -> Slice | None:
    """The slice that holds exactly these factors at these values."""
    return next((s for s in slices if s.fixed == dict(fixed)), None)


def describe_weights(card: Card, name: str, link: str | None) -> str:
    """Markdown: which weights are loaded, their licence, and where the card is."""
    rows = [f"| {part} | {size / 1e6:.1f} MB |" for part, size in card.sizes.items()]
    where = f"[{link}]({link})" if link else "the card stands below"
    return "\n".join(
        [
            f"**Loaded:** {name} · **Licence:** {card.licence.upper()} (research, "
            f"non-commercial) · **Card:** {where}",
            "",
            "| network | size |",
            "|---|---:|",
            *rows,
            "",
            f"Fingerprint `{card.fingerprint[:16]}` (the same for equal networks).",
        ]
    )
