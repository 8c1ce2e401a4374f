"""`python -m benchmark compare A/results.json B/results.json`: two runs, photo by photo."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from benchmark.numbers import compare_values, make_slices, per_photo
from benchmark.report import tables
from uncover.errors import UncoverError
from uncover.scores import METRICS, read_results


def main(arguments: list[str]) -> int:
    """Print the comparison; exit status 0.

    Raises:
        UncoverError: runs that cannot be compared; says why.
    """
    p = argparse.ArgumentParser(
        prog="python -m benchmark compare",
        description="Compare a model of one run with a model of another on the photos both filled.",
    )
    p.add_argument("a", type=Path, metavar="A/results.json")
    p.add_argument("b", type=Path, metavar="B/results.json")
    p.add_argument("--model-a", help="default: the first of A")
    p.add_argument("--model-b", help="default: the first of B, or of A the second if A is B")
    p.add_argument("--draws", type=int, default=2000)
    p.add_argument("--seed", type=int, default=0)
    given = p.parse_args(arguments)
    if given.draws < 100:
        raise UncoverError(f"--draws must be at least 100, not {given.draws}")
    print(compare(given.a, given.b, given.model_a, given.model_b, given.draws, given.seed))
    return 0


def compare(
    a: Path, b: Path, name_a: str | None, name_b: str | None, draws: int = 2000, seed: int = 0
) -> str:
    """The comparison as Markdown.

    Raises:
        UncoverError: other networks behind a metric, other photos or holes, an unknown model.
    """
    a, b = (path / "results.json" if path.is_dir() else path for path in (a, b))
    results_a, results_b = read_results(a), read_results(b)
    first = _pick(results_a, name_a, a, 0)
    same = a.resolve() == b.resolve()
    second = _pick(results_b, name_b, b, 1 if same and len(results_b["models"]) > 1 else 0)
    if results_a.get("lpips_net") != results_b.get("lpips_net"):
        raise UncoverError(
            f"the runs use different LPIPS networks ({results_a.get('lpips_net')} and "
            f"{results_b.get('lpips_net')}): run one again with the other's --lpips"
        )
    rows = comparison(
        per_photo.read(a.parent), per_photo.read(b.parent), first, second, draws, seed
    )
    rows = [dict(row, a=f"{first}", b=f"{second}") for row in rows]
    note = f"{first} ({a.parent.name}) is A, {second} ({b.parent.name}) is B; 95 % intervals.\n"
    metrics = [m for m in METRICS if m in rows[0]["metrics"]]
    return "\n".join([note, *(tables.comparison_rows(rows, m, results_a) for m in metrics)])


def comparison(
    a: per_photo.PhotoValues,
    b: per_photo.PhotoValues,
    name_a: str,
    name_b: str,
    draws: int,
    seed: int,
) -> list[dict[str, Any]]:
    """Rows as `gaps.compare_models` gives them: all shared photos, then every ethnicity, pose, ...

    Raises:
        UncoverError: no photo with the same hole in both.
    """
    place = {photo: i for i, photo in enumerate(b.ids)}
    pairs = [(i, place[photo]) for i, photo in enumerate(a.ids) if photo in place]
    if not pairs:
        raise UncoverError(
            "the runs share no photo with the same hole: use the same photos, --size and --seed"
        )
    columns = [c for c in a.columns if c in b.columns]
    left, right = [i for i, _ in pairs], [j for _, j in pairs]
    x = a.values[name_a][left][:, [a.columns.index(c) for c in columns]]
    y = b.values[name_b][right][:, [b.columns.index(c) for c in columns]]
    rows = []
    for factor in [None, *a.labels]:
        factors = (
            {factor: [a.labels[factor][i] for i in left]} if factor else {"all": ["all"] * len(x)}
        )
        for part in make_slices(factors)[1:]:
            if part.n == 0:
                continue
            index = part.indices
            metrics = compare_values(x[index], y[index], columns, draws, seed, part.name)
            rows.append({"slice": part.values, "n": part.n, "metrics": metrics})
    return rows


def _pick(results: dict[str, Any], name: str | None, path: Path, default: int) -> str:
    names = list(results["models"])
    if name is None:
        return names[default]
    if name not in names:
        raise UncoverError(f"{path} has no model {name}; it has: {', '.join(names)}")
    return name
