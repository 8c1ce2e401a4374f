"""A short run on a machine that has a GPU and little else: what goes there, what comes back.

    python -m training.gpu pack parcel --data prepared/fairface --data prepared/aaf
    python -m training.gpu train parcel back --init weights --minutes 11      # there
    python -m training.gpu join back runs/gpu-weights                         # here again

`pack` chooses photos of the train split, balanced as in training, until the size is reached, and
writes each folder of the parcel as a prepared one that needs nothing beside it. `train` runs
`training.gan` on all of them, with the preset `gpu-short` unless told otherwise, and cuts the
weights into files small enough to be fetched. `join` puts them together and checks them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path

import numpy as np

from training.data import Balance, draw_probabilities
from training.gan import main as train_gan
from training.pack import shrunk
from training.run import command_parser, run_to_exit
from uncover.atomic import whole_folder, write_atomically
from uncover.errors import UncoverError
from uncover.faces import (
    MANIFEST_COLUMNS,
    MANIFEST_NAME,
    FaceRecord,
    read_manifest,
    write_info,
    write_rows,
)

MIB = 1 << 20
LIST = "parts.json"


def pack(
    folders: Sequence[Path],
    out: Path,
    size: int,
    parts: int = 1,
    resolution: int = 256,
    balance: Balance | None = None,
    seed: int = 0,
) -> list[int]:
    """Write `out`/1 to `out`/`parts`, prepared folders of at most `size` bytes; photos in each.

    folders: made by `training.prepare`. size: of a part in bytes, its manifest included. Each part
    gets photos of the train split that no other part has, and the first also up to 64 of val.
    Raises UncoverError when there are no photos for a part.
    """
    records = [record for folder in folders for record in read_manifest(folder)]
    train = [record for record in records if record.split == "train"]
    val = sorted((r for r in records if r.split == "val"), key=lambda record: record.sha256)[:64]
    if not train or not val:
        raise UncoverError("the data given has no photo in its train split, or none in val")
    chances = draw_probabilities(train, balance or Balance())
    # The order in which weighted draws without return would take them (Efraimidis & Spirakis 2006,
    # doi:10.1016/j.ipl.2005.11.003).
    keys = np.random.default_rng(seed).exponential(size=len(train)) / np.maximum(chances, 1e-12)
    waiting = iter([train[k] for k in np.argsort(keys)])
    counts = []
    with whole_folder(out) as partial:
        for number in range(1, parts + 1):
            kept = _fill(
                partial / str(number), waiting, val if number == 1 else [], size, resolution
            )
            if not kept:
                raise UncoverError(f"no photo is left for part {number}: ask for fewer parts")
            counts.append(kept)
    return counts


def _fill(
    folder: Path, waiting: Iterator[FaceRecord], first: list[FaceRecord], size: int, resolution: int
) -> int:
    """One part of a parcel: `first`, then as many of `waiting` as fit; how many of those."""
    (folder / "photos").mkdir(parents=True)
    rows, used, kept = [], 4096, 0
    for record, counted in chain(((r, 0) for r in first), ((r, 1) for r in waiting)):
        cut, data = shrunk(record, resolution)
        suffix = record.file.suffix if cut is record else ".jpg"
        path = f"photos/{record.sha256[:20]}{suffix}"
        row = replace(cut, path=path).to_row()
        needed = len(data) + sum(map(len, row)) + len(row)
        if used + needed > size:
            break
        (folder / path).write_bytes(data)
        rows.append(row)
        used, kept = used + needed, kept + counted
    write_rows(folder / MANIFEST_NAME, MANIFEST_COLUMNS, rows)
    write_info(folder, {"format": "parcel", "root": ".", "pose": "estimated", "given": []})
    return kept


def train(
    parcel: Path, back: Path, init: Path | None, minutes: float, changes: Sequence[str]
) -> None:
    """Train on all parts of a parcel for so many minutes; `back` gets the weights, cut in parts.

    changes: more words for `python -m training.gan`. Raises UncoverError when there is no part, or
    the run did not end well.
    """
    parts = sorted(path.parent for path in parcel.glob(f"*/{MANIFEST_NAME}"))
    if not parts:
        raise UncoverError(f"{parcel} holds no part of a parcel")
    run = back.with_name(back.name + "-run")
    words = [word for part in parts for word in ("--data", str(part))]
    words += ["--out", str(run), "--max-minutes", str(minutes)]
    words += ["--init", str(init)] if init else []
    words += [] if "--preset" in changes else ["--preset", "gpu-short"]
    if train_gan([*words, *changes]):
        raise UncoverError(f"the run in {run} did not end well; what it says is above")
    if not (run / "weights").is_dir():
        raise UncoverError(f"{run} has no weights yet: the fine stage was not reached")
    split(run / "weights", back)


def split(weights: Path, out: Path, most: int = 15 * MIB) -> list[str]:
    """Cut the files of a weights folder into parts of at most `most` bytes; their names."""
    listed: dict[str, dict[str, object]] = {}
    with whole_folder(out) as partial:
        for path in sorted(p for p in weights.iterdir() if p.is_file()):
            data = path.read_bytes()
            names = []
            for number, start in enumerate(range(0, max(len(data), 1), most)):
                names.append(f"{path.name}.{number:03d}")
                (partial / names[-1]).write_bytes(data[start : start + most])
            listed[path.name] = {"parts": names, "sha256": hashlib.sha256(data).hexdigest()}
        (partial / LIST).write_text(json.dumps(listed, indent=1) + "\n", encoding="utf-8")
    return [name for entry in listed.values() for name in entry["parts"]]  # type: ignore[attr-defined]


def join(back: Path, weights: Path) -> None:
    """Put together what `split` cut. Raises UncoverError when a part is missing or damaged."""
    try:
        listed = json.loads((back / LIST).read_text(encoding="utf-8"))
        with whole_folder(weights) as partial:
            for name, entry in listed.items():
                data = b"".join((back / part).read_bytes() for part in entry["parts"])
                if hashlib.sha256(data).hexdigest() != entry["sha256"]:
                    raise UncoverError(f"{back}: the parts of {name} are damaged; fetch them again")
                write_atomically(partial / Path(name).name, data)
    except FileNotFoundError as error:
        raise UncoverError(f"{error.filename} is missing; fetch it too") from None
    except (OSError, ValueError, KeyError, AttributeError) as error:
        raise UncoverError(f"{back}: {LIST} cannot be read: {error}") from error


def main(argv: Sequence[str] | None = None) -> int:
    """Command line; returns the exit status."""
    parser = command_parser("training.gpu", __doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    packing = verbs.add_parser("pack", help="photos, in folders of a given size")
    packing.add_argument("out", type=Path)
    packing.add_argument("--data", type=Path, action="append", required=True)
    packing.add_argument("--mib", type=int, default=60, help="size of a part (default: 60)")
    packing.add_argument("--parts", type=int, default=1)
    packing.add_argument("--sharp", type=float, default=0.5, help="as `sharp` of training.gan")
    training = verbs.add_parser("train", help="train on a parcel, cut the weights in parts")
    training.add_argument("parcel", type=Path)
    training.add_argument("back", type=Path)
    training.add_argument("--init", type=Path)
    training.add_argument("--minutes", type=float, default=11.0)
    training.epilog = "All other options go to training.gan, such as --preset and --set."
    joining = verbs.add_parser("join", help="a weights folder from its parts")
    joining.add_argument("back", type=Path)
    joining.add_argument("weights", type=Path)
    args, more = parser.parse_known_args(argv)
    if more and args.verb != "train":
        parser.error(f"unknown: {' '.join(more)}")

    def work() -> None:
        if args.verb == "pack":
            balance = Balance(sharp=args.sharp)
            counts = pack(args.data, args.out, args.mib * MIB, args.parts, balance=balance)
            print(f"{args.out}: {' + '.join(map(str, counts))} photos")
        elif args.verb == "train":
            train(args.parcel, args.back, args.init, args.minutes, more)
            print(f"{args.back}: fetch it, then: python -m training.gpu join")
        else:
            join(args.back, args.weights)
            print(args.weights)

    return run_to_exit(work)
