"""The `uncover` command: photos in, photos with faces out."""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from uncover.errors import UncoverError, without_torch
from uncover.networks import wait_briefly

if TYPE_CHECKING:
    from uncover.commands.jobs import Outcome

OK, FAILED, USAGE, NO_FACE, INTERRUPTED = 0, 1, 2, 3, 130
GUESS = "The faces are guesses, not identifications."
SUBCOMMANDS = {"weights": ("pull", "show", "verify"), "export": ("onnx",)}

_EPILOG = f"""\
exit codes: 0 done, 1 some photo failed, 2 wrong usage, 3 no masked face found in any photo.
other commands: uncover weights ..., uncover export ... (each with --help).
JPEG results are written at quality 95, which changes pixels slightly everywhere; PNG, TIFF and
WebP results equal the input byte for byte outside the painted pixels. {GUESS}"""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        _complain(f"{message} (see {self.prog} --help)")
        raise SystemExit(USAGE)


def build_parser() -> argparse.ArgumentParser:
    """The arguments of `uncover PHOTO...`."""
    parser = _Parser(
        prog="uncover",
        description="Find face masks in photos and paint a plausible face under each.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("photos", nargs="+", type=Path, metavar="PHOTO", help="a photo, or a folder of photos")
    add(
        "-o",
        "--out",
        type=Path,
        metavar="OUT",
        help="output file (one photo) or folder; default: NAME_uncovered beside the input",
    )
    add("--mask", type=Path, metavar="MASK.png", help="paint where this picture is white instead")
    add("--blend", choices=("feather", "poisson"), default="feather", help="default: feather")
    add(
        "--samples",
        type=_samples,
        default=1,
        metavar="K",
        help="paint K different guesses, 1..16, and where they differ: OUT, OUT_sample2, ..., "
        "OUT_uncertainty.png (default: 1)",
    )
    add("--weights", metavar="REPO|DIR", help="a Hub repository or folder; default: embedded")
    add("--revision", metavar="R", help="branch, tag or commit of the Hub repository")
    add("--device", choices=("auto", "cpu", "cuda"), default="auto", help="default: auto")
    add(
        "--backend",
        choices=("torch", "onnx", "openvino"),
        default="torch",
        help="default: torch",
    )
    add("--json", action="store_true", help="print what was found and done as JSON")
    add("--fill-chin", action="store_true", help="also fill under masks pulled down to the chin")
    add(
        "--min-score",
        type=_score,
        default=0.5,
        metavar="P",
        help="smallest detection score of a face to fill, 0..1 (default: 0.5)",
    )
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    wait_briefly()
    args = list(sys.argv[1:] if argv is None else argv)
    # A folder of photos may be called "weights": only a whole command is one where it exists.
    words = SUBCOMMANDS.get(args[0], ()) if args else ()
    if words and (not Path(args[0]).exists() or (len(args) > 1 and args[1] in words)):
        from uncover.commands.weights import main as weights_main

        return int(weights_main(args) or 0)
    try:
        options = build_parser().parse_args(args)
    except SystemExit as stop:
        return int(stop.code or 0)
    try:
        return _run(options)
    except KeyboardInterrupt:
        _complain(
            "interrupted; finished photos are complete, no partial file was left; the same "
            "command goes on with a folder where it stopped"
        )
        return INTERRUPTED
    except UncoverError as error:
        from uncover.commands.jobs import UsageError

        _complain(str(error))
        return USAGE if isinstance(error, UsageError) else FAILED
    except ModuleNotFoundError as error:
        _complain(str(without_torch(error)))
        return FAILED


def _run(options: argparse.Namespace) -> int:
    from uncover.commands.batch import Journal, run_all
    from uncover.commands.jobs import Outcome, UsageError, plan

    if options.mask is not None and (len(options.photos) != 1 or options.photos[0].is_dir()):
        raise UsageError("--mask goes with exactly one photo")
    jobs, passed_over = plan(options.photos, options.out, options.samples)
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
            min_score=options.min_score,
            samples=options.samples,
        )
    from tqdm import tqdm

    if before:
        _say(f"going on: {len(before)} of {len(jobs)} photos were done before the interruption")
    done = list(before.values())
    rest = [job for job in jobs if job not in before]
    quiet = len(jobs) == 1
    with (
        tqdm(
            total=len(jobs), initial=len(done), unit="photo", disable=quiet, file=sys.stderr
        ) as bar,
        closing(run_all(rest, uncoverer, options.mask, journal)) as outcomes,
    ):
        for outcome in outcomes:
            with bar.external_write_mode(file=sys.stderr):
                _tell(outcome, as_json=options.json)
            bar.update()
            done.append(kept(outcome))
    if journal:
        journal.remove()
    order = {job: place for place, job in enumerate(jobs)}
    outcomes = sorted(done, key=lambda outcome: order[outcome.job])
    if options.json:
        print(json.dumps([outcome.to_dict() for outcome in outcomes], indent=2))
    if passed_over:
        _say(f"{passed_over} other files in the folder are not pictures and were passed over")
    if len(outcomes) > 1:
        _say(_summary(outcomes))
    counts = Counter(outcome.status for outcome in outcomes)
    if counts["filled"]:
        _say(GUESS)
    if counts["failed"]:
        return FAILED
    return OK if counts["filled"] else NO_FACE


def _meant(options: argparse.Namespace) -> dict[str, Any]:
    """What a photo's result depends on besides the photo."""
    from uncover import __version__

    names = ("weights", "revision", "backend", "blend", "fill_chin", "min_score", "samples")
    return {"version": __version__} | {name: getattr(options, name) for name in names}


def _tell(outcome: Outcome, as_json: bool) -> None:
    """One line for one photo: results on stdout, everything else on stderr."""
    for warning in outcome.details.get("warnings", ()):
        _say(f"warning: {warning}")
    if outcome.status == "failed":
        _complain(outcome.message)
    elif outcome.status == "filled" and not as_json:
        print(outcome.message, flush=True)
    else:
        _say(outcome.message)


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


def _score(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number") from None
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"{text} is not in 0..1")
    return value


def _samples(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 16:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number in 1..16")
    return int(text)


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _complain(line: str) -> None:
    _say(f"error: {' '.join(line.split())}")
