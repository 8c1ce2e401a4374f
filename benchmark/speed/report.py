"""The measurements as tables: how many times faster than the slowest first, then milliseconds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmark.report import tables
from benchmark.speed import FFC, ORIGINAL, OURS
from benchmark.speed.stages import STAGES, WHOLE
from uncover.atomic import write_atomically
from uncover.errors import UncoverError

START, END = "<!-- speed:start -->", "<!-- speed:end -->"
HOW_TO_READ = (
    "×n: how many times as fast as the slowest backend of the same photo and stage in the same "
    "run; in brackets the median in ms. Whole: from the JPEG file to the painted pixels, warm; "
    "writing the result is not part of it. Peak: the process's resident memory."
)


def short(results: dict[str, Any]) -> str:
    """What a README shows: whole photos, the generator beside others, cold starts."""
    parts = [_taken_on(results), HOW_TO_READ]
    parts += [_scene_table(name, scene) for name, scene in results["scenes"].items()]
    others = (_networks_table(results), _folder_table(results), _cold_table(results))
    parts += [part for part in others if part]
    return "\n\n".join(parts) + "\n"


def markdown(results: dict[str, Any]) -> str:
    """The whole report: `short`, then every stage with p95, peak, operations and share."""
    parts = ["# Speed", short(results).rstrip()]
    parts += [_stage_table(name, results) for name in results["scenes"]]
    if results["failures"]:
        parts.append("## Left out\n\n" + "\n".join(f"- {line}" for line in results["failures"]))
    return "\n\n".join(parts) + "\n"


def check_page(page: Path) -> None:
    """Raise UncoverError unless the page is there and has both markers, once and in order."""
    _split(page)


def write_table(page: Path, results: dict[str, Any]) -> None:
    """Replace what stands between the page's markers by `short`.

    Raises:
        UncoverError: the page has no markers.
    """
    before, after = _split(page)
    write_atomically(page, f"{before}{START}\n{short(results)}{END}{after}".encode())


def ratios(rows: list[dict[str, Any]], stage: str) -> list[float | None]:
    """For each row, how many times as fast as the slowest row it is in that stage."""
    times = [row["stages"][stage]["median_ms"] if stage in row["stages"] else None for row in rows]
    slowest = max((t for t in times if t), default=None)
    return [slowest / t if t and slowest else None for t in times]


def fill_gain(results: dict[str, Any], other: str, backend: str | None = None) -> float | None:
    """How many times faster ours fills than another network, on the same threads.

    Args:
        results: of a run.
        other: the other network's name.
        backend: for both; None for the best of each. Of several numbers of threads the largest.
    """
    rows = [r for r in results["networks"]["times"] if backend in (None, r["backend"])]
    counts = {r["threads"] for r in rows if r["network"] == other}
    if not counts:
        return None
    rows = [r for r in rows if r["threads"] == max(counts)]
    best = {
        name: min((r["median_ms"] for r in rows if r["network"] == name), default=None)
        for name in (OURS, other)
    }
    return best[other] / best[OURS] if best[other] and best[OURS] else None


def _taken_on(results: dict[str, Any]) -> str:
    machine = results["machine"]
    rates = ", ".join(
        f"{rate:.0f} GFLOP/s on {count} thread{'s' if count != '1' else ''}"
        for count, rate in results["matmul_gflops"].items()
    )
    rate = f"; float32 matrix products: {rates}" if rates else ""
    return (
        f"{results['runs']} runs each on {machine['cpu']}, {machine['cores']} cores, "
        f"PyTorch {machine.get('torch', '?')}{rate}."
    )


def _cell(ratio: float | None, milliseconds: float | None) -> str:
    return "–" if ratio is None else f"×{ratio:.1f} ({_ms(milliseconds)})"


def _ms(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:.0f}" if value >= 20 else f"{value:.1f}"


def _scene_table(name: str, scene: dict[str, Any]) -> str:
    rows = scene["rows"]
    columns = {stage: ratios(rows, stage) for stage in (WHOLE, *STAGES)}
    lines = []
    for i, row in enumerate(rows):
        whole = row["stages"][WHOLE]
        cells = [row["backend"], str(row["threads"]), str(row["faces"])]
        cells.append(_cell(columns[WHOLE][i], whole["median_ms"]))
        cells += [_ms(whole["p95_ms"]), f"{whole['peak_mb']:.0f}"]
        cells += [
            _cell(columns[stage][i], row["stages"].get(stage, {}).get("median_ms"))
            for stage in STAGES
        ]
        lines.append(cells)
    head = ["backend", "threads", "filled", "whole", "p95 ms", "peak MB", *STAGES]
    return f"**{name}**\n\n{tables.table(head, lines).rstrip()}"


def _stage_table(name: str, results: dict[str, Any]) -> str:
    scene = results["scenes"][name]
    lines = []
    for stage in (*STAGES, WHOLE):
        for row, ratio in zip(scene["rows"], ratios(scene["rows"], stage), strict=True):
            found = row["stages"].get(stage)
            if found is None:
                continue
            counts = scene["flops"]
            flops = sum(counts.values()) if stage == WHOLE else counts.get(stage)
            share = _share(results, row["threads"], flops, found["median_ms"])
            lines.append(
                [stage, row["backend"], str(row["threads"]), f"×{ratio:.1f}",
                 _ms(found["median_ms"]), _ms(found["p95_ms"]), f"{found['peak_mb']:.0f}",
                 f"{flops / 1e9:.1f}" if flops else "–", share]
            )  # fmt: skip
    head = ["stage", "backend", "threads", "ratio", "median ms", "p95 ms", "peak MB", "GFLOP",
            "of matmul rate"]  # fmt: skip
    return f"## {name}, stage by stage\n\n{tables.table(head, lines).rstrip()}"


def _networks_table(results: dict[str, Any]) -> str:
    rows, facts = results["networks"]["times"], results["networks"]["facts"]
    if not rows:
        return ""
    slowest = max(row["median_ms"] for row in rows)
    lines = []
    for row in sorted(rows, key=lambda row: (row["threads"], row["backend"], row["median_ms"])):
        fact = facts.get(row["network"], {})
        flops = fact.get("flops")
        lines.append(
            [row["network"], row["backend"], str(row["threads"]),
             _cell(slowest / row["median_ms"], row["median_ms"]), _ms(row["p95_ms"]),
             f"{fact['parameters'] / 1e6:.1f}" if fact else "–",
             f"{flops / 1e9:.1f}" if flops else "–",
             _share(results, row["threads"], flops, row["median_ms"])]
        )  # fmt: skip
    head = ["network", "backend", "threads", "fill", "p95 ms", "M parameters", "GFLOP",
            "of matmul rate"]  # fmt: skip
    gains = []
    for other in (ORIGINAL, FFC):
        same, best = fill_gain(results, other, "eager"), fill_gain(results, other)
        if best is not None:
            eager = f", both eager ×{same:.1f}" if same else ""
            gains.append(f"than the {other} ×{best:.1f} (best backend of each{eager})")
    gain = f"\n\nOurs is faster {' and '.join(gains)}." if gains else ""
    table = tables.table(head, lines).rstrip()
    return f"**One crop through the generator, beside others with random weights**\n\n{table}{gain}"


def _folder_table(results: dict[str, Any]) -> str:
    if not results["folder"]:
        return ""
    lines = [
        [row["backend"], str(row["threads"]), str(row["photos"]),
         f"{100 * row['rate_share']:.0f} %", _ms(row["each_ms"]),
         f"{row['peak_mb_early']:.0f}", f"{row['peak_mb']:.0f}"]
        for row in results["folder"]
    ]  # fmt: skip
    head = ["backend", "threads", "photos", "of the rate of computing alone", "ms per photo",
            "peak MB, first quarter", "peak MB, all"]  # fmt: skip
    title = "**A folder, from file to file: reading, computing and writing overlap**"
    return f"{title}\n\n{tables.table(head, lines).rstrip()}"


def _cold_table(results: dict[str, Any]) -> str:
    if not results["cold"]:
        return ""
    lines = [
        [backend, f"{found['command']['median_ms'] / 1000:.1f} s",
         f"{found['command']['p95_ms'] / 1000:.1f} s", f"{found['import']['median_ms']:.0f} ms"]
        for backend, found in results["cold"].items()
    ]  # fmt: skip
    head = ["backend", "`uncover photo.jpg`, cold", "p95", "`import uncover`"]
    return f"**Cold start**\n\n{tables.table(head, lines).rstrip()}"


def _share(results: dict[str, Any], threads: int, flops: float | None, milliseconds: float) -> str:
    rate = results["matmul_gflops"].get(str(threads))
    if not rate or not flops:
        return "–"
    return f"{100 * flops / (milliseconds * 1e6) / rate:.0f} %"


def _split(page: Path) -> tuple[str, str]:
    try:
        text = page.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UncoverError(f"{page} cannot be read as text") from error
    before, start, rest = text.partition(START)
    _, end, after = rest.partition(END)
    if not start or not end or START in after or END in after:
        raise UncoverError(f"{page} needs the lines {START} and {END}, once and in this order")
    return before, after
