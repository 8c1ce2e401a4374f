"""The arguments of `uncover PHOTO...`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import NoReturn

from uncover import __version__
from uncover.commands.places import given_path
from uncover.commands.speech import complain
from uncover.errors import ImageError

USAGE = 2
GUESS = "The faces are guesses, not identifications."
LOOK = {
    "smile": "how widely the mouths smile; else the best guess",
    "open": "how far the mouths open",
    "beard": "how dark beards and moustaches are",
}

_EPILOG = f"""\
other commands: uncover page, uncover scale, uncover weights, uncover export (each with --help).
exit codes: 0 done, 1 some photo failed, 2 wrong usage, 3 no masked face found in any photo.
JPEG and HEIC photos become JPEG of quality 95; PNG, TIFF and WebP results equal the photo byte
for byte outside the painted pixels. {GUESS}"""


class Parser(argparse.ArgumentParser):
    """Tells what is wrong on one line."""

    def error(self, message: str) -> NoReturn:
        complain(f"{message} (see {self.prog} --help)")
        raise SystemExit(USAGE)


def build_parser() -> argparse.ArgumentParser:
    """The arguments of `uncover PHOTO...`."""
    parser = Parser(
        prog="uncover",
        usage="uncover PHOTO|FOLDER|- ... [-o OUT] [options]",
        description="Find face masks in photos and paint a plausible face under each.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        add_help=False,
    )
    files = parser.add_argument_group("photos and results")
    add = files.add_argument
    add("photos", nargs="+", type=_path, metavar="PHOTO", help="photos, folders; - reads one")
    add("-o", "--out", type=_path, metavar="OUT", help="file, folder or -; else NAME_uncovered")
    add("--recursive", action="store_true", help="sub-folders, too")
    add("--overwrite", action="store_true", help="also over files that uncover did not make")
    add("--json", action="store_true", help="print what was found and done as JSON")

    add = parser.add_argument_group("what is painted").add_argument
    add("--blend", choices=("feather", "poisson"), default="feather", help="default: feather")
    add("--samples", type=_samples, default=1, metavar="K", help="K different guesses, 1..16")
    for name, what in LOOK.items():
        add(f"--{name}", type=_share, metavar="0..1", help=what)
    add("--fill-chin", action="store_true", help="also under masks pulled down to the chin")
    add("--fill-any", action="store_true", help="also faces that something else covers")
    add("--min-score", type=_share, default=0.5, metavar="P", help="surest faces only; 0..1, .5")

    add = parser.add_argument_group("masks by hand").add_argument
    add("--mask", type=_path, metavar="MASK.png", help="paint where it is white, find nothing")
    add("--force", action="store_true", help="paint even if that mask looks inverted")
    add("--save-mask", type=_path, metavar="FILE.png", help="write the mask that was found")

    add = parser.add_argument_group("weights").add_argument
    add("--weights", metavar="REPO|DIR", help="a Hub repository or folder; default: embedded")
    add("--revision", metavar="R", help="branch, tag or commit of the Hub repository")
    add("--device", choices=("auto", "cpu", "cuda"), default="auto", help="default: auto")
    backends = ("torch", "onnx", "openvino")
    add("--backend", choices=backends, default="torch", help="default: torch")

    add = parser.add_argument_group("this program").add_argument
    add("-h", "--help", action="help", help="show this")
    version = f"uncover {__version__}"
    add("--version", "-V", action="version", version=version, help="show the version")
    return parser


def _path(text: str) -> Path:
    try:
        return given_path(text)
    except ImageError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _share(text: str) -> float:
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
