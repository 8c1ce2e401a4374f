"""A card's benchmark results as HTML: table, heat map, and what they mean in plain words."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from page.show.annotate import GUESS
from page.show.card import Card, Measure, Slice, find_slice, values_of

FEW = 30
"""Groups of fewer photos are marked: their numbers say little."""
_HIGHER_IS_BETTER = {"ssim": True, "ssim_hole": True, "psnr_hole": True, "lpips": False}
_TITLES = {
    "psnr_hole": "PSNR in the hole, dB ↑",
    "ssim_hole": "SSIM in the hole ↑",
    "ssim": "SSIM, whole crop ↑",
    "lpips": "LPIPS ↓",
    "kid": "KID ↓",
    "fid": "FID ↓ (biased)",
}
_BESIDE = ("psnr_hole", "lpips", "kid")
_MODELS = {
    "telea": "Telea's inpainting",
    "mean-face": "the average face",
    "pca": "principal components",
    "seed": "the original's model",
}
_DIGITS = {"psnr_hole": 1, "kid": 4, "fid": 1}
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
    metric = "lpips" if any("lpips" in s.metrics for s in card.slices) else "ssim_hole"
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
        whole = find_slice(slices, {})
        if whole is None:
            continue
        cells = [_share(whole, card.left_out)]
        cells += [_stacked(_of(whole, metric), metric) for metric in _BESIDE]
        cells += [_gap(slices, factor) for factor in _NAMES]
        said = escape(_MODELS.get(name, name))
        rows.append(
            f"<tr><th scope='row'>{said}</th>{''.join(f'<td>{c}</td>' for c in cells)}</tr>"
        )
    titles = ["Photos scored", *(_TITLES[metric] for metric in _BESIDE)]
    titles += [f"LPIPS, worst less best, by {factor}" for factor in _NAMES]
    head = "".join(f"<th scope='col'>{title}</th>" for title in titles)
    return (
        f"{_SCROLL}<table><caption>Beside simpler ways to fill the hole</caption>"
        f"<tr><th scope='col'></th>{head}</tr>{''.join(rows)}</table></div>"
    )


def _share(whole: Slice, left_out: int) -> str:
    """How many of all photos could be scored."""
    value = _of(whole, "coverage").value
    if value is None:
        value = whole.n / max(1, whole.n + left_out)
    return f"{value:.1%}"


def _gap(slices: Sequence[Slice], factor: str) -> str:
    """How far LPIPS of the worst and the best group of a factor lie apart."""
    values = [
        value
        for s in slices
        if set(s.fixed) == {factor} and s.n >= FEW and (value := _of(s, "lpips").value) is not None
    ]
    return f"{max(values) - min(values):.3f}" if len(values) > 1 else "too few"


def _words(card: Card, metric: str) -> str:
    whole = find_slice(card.slices, {})
    on = f" of {escape(card.data)}" if card.data else ""
    count = f"{whole.n} photos{on}" if whole else f"photos{on}"
    items = [
        f"Measured on {count}: a mask was drawn on each bare face and taken off again, so that "
        "the truth is known. Real masks on real photos are harder."
    ]
    for factor, name in (("ethnicity", "people labelled"), ("pose", "heads turned by")):
        items += _ranking(card.slices, factor, name, metric)
    untested = [s for s in card.slices if set(s.fixed) == {"pose"} and s.n == 0]
    if untested:
        poses = ", ".join(_said(s, "pose") for s in untested)
        items.append(f"Not tested at all: heads turned by {poses}. Expect failures there.")
    few = [s for s in card.slices if 0 < s.n < FEW and len(s.fixed) == 1]
    if few:
        names = ", ".join(escape(next(iter(s.fixed.values()))) for s in few)
        items.append(f"Fewer than {FEW} photos, so the numbers say little: {names}.")
    items.append(
        "What is under a mask cannot be known from the photo: mouth, chin, beard, scars and "
        f"expression are invented. {GUESS}"
    )
    return f"<ul>{''.join(f'<li>{item}</li>' for item in items)}</ul>"


def _ranking(slices: Sequence[Slice], factor: str, name: str, metric: str) -> list[str]:
    """One sentence on the best and the worst value of a factor."""
    sign = 1 if _HIGHER_IS_BETTER[metric] else -1
    known = [
        (sign * value, s)
        for s in slices
        if set(s.fixed) == {factor} and s.n >= FEW and (value := _of(s, metric).value) is not None
    ]
    if len(known) < 2:
        return []
    known.sort(key=lambda pair: pair[0])
    worst, best = known[0][1], known[-1][1]
    a, b = _of(worst, metric), _of(best, metric)
    apart = _apart(a, b)
    if not apart:
        return [
            f"No clear difference between {name} {_said(best, factor)} "
            f"({_TITLES[metric]}: {_text(b, metric)}, the best) and {_said(worst, factor)} "
            f"({_text(a, metric)}, the worst): the intervals overlap."
        ]
    return [
        f"Works best for {name} {_said(best, factor)} ({_TITLES[metric]}: {_text(b, metric)}) "
        f"and worst for {_said(worst, factor)} ({_text(a, metric)}). "
        "Their intervals do not overlap: the difference is hardly chance."
    ]


def _said(part: Slice, factor: str) -> str:
    """A value within a sentence: “asian”, 15-30°, more than 60°."""
    value = part.fixed[factor]
    if factor != "pose":
        return f"“{escape(value)}”"
    return f"{escape(value.replace('>', 'more than '))}°"


def _of(part: Slice, metric: str) -> Measure:
    return part.metrics.get(metric, Measure(None))


def _apart(a: Measure, b: Measure) -> bool:
    if a.low is None or a.high is None or b.low is None or b.high is None:
        return False
    return a.high < b.low or b.high < a.low


def _text(measure: Measure, metric: str) -> str:
    if measure.value is None:
        return "too few"
    digits = 1 if abs(measure.value) >= 10 else _DIGITS.get(metric, 3)
    text = f"{measure.value:.{digits}f}"
    if measure.low is None or measure.high is None:
        return text
    return f"{text} [{measure.low:.{digits}f}, {measure.high:.{digits}f}]"


def _table(slices: Sequence[Slice], factor: str) -> str:
    shown = [s for s in slices if set(s.fixed) in (set(), {factor})]
    metrics = [m for m in _TITLES if any(m in s.metrics for s in shown)]
    head = "".join(f"<th scope='col'>{_TITLES[m]}</th>" for m in metrics)
    rows = []
    for s in shown:
        cells = "".join(
            f"<td>{_stacked(_of(s, m), m) if s.n else 'no photos'}</td>" for m in metrics
        )
        name = escape(s.fixed.get(factor, "all"))
        rows.append(f"<tr><th scope='row'>{name}</th><td>{s.n}</td>{cells}</tr>")
    return (
        f"{_SCROLL}<table><caption>By {_NAMES[factor]}</caption>"
        f"<tr><th scope='col'></th><th scope='col'>n</th>{head}</tr>{''.join(rows)}</table></div>"
    )


def _stacked(measure: Measure, metric: str) -> str:
    """The value with its interval in a line below."""
    value, _, interval = _text(measure, metric).partition(" [")
    return f"{value}<small>[{interval}</small>" if interval else value


def _heat_map(slices: Sequence[Slice], metric: str) -> str:
    """Ethnicity down, pose across; blue is good, orange is poor, grey is too few to say."""
    down, across = values_of(slices, "ethnicity"), values_of(slices, "pose")
    crossed = [s for s in slices if set(s.fixed) == {"ethnicity", "pose"}]
    values = [v for s in crossed if s.n >= FEW and (v := _of(s, metric).value) is not None]
    if not values:
        return ""
    low, high = min(values), max(values)
    head = "".join(f"<th scope='col'>{escape(pose)}°</th>" for pose in across)
    rows = []
    for group in down:
        cells = "".join(
            _heat(find_slice(slices, {"ethnicity": group, "pose": pose}), metric, low, high)
            for pose in across
        )
        rows.append(f"<tr><th scope='row'>{escape(group)}</th>{cells}</tr>")
    return (
        f"{_SCROLL}<table><caption>"
        f"{_TITLES[metric]} by ethnicity (as the data set labels it) and estimated turn of the "
        f"head; blue is better, orange worse, grey: fewer than {FEW} photos</caption>"
        f"<tr><th scope='col'></th>{head}</tr>{''.join(rows)}</table></div>"
    )


def _heat(part: Slice | None, metric: str, low: float, high: float) -> str:
    if part is None or part.n == 0:
        return "<td class='heat'>not tested</td>"
    measure = _of(part, metric)
    text = f"{_stacked(measure, metric)}<small>n = {part.n}</small>"
    if part.n < FEW or measure.value is None:
        return f"<td class='heat' style='background:#bbb;color:#222'>{text}</td>"
    share = 0.5 if high <= low else (measure.value - low) / (high - low)
    good = share if _HIGHER_IS_BETTER[metric] else 1 - share
    poor, best = (245, 180, 110), (150, 200, 240)
    red, green, blue = (round(p + good * (b - p)) for p, b in zip(poor, best, strict=True))
    return f"<td class='heat' style='background:rgb({red},{green},{blue});color:#111'>{text}</td>"


def _glossary() -> str:
    return (
        "<p><b>How to read this.</b> <b>n</b>: photos in the group. In brackets: the range in "
        "which the value lies with 95 % confidence; where two ranges overlap, do not read "
        "anything into the difference. <b>PSNR</b> and <b>SSIM</b> compare pixels and local "
        "structure, <b>LPIPS</b> what a neural network sees. <b>Hole</b>: only what was painted; "
        "whole-picture numbers flatter, since most of the picture is copied.</p>"
    )
