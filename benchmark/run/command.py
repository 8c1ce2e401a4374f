"""A run from the command line, and the files it leaves in --out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from benchmark.models import keep
from benchmark.numbers import per_photo
from benchmark.report import card, exports, figures, overall, sheets, write_report
from benchmark.run.evaluate import join_world
from benchmark.run.options import Options, read_options
from benchmark.run.run import Finished, run, warn_failures
from uncover.atomic import write_atomically
from uncover.errors import UncoverError
from uncover.scores import check_results


def main(arguments: list[str]) -> int:
    """Run and write; 0, or 1 if a model failed (the others' results are written).

    Raises:
        UncoverError: nothing could be measured or written.
    """
    options = read_options(arguments)
    for page in (options.write_card, options.write_table):
        if page is not None:
            card.check_page(page)
    world = join_world()
    finished = run(options, arguments, world)
    if finished is None:
        return 0
    results = check_results(finished.results)
    if options.keep is not None:
        results = keep(results, options.keep)
    try:
        _write(options, finished, results)
    except OSError as error:
        raise UncoverError(f"{options.out} cannot be written: {error.strerror}") from error
    print(overall(results))
    print(f"report: {options.out / 'report.md'}")
    warn_failures(finished.failures)
    return 1 if finished.failures else 0


def _write(options: Options, finished: Finished, results: dict[str, Any]) -> None:
    out: Path = options.out
    out.mkdir(parents=True, exist_ok=True)
    per_photo.write(out, finished.cases.cases, finished.measured)
    pictures = figures.draw_all(out, results)
    exports.write_tables(out, results)
    sheets.draw_sheets(out, finished)
    write_report(out, results, pictures)
    text = json.dumps(results, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    write_atomically(out / "results.json", text.encode())
    if options.write_card:
        card.write_card(options.write_card, results)
    if options.write_table:
        card.write_table(options.write_table, results)
