"""`uncover scale SRC DST`: folders, WebDataset tars and Parquet files of any size."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from uncover import __version__
from uncover.commands.options import GUESS, USAGE, Parser
from uncover.commands.places import UsageError, given_path
from uncover.commands.speech import complain, say
from uncover.errors import UncoverError, without_torch

OK, FAILED, INTERRUPTED = 0, 1, 130
_EPILOG = f"""\
The output has the same shards under the same names. A tar's samples get their painted photo and
NAME.uncover.json, a Parquet file's rows the columns status, reason, filled and faces; beside a
folder's painted photos stands uncover.jsonl. A photo in which nothing was painted has a status and
a reason, and no picture. The same command goes on where an interrupted run stopped; several
machines need one file system. {GUESS}"""


def build_parser() -> argparse.ArgumentParser:
    """The arguments of `uncover scale`."""
    parser = Parser(
        prog="uncover scale",
        description="Paint faces under masks in whole data sets, on all cores, GPUs or machines.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("source", type=given_path, metavar="SRC", help="a folder, .tar or .parquet file")
    add("target", type=given_path, metavar="DST", help="the folder of the results")
    add("--workers", type=_number, default=0, metavar="N", help="default: one per core or GPU")
    add("--no-ray", action="store_true", help="in this process: needs no Ray, one worker")
    add("--address", metavar="A", help="of a running Ray cluster; auto finds one")
    add("--gpus", type=float, default=0, metavar="G", help="of each worker, .5 for half; default 0")
    add("--batch", type=_number, default=16, metavar="B", help="faces in a pass; default 16")
    add("--at-once", type=_number, default=8, metavar="P", help="photos in a worker; default 8")
    add("--column", default="image", metavar="C", help="of Parquet files; default: image")
    add("--overwrite", action="store_true", help="also over files that uncover did not make")
    add("--blend", choices=("feather", "poisson"), default="feather", help="default: feather")
    add("--fill-chin", action="store_true", help="also under masks pulled down to the chin")
    add("--fill-any", action="store_true", help="also faces that something else covers")
    add("--min-score", type=float, default=0.5, metavar="P", help="surest faces only; 0..1, .5")
    add("--weights", metavar="REPO|DIR", help="a Hub repository or folder; default: embedded")
    add("--revision", metavar="R", help="branch, tag or commit of the Hub repository")
    add("--backend", choices=("torch", "onnx", "openvino"), default="torch")
    return parser


def main(args: Sequence[str]) -> int:
    """Run the command; returns its exit code."""
    try:
        options = build_parser().parse_args(args)
    except SystemExit as stop:
        return int(stop.code or 0)
    try:
        return _run(options)
    except KeyboardInterrupt:
        complain("interrupted; the same command goes on where this run stopped")
        return INTERRUPTED
    except UncoverError as error:
        complain(str(error))
        return USAGE if isinstance(error, UsageError) else FAILED
    except OSError as error:
        complain(f"{error.filename or options.target}: {error.strerror or error}")
        return FAILED
    except ModuleNotFoundError as error:
        if error.name == "pyarrow":
            complain("Parquet needs pyarrow: python -m pip install pyarrow")
            return FAILED
        complain(str(without_torch(error)))
        return FAILED


def _run(options: argparse.Namespace) -> int:
    from tqdm import tqdm

    from uncover.scale import Work, find_shards, run, run_with_ray

    source, target = options.source.absolute(), options.target.absolute()
    if target in (source, source.parent) or (source.is_dir() and source in target.parents):
        raise UsageError(f"results in {options.target} would mix with the photos: choose another")
    if target.exists() and not target.is_dir():
        raise UsageError(f"{options.target} is a file: the results need a folder")
    shards = find_shards(source)
    work = Work(target, options.column, options.overwrite, _meant(options), __version__)
    with tqdm(unit="photo", file=sys.stderr) as bar:
        if options.no_ray:
            summary = run(work, shards, bar.update)
        else:
            rays = (options.workers, options.gpus, options.address)
            summary = run_with_ray(work, shards, bar.update, *rays)
    for line in summary.broken:
        complain(line)
    if summary.before:
        say(f"{summary.before} photos were done before")
    names = {"failed": "failed", "filled": "filled", "not_filled": "masked but not filled"}
    names |= {"no_face": "no face found", "no_masked_face": "only bare faces"}
    counts = [f"{n} {names[s]}" for s, n in sorted(summary.photos.items())]
    say(f"{summary.photos.total()} photos in {len(shards)} shards: {', '.join(counts) or 'none'}")
    if summary.photos["filled"]:
        say(GUESS)
    return FAILED if summary.broken or summary.photos["failed"] else OK


def _meant(options: argparse.Namespace) -> dict[str, Any]:
    """What a photo's result depends on besides the photo."""
    return {
        "weights": str(Path(options.weights).absolute())
        if options.weights and Path(options.weights).is_dir()
        else options.weights,
        "revision": options.revision,
        "backend": options.backend,
        "device": "cuda" if options.gpus else "cpu",
        "at_once": options.at_once,
        "batch": options.batch,
        "blend": options.blend,
        "fill_chin": options.fill_chin,
        "fill_any": options.fill_any,
        "min_score": options.min_score,
    }


def _number(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1")
    return int(text)
