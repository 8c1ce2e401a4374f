"""What the weights' card says about them: origin, licence, and benchmark results by group.

Results are read from results.json beside the weights: the benchmark's own file, which travels
with them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from uncover.errors import UncoverError
from uncover.scores import fixed, model_of, read_results
from uncover.weights import CARD, RESULTS, WeightsConfig, read_config

Slice = dict[str, Any]
"""A group of photos, as results.json has it: {"slice": {...}, "n": N, "metrics": {...}}."""
_TASKS = {
    "detector": "finds faces, and which of them wear a mask",
    "segmenter": "finds the mask's pixels",
    "generator": "paints the face",
    "discriminator_global": "judged whole faces in training; not used here",
    "discriminator_local": "judged the painted part in training; not used here",
}


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
    try:
        results = read_results(path)
    except UncoverError:
        return {"data": "", "slices": ()}
    models, data = dict(results["models"]), results["data"]
    own = model_of(results, hashes)
    if own is None:
        return {"data": data["name"], "slices": ()}
    return {
        "data": data["name"],
        "slices": tuple(models.pop(own)["slices"]),
        "others": {name: tuple(model["slices"]) for name, model in models.items()},
        "left_out": sum(int(n) for n in (data.get("left_out") or {}).values()),
    }


def values_of(slices: Iterable[Slice], factor: str) -> list[str]:
    """The values of a factor, in the order in which the results list them."""
    return list(dict.fromkeys(fixed(s)[factor] for s in slices if factor in fixed(s)))


def describe_weights(card: Card, name: str, link: str | None) -> str:
    """Markdown: which weights are loaded, their licence, and where the card is."""
    rows = [
        f"| {part} | {_TASKS.get(part, '')} | {size / 1e6:.1f} MB |"
        for part, size in card.sizes.items()
    ]
    where = f"[{link}]({link})" if link else "below"
    return "\n".join(
        [
            f"**Loaded:** {name} · **Licence:** {card.licence.upper()} (research, "
            f"non-commercial) · **Card:** {where}",
            "",
            "| network | what it does | size |",
            "|---|---|---:|",
            *rows,
            "",
            f"Fingerprint `{card.fingerprint[:16]}` (the same for equal networks).",
        ]
    )
