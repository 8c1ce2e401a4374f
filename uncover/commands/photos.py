"""The `uncover` command: photos in, photos with faces out."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from typing import TYPE_CHECKING, Any

from uncover.commands.options import GUESS, LOOK, USAGE, build_parser
from uncover.commands.speech import complain, say, speaking, tell
from uncover.errors import UncoverError, without_torch
from uncover.waiting import wait_briefly

if TYPE_CHECKING:
    from uncover.commands.jobs import Outcome

OK, FAILED, NO_FACE, INTERRUPTED = 0, 1, 3, 130
SUBCOMMANDS = {"weights": ("pull", "show", "verify"), "export": ("onnx",)}
__all__ = ["FAILED", "GUESS", "INTERRUPTED", "NO_FACE", "OK", "USAGE", "main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    args = list(sys.argv[1:] if argv is None else argv)
    if args[:1] == ["page"]:
        from uncover.commands.page import main as page_main

        return page_main(args[1:])
    if args[:1] == ["scale"]:
        from uncover.commands.scale import main as scale_main

        with speaking():
            return scale_main(args[1:])
    wait_briefly()
    with speaking():
        return _main(args)


def _main(args: list[str]) -> int:
    # A folder of photos may be called "weights": only a whole command is one where it exists.
    words = SUBCOMMANDS.get(args[0], ()) if args else ()
    if words and (
        not os.path.lexists(args[0]) or (len(args) > 1 and args[1] in (*words, "-h", "--help"))
    ):
        from uncover.commands.weights import main as weights_main

        return int(weights_main(args) or 0)
    try:
        options = build_parser().parse_args(args)
    except SystemExit as stop:
        return int(stop.code or 0)
    try:
        return _run(options)
    except KeyboardInterrupt:
        complain(
            "interrupted; finished photos are complete, no partial file was left; the same "
            "command goes on with a folder where it stopped"
        )
        return INTERRUPTED
    except UncoverError as error:
        from uncover.commands.places import UsageError

        complain(str(error))
        return USAGE if isinstance(error, UsageError) else FAILED
    except ModuleNotFoundError as error:
        complain(str(without_torch(error)))
        return FAILED


def _run(options: argparse.Namespace) -> int:
    from uncover.commands.batch import Journal, run_all
    from uncover.commands.jobs import ByHand, Outcome
    from uncover.commands.places import plan

    _check(options)
    jobs, notes = plan(
        options.photos, options.out, options.samples, options.recursive, options.overwrite
    )
    by_hand = ByHand(options.mask, options.force, options.save_mask)
    several = len(jobs) > 1 and options.mask is None
    journal = Journal(_meant(options), options.samples) if several else None
    # What is kept of each photo to the end: only --json has a use for all of it.
    kept = (lambda outcome: outcome) if options.json else Outcome.shortened
    before = {j: kept(o) for j, o in journal.before(jobs).items()} if journal else {}
    uncoverer = None
    if any(job.problem is None and job not in before for job in jobs):
        from uncover.pipeline import Uncoverer

        uncoverer = Uncoverer.from_pretrained(
            options.weights,
            revision=options.revision,
            device=options.device,
            backend=options.backend,
            blend=options.blend,
            fill_chin=options.fill_chin,
            fill_any=options.fill_any,
            min_score=options.min_score,
            samples=options.samples,
            **{name: getattr(options, name) for name in LOOK},
        )
    from tqdm import tqdm

    if before:
        say(f"going on: {len(before)} of {len(jobs)} photos were done before the interruption")
    done = list(before.values())
    rest = [job for job in jobs if job not in before]
    quiet = len(jobs) == 1
    with (
        tqdm(
            total=len(jobs), initial=len(done), unit="photo", disable=quiet, file=sys.stderr
        ) as bar,
        closing(run_all(rest, uncoverer, by_hand, journal)) as coming,
    ):
        for outcome in coming:
            with bar.external_write_mode(file=sys.stderr):
                _tell(outcome, as_json=options.json)
            bar.update()
            done.append(kept(outcome))
    if journal:
        journal.remove()
    order = {job: place for place, job in enumerate(jobs)}
    outcomes = sorted(done, key=lambda outcome: order[outcome.job])
    if options.json:
        tell(json.dumps([outcome.to_dict() for outcome in outcomes], indent=2))
    for note in notes:
        say(note)
    if len(outcomes) > 1:
        say(_summary(outcomes))
    counts = Counter(outcome.status for outcome in outcomes)
    if counts["filled"]:
        say(GUESS)
    if counts["failed"]:
        return FAILED
    return OK if counts["filled"] else NO_FACE


def _check(options: argparse.Namespace) -> None:
    """Raise a `UsageError` for arguments that do not go together."""
    from uncover.commands.places import STDIO, UsageError, check_new_file, is_folder

    one = len(options.photos) == 1 and not is_folder(options.photos[0])
    for name in ("mask", "save_mask"):
        if getattr(options, name) is not None and not one:
            raise UsageError(f"--{name.replace('_', '-')} goes with exactly one photo")
    if options.mask == STDIO and options.photos[0] == STDIO:
        raise UsageError("photo and mask cannot both come from standard input")
    if options.json and (options.out == STDIO or (options.out is None and STDIO in options.photos)):
        raise UsageError("--json and the picture cannot both go to standard output: give -o FILE")
    if options.save_mask is not None:
        if options.save_mask.suffix.lower() != ".png":
            raise UsageError(f"cannot write {options.save_mask}: a mask's name ends in .png")
        check_new_file(options.save_mask, options.overwrite)


def _meant(options: argparse.Namespace) -> dict[str, Any]:
    """What a photo's result depends on besides the photo."""
    from uncover import __version__

    names = ["weights", "revision", "backend", "blend", "fill_chin", "fill_any", "min_score"]
    names += ["samples", *LOOK]
    return {"version": __version__} | {name: getattr(options, name) for name in names}


def _tell(outcome: Outcome, as_json: bool) -> None:
    """One line for one photo: results on stdout, everything else on stderr."""
    from uncover.commands.places import STDIO

    for warning in outcome.details.get("warnings", ()):
        say(f"warning: {warning}")
    if outcome.status == "failed":
        complain(outcome.message)
    elif outcome.status == "filled" and not as_json and outcome.job.target != STDIO:
        tell(outcome.message)
    else:
        say(outcome.message)


def _summary(outcomes: list[Outcome]) -> str:
    names = {
        "filled": "filled",
        "no_face": "no face found",
        "no_masked_face": "only bare faces",
        "not_filled": "masked but not filled",
        "failed": "failed",
    }
    counts = Counter(str(outcome.status) for outcome in outcomes)
    faces = sum(face["filled"] for o in outcomes for face in o.details.get("faces", ()))
    parts = [f"{counts[key]} {name}" for key, name in names.items() if counts[key]]
    return f"{len(outcomes)} photos: {', '.join(parts)}; {faces} faces in all"
