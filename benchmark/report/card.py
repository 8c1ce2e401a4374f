"""Results in pages people read: the model card (metadata and table) and the README (table)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from huggingface_hub.repocard_data import eval_results_to_model_index

from benchmark.features import INCEPTION
from benchmark.report import tables
from benchmark.report.report import GUESS
from uncover.atomic import write_atomically
from uncover.errors import UncoverError
from uncover.scores import eval_results

START, END = "<!-- results:start -->", "<!-- results:end -->"


def check_page(page: Path) -> None:
    """Raise UncoverError unless the page is there and has both markers, once and in order."""
    _split(page, _read(page))


def write_table(page: Path, results: dict[str, Any]) -> None:
    """Replace what stands between the markers by the results' table.

    Raises:
        UncoverError: the page has no markers.
    """
    write_atomically(page, _with_table(page, _read(page), results).encode())


def write_card(page: Path, results: dict[str, Any]) -> None:
    """As `write_table`, and put the first model's results into the card's `model-index`.

    All other metadata stays as it is.

    Raises:
        UncoverError: the page has no markers, or its metadata is not YAML.
    """
    text = _with_table(page, _read(page), results)
    metadata, body = _front_matter(page, text)
    metadata["model-index"] = _model_index(results)
    head = yaml.safe_dump(metadata, sort_keys=False, allow_unicode=True, width=100)
    write_atomically(page, f"---\n{head}---\n{body}".encode())


def _read(page: Path) -> str:
    try:
        return page.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UncoverError(f"{page} cannot be read as text") from error


def _split(page: Path, text: str) -> tuple[str, str]:
    if text.count(START) != 1 or text.count(END) != 1 or text.index(START) > text.index(END):
        raise UncoverError(f"{page} needs the lines {START} and {END}, once each and in this order")
    return text[: text.index(START) + len(START)], text[text.index(END) :]


def _with_table(page: Path, text: str, results: dict[str, Any]) -> str:
    before, after = _split(page, text)
    return f"{before}\n{results_block(results)}{after}"


def results_block(results: dict[str, Any]) -> str:
    """The Markdown between the markers: table, gaps, what was measured, and the command."""
    data = results["data"]
    metric = tables.headline(results)
    split = f" ({data['split']})" if data["split"] else ""
    parts = [
        f"{tables.photos(data)} of {data['name']}{split}, 95 % intervals in brackets. {GUESS}\n",
        tables.overall(results),
        tables.training_lines(results),
    ]
    for factor in results["factors"]:
        name = factor.replace("_", " ")
        if factor == "pose":
            name = "|yaw|" if data.get("pose") == "given" else "estimated |yaw|"
        if factor in data["perceived"]:
            name = f"perceived {name}"
        parts += [
            f"{tables.title(metric, results)} by {name}:\n",
            tables.by_factor(results, factor, metric),
        ]
    if "fid" in tables.present(results):
        note = "FID is biased and has no interval; read it beside KID."
        if results["features"] != INCEPTION:
            note += f" These and C2ST are taken on {results['features']} features, not Inception's."
        parts.append(f"{note}\n")
    parts.append(f"Produced by `{results['command']}` at {results['git'][:12]}.\n")
    return "\n".join(part for part in parts if part)


def _front_matter(page: Path, text: str) -> tuple[dict[str, Any], str]:
    if not text.startswith("---\n"):
        return {}, text
    end = text.find("\n---", 4)
    try:
        metadata = yaml.safe_load(text[4:end]) if end > 0 else None
    except yaml.YAMLError as error:
        raise UncoverError(f"{page}: the metadata at its top is not YAML") from error
    if not isinstance(metadata, dict):
        raise UncoverError(f"{page}: the metadata at its top is not a YAML mapping")
    return metadata, text[end:].removeprefix("\n---").removeprefix("\n")


def _model_index(results: dict[str, Any]) -> list[dict[str, Any]]:
    """The first model's results over all photos."""
    name, model = next(iter(results["models"].items()))
    data = results["data"]
    found = eval_results(
        data["name"], data["split"], model["slices"][0], lambda m: tables.name_of(m, results)
    )
    return eval_results_to_model_index(name, found)
