"""report.md: the numbers of a run for people, with what they mean and what they cannot say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmark.features import INCEPTION, NONE, USED_IN_TRAINING
from benchmark.report import tables
from uncover.atomic import write_atomically
from uncover.scores import TOO_FEW

GUESS = "Every painted face is a guess. It is never an identification."

_POSE = {
    "given": "as given by the labels",
    "estimated": "estimated by this program from landmarks of the bare face",
    "mixed": "as given by the labels where they give it, else estimated from landmarks",
}


def write_report(folder: Path, results: dict[str, Any], pictures: list[str]) -> None:
    """Write report.md; `pictures` are the figure files beside it."""
    write_atomically(folder / "report.md", compose(results, pictures).encode())


def compose(results: dict[str, Any], pictures: list[str]) -> str:
    """The whole report as Markdown."""
    metric = tables.headline(results)
    wanted = (metric, "psnr_hole", "sharpness", "edge", "mouth", "c2st", "coverage")
    shown = [m for m in wanted if m in tables.present(results)]
    shown = list(dict.fromkeys(shown))
    parts = ["# Benchmark\n", f"{GUESS}\n", _setting(results)]
    if results["failures"]:
        lines = [f"- **{n}** has no results: {why}" for n, why in results["failures"].items()]
        parts += ["\n".join(lines) + "\n"]
    parts += ["## All photos\n", tables.overall(results), tables.training_lines(results)]
    for factor in results["factors"]:
        parts.append(f"## By {_factor_name(factor, results)}\n")
        for m in shown:
            parts += [f"{tables.title(m, results)}\n", tables.by_factor(results, factor, m)]
    if len(results["factors"]) >= 2:
        first, second = results["factors"][:2]
        name = next(iter(results["models"]))
        parts.append(
            f"## {name}: {_factor_name(first, results)} × {_factor_name(second, results)}\n"
        )
        for m in shown:
            crossed = tables.crossing(results, name, (first, second), m)
            parts += [f"{tables.title(m, results)}\n", crossed]
    if results["factors"]:
        parts += ["## Worst minus best\n", _GAPS, tables.gap_rows(results, shown)]
    if results["comparisons"]:
        parts += ["## Model against model, on the same photos\n"]
        rows = results["comparisons"]
        parts += [tables.comparison_rows(rows, m, results) for m in shown]
    if pictures:
        parts += ["## Pictures\n", *(f"![{Path(p).stem}]({p})\n" for p in pictures)]
    parts += ["## What these numbers mean, and what they cannot say\n", _reading(results)]
    return "\n".join(parts)


_GAPS = (
    "The gap between the values named; values of fewer than 10 photos do not take part. The two "
    "were picked as the extremes, so some gap shows even where the factor plays no part: with "
    "labels dealt out at random it stays below the last column in 95 of 100 cases.\n"
)


def _factor_name(factor: str, results: dict[str, Any]) -> str:
    if factor == "pose":
        return "estimated head pose (|yaw|, degrees)"
    if factor in results["data"]["perceived"]:
        return f"perceived {factor}"
    return factor.replace("_", " ")


def _setting(results: dict[str, Any]) -> str:
    data = results["data"]
    split = f", split {data['split']}" if data["split"] else ""
    crop = "turned upright" if results["aligned"] else "the square around the face's frame"
    lines = [
        f"- Photos: {data['name']}{split}, {tables.photos(data)} measured (`{data['sha256']}`)",
        f"- Head pose: {_POSE[data['pose']]}",
        f"- Crop: {_size(results)}, {crop}; "
        f"one drawn mask a photo, fixed by its content and seed {results['seed']}",
        f"- Intervals: 95 %, {results['draws']} bootstrap draws, the same photos for every model",
        f"- Made {results['created']} at {results['git']} by `{results['command']}`",
    ]
    for reason, count in data["left_out"].items():
        lines.append(f"- Left out: {count} ({reason})")
    if results["features"] in USED_IN_TRAINING:
        lines.append(
            f"- {results['features']} is **used in training** as well: what is judged by it has "
            "learned to please it. Judge by another network with --features efficientnet-lite2"
        )
    if results["features"] not in (INCEPTION, NONE):
        lines.append(
            f"- FID and KID are taken on {results['features']} features, not Inception's: they do "
            "not compare with published ones"
        )
    return "\n".join(lines) + "\n"


def _reading(results: dict[str, Any]) -> str:
    lines = [
        "- All models paint the same holes, and pixels outside the hole are kept for all of them. "
        "SSIM and PSNR over the whole crop flatter everyone; compare the hole's.",
        "- A painted face can be good and differ from the hidden one: what lies under a mask "
        "cannot be known. SSIM and PSNR favour the blurred average of all possible faces; LPIPS "
        "and KID punish it.",
        f'- "{TOO_FEW}": fewer than {results["floor"]} photos for FID and KID.',
        "- KID is unbiased and can be compared between slices (average over all subsets of "
        f"{results['kid_subset_size'] or 'one'} photos). FID is biased, more so for fewer photos "
        "and by an amount that depends on the model; it is given at equal n within a factor, "
        "without an interval, and only beside KID.",
        "- Labels of ethnicity and gender are what a data set's makers or raters wrote down, not "
        "people's own words; they are coarse, and a gap may come from light, age or image quality "
        "that goes along with them.",
        "- Head pose is estimated. Bins with few photos have wide intervals, and a bin without "
        "photos was not tested at all.",
        "- Masks are drawn. Real masks hide the same but cast other shadows and colours.",
    ]
    lines.append(
        "- Coverage: the share of a slice's photos that were scored. A photo in which no face was "
        "found, on which no mask could be drawn or that a model did not fill counts as a failure; "
        "every other number is of those that were scored, and a low coverage flatters it."
    )
    there = tables.present(results)
    if "sharpness" in there:
        lines.append(
            "- Sharpness is Laplacian energy in the hole, edge the steepest step across the true "
            "jaw line, both over the photo's: 1 is as in the photos, less is blurred."
        )
    if "c2st" in there:
        lines.append(
            "- C2ST is how well a linear classifier tells fills from photos (0.5: not at all, 1: "
            "always). Texture sees skin and blur; structure sees what is where, blur taken out. "
            "Neither is to be trusted alone: look at the sheets."
        )
    if "mouth" in there:
        lines.append(
            "- Mouth is how far the lips lie outside what photos show; 1 is as in photos. It sees "
            f"torn and doubled mouths{_beside(results, 'mouth', 'photos', 'bare faces here')}."
        )
    if "identity" in there:
        lines.append(
            "- Identity is a limit, not a goal: the cosine of a face recogniser between painted "
            f"and hidden face{_beside(results, 'identity', 'strangers', 'two different people')}. "
            "It shows how little a painted face may be trusted to show anyone."
        )
    return "\n".join(lines) + "\n"


def _beside(results: dict[str, Any], metric: str, key: str, words: str) -> str:
    """Such as " (two different people: 0.05 [0.04, 0.06])"."""
    first = next(iter(results["models"].values()))["slices"][0]["metrics"][metric].get(key)
    return f" ({words}: {tables.cell(first, metric)})" if first else ""


def _size(results: dict[str, Any]) -> str:
    size = results["size"]
    return "the photo's own resolution" if size == "own" else f"{size} px"
