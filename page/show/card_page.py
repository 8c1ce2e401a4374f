"""A card's benchmark results as HTML: table, heat map, and what they mean in plain words."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

from page.show.annotate import GUESS
from page.show.card import Card, Slice, values_of
from uncover.scores import TOO_FEW, badness, cell, fixed, heading, part_of

FEW = 30
"""Groups of fewer photos are marked: their numbers say little."""
_SHOWN = ("psnr_hole", "ssim_hole", "ssim", "lpips", "kid", "fid")
_BESIDE = ("psnr_hole", "lpips", "kid")
_MODELS = {
    "telea": "Telea's inpainting",
    "mean-face": "the average face",
    "pca": "principal components",
    "seed": "the original's model",
}
_NAMES = {
    "pose": "turn of the head, in degrees",
    "ethnicity": "ethnicity, as the data set labels it",
}
_SCROLL = "<div class='scroll' role='group' tabindex='0'>"
"""What is wider than a phone moves on its own, by keyboard too."""


def results_html(card: Card) -> str:
    """The whole page of results; a sentence that says so when the card has none."""
    if not card.slices:
        return (
            "<div class='results'><p>No benchmark results come with these weights, so nothing is "
            f"known here about how well they work, and for whom. {GUESS}</p></div>"
        )
    metric = "lpips" if any("lpips" in s["metrics"] for s in card.slices) else "ssim_hole"
    parts = [_words(card, metric), _heat_map(card.slices, metric)]
    for factor in ("ethnicity", "pose"):
        if values_of(card.slices, factor):
            parts.append(_table(card.slices, factor))
    parts.append(_glossary())
    numbers = f"<details><summary>All numbers</summary>{''.join(parts)}</details>"
    return f"<div class='results'>{_plainly(card)}{_beside(card)}{numbers}</div>"


def _plainly(card: Card) -> str:
    """Two sentences that need no numbers."""
    return (
        "<p>The painted part usually fits the face: its skin, its light and the turn of the head. "
        "It is not the face that was there: mouth, chin and beard are invented, and the more of "
        "the face a mask hides, and the further the head is turned, the less it fits.</p>"
    )


def _beside(card: Card) -> str:
    """A small table: these weights beside what they were measured against."""
    rows = []
    for name, slices in {"these weights": card.slices, **card.others}.items():
        whole = part_of(slices, {})
        if whole is None:
            continue
        cells = [_share(whole, card.left_out)]
        cells += [_stacked(whole, metric) for metric in _BESIDE]
        cells += [_gap(slices, factor) for factor in _NAMES]
        said = escape(_MODELS.get(name, name))
        rows.append(
            f"<tr><th scope='row'>{said}</th>{''.join(f'<td>{c}</td>' for c in cells)}</tr>"
        )
    titles = ["Photos scored", *(heading(metric) for metric in _BESIDE)]
    titles += [f"LPIPS, worst less best, by {factor}" for factor in _NAMES]
    head = "".join(f"<th scope='col'>{title}</th>" for title in titles)
    return (
        f"{_SCROLL}<table><caption>Beside simpler ways to fill the hole</caption>"
        f"<tr><th scope='col'></th>{head}</tr>{''.join(rows)}</table></div>"
    )


def _share(whole: Slice, left_out: int) -> str:
    """How many of all photos could be scored."""
    value = _value(whole, "coverage")
    if value is None:
        value = whole["n"] / max(1, whole["n"] + left_out)
    return f"{value:.1%}"


def _gap(slices: Sequence[Slice], factor: str) -> str:
    """How far LPIPS of the worst and the best group of a factor lie apart."""
    values = [
        value
        for s in slices
        if set(fixed(s)) == {factor} and (value := _enough(s, "lpips")) is not None
    ]
    return f"{max(values) - min(values):.3f}" if len(values) > 1 else TOO_FEW


def _words(card: Card, metric: str) -> str:
    whole = part_of(card.slices, {})
    on = f" of {escape(card.data)}" if card.data else ""
    count = f"{whole['n']} photos{on}" if whole else f"photos{on}"
    items = [
        f"Measured on {count}: a mask was drawn on each bare face and taken off again, so that "
        "the truth is known. Real masks on real photos are harder."
    ]
    for factor, name in (("ethnicity", "people labelled"), ("pose", "heads turned by")):
        items += _ranking(card.slices, factor, name, metric)
    untested = [s for s in card.slices if set(fixed(s)) == {"pose"} and s["n"] == 0]
    if untested:
        poses = ", ".join(_said(s, "pose") for s in untested)
        items.append(f"Not tested at all: heads turned by {poses}. Expect failures there.")
    few = [s for s in card.slices if 0 < s["n"] < FEW and len(fixed(s)) == 1]
    if few:
        names = ", ".join(escape(next(iter(fixed(s).values()))) for s in few)
        items.append(f"Fewer than {FEW} photos, so the numbers say little: {names}.")
    items.append(
        "What is under a mask cannot be known from the photo: mouth, chin, beard, scars and "
        f"expression are invented. {GUESS}"
    )
    return f"<ul>{''.join(f'<li>{item}</li>' for item in items)}</ul>"


def _ranking(slices: Sequence[Slice], factor: str, name: str, metric: str) -> list[str]:
    """One sentence on the best and the worst value of a factor."""
    known = [
        (float(badness(metric, value)), s)
        for s in slices
        if set(fixed(s)) == {factor} and (value := _enough(s, metric)) is not None
    ]
    if len(known) < 2:
        return []
    known.sort(key=lambda pair: -pair[0])
    worst, best = known[0][1], known[-1][1]
    if not _apart(worst["metrics"][metric], best["metrics"][metric]):
        return [
            f"No clear difference between {name} {_said(best, factor)} "
            f"({heading(metric)}: {_text(best, metric)}, the best) and {_said(worst, factor)} "
            f"({_text(worst, metric)}, the worst): the intervals overlap."
        ]
    return [
        f"Works best for {name} {_said(best, factor)} ({heading(metric)}: {_text(best, metric)}) "
        f"and worst for {_said(worst, factor)} ({_text(worst, metric)}). "
        "Their intervals do not overlap: the difference is hardly chance."
    ]


def _said(part: Slice, factor: str) -> str:
    """A value within a sentence: “asian”, 15-30°, more than 60°."""
    value = fixed(part)[factor]
    if factor != "pose":
        return f"“{escape(value)}”"
    return f"{escape(value.replace('>', 'more than '))}°"


def _value(part: Slice, metric: str) -> float | None:
    found: float | None = part["metrics"].get(metric, {}).get("value")
    return found


def _enough(part: Slice, metric: str) -> float | None:
    """A value that says something: of enough photos."""
    return _value(part, metric) if part["n"] >= FEW else None


def _apart(a: dict[str, Any], b: dict[str, Any]) -> bool:
    """Whether two intervals do not overlap."""
    if None in (a["low"], a["high"], b["low"], b["high"]):
        return False
    return bool(a["high"] < b["low"] or b["high"] < a["low"])


def _text(part: Slice, metric: str) -> str:
    return cell(part["metrics"].get(metric), metric)


def _table(slices: Sequence[Slice], factor: str) -> str:
    shown = [s for s in slices if set(fixed(s)) in (set(), {factor})]
    metrics = [m for m in _SHOWN if any(m in s["metrics"] for s in shown)]
    head = "".join(f"<th scope='col'>{heading(m)}</th>" for m in metrics)
    rows = []
    for s in shown:
        cells = "".join(f"<td>{_stacked(s, m) if s['n'] else 'no photos'}</td>" for m in metrics)
        name = escape(fixed(s).get(factor, "all"))
        rows.append(f"<tr><th scope='row'>{name}</th><td>{s['n']}</td>{cells}</tr>")
    return (
        f"{_SCROLL}<table><caption>By {_NAMES[factor]}</caption>"
        f"<tr><th scope='col'></th><th scope='col'>n</th>{head}</tr>{''.join(rows)}</table></div>"
    )


def _stacked(part: Slice, metric: str) -> str:
    """The value with its interval in a line below."""
    value, _, interval = _text(part, metric).partition(" [")
    return f"{value}<small>[{interval}</small>" if interval else value


def _heat_map(slices: Sequence[Slice], metric: str) -> str:
    """Ethnicity down, pose across; blue is good, orange is poor, grey is too few to say."""
    down, across = values_of(slices, "ethnicity"), values_of(slices, "pose")
    crossed = [s for s in slices if set(fixed(s)) == {"ethnicity", "pose"}]
    values = [v for s in crossed if (v := _enough(s, metric)) is not None]
    if not values:
        return ""
    bad = [float(badness(metric, value)) for value in values]
    least, most = min(bad), max(bad)
    head = "".join(f"<th scope='col'>{escape(pose)}°</th>" for pose in across)
    rows = []
    for group in down:
        cells = "".join(
            _heat(part_of(slices, {"ethnicity": group, "pose": pose}), metric, least, most)
            for pose in across
        )
        rows.append(f"<tr><th scope='row'>{escape(group)}</th>{cells}</tr>")
    return (
        f"{_SCROLL}<table><caption>"
        f"{heading(metric)} by ethnicity (as the data set labels it) and estimated turn of the "
        f"head; blue is better, orange worse, grey: fewer than {FEW} photos</caption>"
        f"<tr><th scope='col'></th>{head}</tr>{''.join(rows)}</table></div>"
    )


def _heat(part: Slice | None, metric: str, least: float, most: float) -> str:
    """A cell; least, most: how bad the best and the worst cell are."""
    if part is None or part["n"] == 0:
        return "<td class='heat'>not tested</td>"
    text, value = f"{_stacked(part, metric)}<small>n = {part['n']}</small>", _enough(part, metric)
    if value is None:
        return f"<td class='heat' style='background:#bbb;color:#222'>{text}</td>"
    bad = 0.5 if most <= least else (float(badness(metric, value)) - least) / (most - least)
    poor, best = (245, 180, 110), (150, 200, 240)
    red, green, blue = (round(b + bad * (p - b)) for p, b in zip(poor, best, strict=True))
    return f"<td class='heat' style='background:rgb({red},{green},{blue});color:#111'>{text}</td>"


def _glossary() -> str:
    return (
        "<p><b>How to read this.</b> <b>n</b>: photos in the group. In brackets: the range in "
        "which the value lies with 95 % confidence; where two ranges overlap, do not read "
        "anything into the difference. <b>PSNR</b> and <b>SSIM</b> compare pixels and local "
        "structure, <b>LPIPS</b> what a neural network sees. <b>Hole</b>: only what was painted; "
        "whole-picture numbers flatter, since most of the picture is copied. <b>FID</b> is biased: "
        "read KID in its place.</p>"
    )
