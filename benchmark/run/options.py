"""The command line of a benchmark run."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

from benchmark.models import baselines
from benchmark.photos import FORMATS
from benchmark.run.cache import default_folder
from uncover.errors import UncoverError

MAX_SIZE = 512


@dataclass(frozen=True)
class Options:
    """See `parser` for what each means."""

    data: Path | None
    drawn: int | None
    form: str
    split: str | None
    limit: int | None
    where: str | None
    slices: tuple[str, ...]
    weights: tuple[str, ...]
    models: tuple[str, ...]
    baselines: tuple[str, ...]
    seed_weights: Path
    train: Path | None
    keep: Path | None
    size: int | None
    align: bool | None
    seed: int
    lpips: str
    features: str
    identity: bool
    draws: int
    floor: int
    out: Path
    cache: Path
    fresh: bool
    save_rendered: Path | None
    rendered: Path | None
    batch_size: int
    workers: int | None
    device: str
    write_card: Path | None
    write_table: Path | None
    quiet: bool


def parser() -> argparse.ArgumentParser:
    """All options with their help."""
    p = argparse.ArgumentParser(
        prog="python -m benchmark",
        description="Measure models that paint the hidden part of masked faces, by group and head "
        "pose, with error bars. Further commands: compare, detect, manifest, seams, speed (each "
        "has --help).",
    )
    data = p.add_argument_group("photos")
    data.add_argument("--data", type=Path, help="folder or label file of bare faces")
    data.add_argument("--drawn", type=int, metavar="N", help="N drawn faces instead of photos")
    data.add_argument("--format", dest="form", default="auto", choices=("auto", *FORMATS))
    data.add_argument("--split", help="default: test where there is one, else val, else all")
    data.add_argument("--limit", type=int, metavar="N", help="only N photos, chosen by content")
    data.add_argument("--where", help="only these, such as ethnicity=asian,pose=30-60")
    data.add_argument(
        "--slices",
        default="ethnicity,pose",
        help="factors: ethnicity, pose, gender, mask_type or any label column; 'none' for no slice",
    )
    data.add_argument(
        "--size", type=int, metavar="PX", help="side of the pictures (default: each photo's own "
        "resolution, 64 to 512 px)",
    )  # fmt: skip
    data.add_argument(
        "--align",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="turn faces upright as well (default: only for AFLW2000)",
    )
    data.add_argument("--seed", type=int, default=0, help="fixes masks, subsets and resamples")
    data.add_argument("--save-rendered", type=Path, metavar="DIR", help="keep the crops as PNG")
    data.add_argument("--rendered", type=Path, metavar="DIR", help="use crops kept earlier")
    models = p.add_argument_group("models")
    models.add_argument("--weights", nargs="+", default=[], metavar="W")
    models.add_argument(
        "--model", dest="models", action="append", default=[], metavar="[NAME=]KIND:...",
        help="someone else's: dir:FOLDER, cmd:'prog {images} {masks} {out}', "
        "cmd:'prog {image} {mask} {out}', python:module:function, onnx:FILE",
    )  # fmt: skip
    models.add_argument("--baseline", default="", help=f"of {', '.join(baselines.NAMES)}")
    models.add_argument("--seed-weights", type=Path, default=Path("weights-seed"), metavar="DIR")
    models.add_argument(
        "--train", type=Path, help="photos that mean-face and pca learn from (default: the train "
        "split of --data)",
    )  # fmt: skip
    models.add_argument(
        "--keep", type=Path, metavar="RESULTS", help="a results.json of the same photos and "
        "settings: models that are in it and not in this run keep their numbers",
    )  # fmt: skip
    metrics = p.add_argument_group("metrics")
    metrics.add_argument(
        "--lpips", default="alex,squeeze,none", metavar="NET[,NET]",
        help="alex, squeeze, vgg or none; of several the first that can be had (default: "
        "%(default)s)",
    )  # fmt: skip
    metrics.add_argument(
        "--features", default="inception,squeezenet1_1,none", metavar="F[,F]",
        help="for FID, KID and C2ST: inception, squeezenet1_1, efficientnet-lite2, module:callable "
        "or none; of several the first that can be had (default: %(default)s)",
    )  # fmt: skip
    metrics.add_argument(
        "--identity", action="store_true", help="make it an error if identity cannot be measured"
    )
    metrics.add_argument("--draws", type=int, default=2000, help="bootstrap resamples")
    metrics.add_argument("--floor", type=int, default=50, help="photos that FID and KID need")
    run = p.add_argument_group("run")
    run.add_argument("--out", type=Path, required=True, metavar="DIR")
    run.add_argument("--cache", type=Path, default=default_folder(), metavar="DIR")
    run.add_argument("--fresh", action="store_true", help="compute anew what the cache holds")
    run.add_argument("--batch-size", type=int, default=32, help="photos in memory at a time")
    run.add_argument("--workers", type=int, help="threads (default: one per core)")
    run.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda"))
    run.add_argument("--write-card", type=Path, metavar="README", help="put results into a card")
    run.add_argument("--write-table", type=Path, metavar="README", help="put the table into a page")
    run.add_argument("--quiet", action="store_true", help="no progress bars")
    return p


def read_options(arguments: list[str]) -> Options:
    """Parse and check.

    Raises:
        UncoverError: options that contradict each other or lie outside their range.
    """
    given = vars(parser().parse_args(arguments))
    given["slices"] = _names(given["slices"], none_is_empty=True)
    given["baselines"] = _names(given.pop("baseline"))
    given["weights"] = tuple(given["weights"])
    given["models"] = tuple(given["models"])
    options = Options(**given)
    _check(options)
    return options


def _names(text: str, none_is_empty: bool = False) -> tuple[str, ...]:
    if none_is_empty and text.strip() in ("none", ""):
        return ()
    return tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))


def _check(o: Options) -> None:
    if (o.data is None) == (o.drawn is None):
        raise UncoverError("give either --data DIR|labels.csv or --drawn N")
    if not (o.weights or o.models or o.baselines):
        raise UncoverError("name at least one of --weights, --model, --baseline")
    for name in o.baselines:
        if name not in baselines.NAMES:
            raise UncoverError(
                f"--baseline {name} is unknown; there are: {', '.join(baselines.NAMES)}"
            )
    ranges = (
        ("--drawn", o.drawn, 2, 100_000),
        ("--limit", o.limit, 1, 10_000_000),
        ("--size", o.size, 64, MAX_SIZE),
        ("--draws", o.draws, 100, 100_000),
        ("--floor", o.floor, 10, 1_000_000),
        ("--batch-size", o.batch_size, 1, 4096),
        ("--workers", o.workers, 1, 256),
    )
    for name, value, low, high in ranges:
        if value is not None and not low <= value <= high:
            raise UncoverError(f"{name} must lie in {low}..{high}, not {value}")
    for page in (o.write_card, o.write_table):
        if page is not None and not page.is_file():
            raise UncoverError(f"{page} does not exist: there is no page to write results into")
    if o.keep is not None and not o.keep.is_file():
        raise UncoverError(f"--keep {o.keep} does not exist")
    if o.out.exists() and not o.out.is_dir():
        raise UncoverError(f"--out {o.out} is not a folder")
    if o.rendered and o.save_rendered:
        raise UncoverError("give --rendered or --save-rendered, not both")


def add_face_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the commands that draw masks on bare faces and look at one model."""
    add = parser.add_argument
    add("--data", type=Path, help="bare faces to draw masks on, as for the benchmark")
    add("--drawn", type=int, metavar="N", help="N drawn faces instead of --data")
    add("--split")
    add("--limit", type=int, metavar="N", help="only N photos, chosen by content")
    add("--weights", default="default", metavar="W")
    add("--size", type=int, default=256, help="side of the face crop in pixels")
    add("--seed", type=int, default=0, help="fixes the masks")
    add("--out", type=Path, required=True, metavar="DIR")
    add("--cache", type=Path, default=default_folder(), metavar="DIR")
    add("--quiet", action="store_true")
