"""Any face data set -> manifest.csv with landmarks, pose, sharpness and split.

    python -m training.prepare SRC --format utkface|fairface|vggface2|aaf|folder|csv --out DIR

Pictures are worked through in chunks, in a fixed order, by several processes. Each finished chunk
is kept in DIR/.parts until the end, so that a killed run goes on where it was and ends with the
same bytes as one that was not. What cannot be used is listed in DIR/failed.csv with the reason.
With --shards the photos are packed into tars as well (`training.pack`).
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import os
import shutil
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import NoReturn

from tqdm import tqdm

from training.data import need_webdataset
from training.pack import pack
from training.prepare.duplicates import HASHES_NAME, Twins, read_hashes
from training.prepare.measure import Measured, MeasureSettings
from training.prepare.parts import Pool, load_part, part_path
from training.prepare.readers import FORMATS, SourceItem, SourceOptions, open_source
from training.prepare.summary import LEFT_OUT_COLUMNS, LEFT_OUT_NAME, Summary
from training.prepare.tables import CSV_FIELDS
from training.run import run_to_exit
from uncover.errors import UncoverError
from uncover.faces import (
    FAILED_NAME,
    MANIFEST_COLUMNS,
    MANIFEST_NAME,
    SPLITS,
    write_info,
    write_rows,
)

PARTS_NAME = ".parts"
CHUNK = 64


@dataclass(frozen=True)
class PrepareSettings:
    """Everything a preparation depends on; `workers` alone does not change the result.

    shards: tars of the train split to pack the photos into as well (`training.pack`); 0 for none.
    against: folders that were prepared earlier; near-duplicates of what they keep are left out.
    """

    source: Path
    format: str
    out: Path
    options: SourceOptions = field(default_factory=SourceOptions)
    measure: MeasureSettings = field(default_factory=MeasureSettings)
    workers: int = 1
    shards: int = 0
    against: tuple[Path, ...] = ()

    def items(self) -> Iterator[SourceItem]:
        return open_source(self.format, self.source, self.options)


def prepare(settings: PrepareSettings) -> Summary:
    """Write manifest.csv, failed.csv and prepare.json into `settings.out`; returns the counts.

    Raises UncoverError for a bad source or output folder, or when no picture is usable.
    """
    if settings.shards:
        need_webdataset()
    for folder in settings.against:
        read_hashes(folder)  # a wrong folder is told before the work, not after it
    total = sum(1 for _ in settings.items())
    if total == 0:
        raise UncoverError(f"no pictures were found in {settings.source}")
    parts = settings.out / PARTS_NAME
    try:
        parts.mkdir(parents=True, exist_ok=True)
        (parts / "writable").touch()
    except OSError as error:
        raise UncoverError(f"cannot write to {settings.out}: {error.strerror}") from error
    count = _work(settings, parts, total)
    summary = _merge(settings, parts, count)
    shutil.rmtree(parts)
    if summary.usable == 0:
        raise UncoverError(
            f"none of {total} pictures is usable; the reasons are in {settings.out / FAILED_NAME}"
        )
    if settings.shards:
        pack(settings.out, settings.shards, workers=settings.workers, progress=True)
    return summary


def _work(settings: PrepareSettings, parts: Path, total: int) -> int:
    """Have every chunk measured, except those whose part lies there already; number of chunks."""
    items = settings.items()
    chunks = iter(lambda: list(itertools.islice(items, CHUNK)), [])
    count = 0
    with (
        Pool(settings.workers) as pool,
        tqdm(total=total, unit="img", desc="prepare", smoothing=0.05) as bar,
    ):
        for count, chunk in enumerate(chunks, start=1):
            path, key = part_path(parts, count - 1), _signature(settings, chunk)
            if load_part(path, key) is not None:
                bar.update(len(chunk))
                continue
            for done in pool.submit(path, key, (settings.source, chunk, settings.measure)):
                bar.update(done)
        for done in pool.drain():
            bar.update(done)
    return count


def _signature(settings: PrepareSettings, chunk: list[SourceItem]) -> str:
    """Hash of all that a part's content depends on: items, file sizes and times, settings."""
    digest = hashlib.sha256(repr((str(settings.source), asdict(settings.measure))).encode())
    for item in chunk:
        try:
            status = (settings.source / item.path).stat()
            state = (status.st_size, status.st_mtime_ns)
        except (OSError, ValueError):
            state = (-1, -1)
        digest.update(repr((item, state)).encode(errors="backslashreplace"))
    return digest.hexdigest()


def _merge(settings: PrepareSettings, parts: Path, count: int) -> Summary:
    """Join the parts into the final files, one part in memory at a time."""
    summary = Summary()

    def read(index: int) -> Measured:
        part = load_part(part_path(parts, index), key=None)
        if part is None:
            raise UncoverError(f"part {index} in {parts} was lost; run again")
        return part

    twins = (
        Twins.among(map(read, range(count)), settings.against) if settings.measure.clean else None
    )

    def rows() -> Iterator[list[str]]:
        for index in range(count):
            for row in read(index).rows:
                fields = dict(zip(MANIFEST_COLUMNS, row, strict=True))
                if twins is None or fields["path"] not in twins.of:
                    summary.add(fields)
                    yield row

    def failures() -> Iterator[list[str]]:
        for index in range(count):
            part = read(index)
            for path, reason, ethnicity, yaw in part.failures:
                summary.leave_out(reason, ethnicity, yaw)
                yield [path, reason]
            for row in part.rows:
                fields = dict(zip(MANIFEST_COLUMNS, row, strict=True))
                if twins is not None and fields["path"] in twins.of:
                    reason = f"near-duplicate: of {twins.of[fields['path']]}"
                    summary.leave_out(reason, fields["ethnicity"], fields["yaw"])
                    yield [fields["path"], reason]

    given: Counter[str] = Counter(name for item in settings.items() for name in item.pose)
    try:
        write_rows(settings.out / FAILED_NAME, ("path", "reason"), failures())
        rows_read = rows()
        first = next(rows_read, None)
        if first is not None:
            write_rows(
                settings.out / MANIFEST_NAME,
                MANIFEST_COLUMNS,
                itertools.chain([first], rows_read),
            )
            write_rows(settings.out / LEFT_OUT_NAME, LEFT_OUT_COLUMNS, summary.left_out_rows())
            if twins is not None:
                write_rows(settings.out / HASHES_NAME, ("split", "path", "hash"), twins.kept)
            write_info(
                settings.out,
                {
                    "format": settings.format,
                    "root": str(settings.source),
                    "pose": "given" if given["yaw"] else "estimated",
                    "given": sorted(given),
                    "measure": asdict(settings.measure),
                    **summary.as_dict(),
                },
            )
    except OSError as error:
        raise UncoverError(f"cannot write to {settings.out}: {error.strerror}") from error
    return summary


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        print(f"error: {message}", file=sys.stderr)
        raise SystemExit(2)


def _share(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"{text} is not within 0..1")
    return value


def _whole(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text} is less than 1")
    return value


def _mapping(text: str) -> tuple[str, str]:
    ours, equals, theirs = text.partition("=")
    if not equals or ours not in CSV_FIELDS or not theirs:
        raise argparse.ArgumentTypeError(
            f"'{text}' is not FIELD=COLUMN with FIELD one of {', '.join(CSV_FIELDS)}"
        )
    return ours, theirs


def parse_arguments(arguments: Sequence[str] | None = None) -> PrepareSettings:
    """Settings from a command line; prints one line and exits with 2 when it is wrong."""
    parser = _Parser(prog="python -m training.prepare", description=__doc__.split("\n")[0])
    parser.add_argument("source", type=Path, help="folder of the data set, or a CSV of labels")
    parser.add_argument("--format", required=True, choices=tuple(FORMATS))
    parser.add_argument("--out", required=True, type=Path, help="folder for the manifest")
    parser.add_argument("--labels", type=Path, help="CSV of labels (csv: SRC/labels.csv)")
    parser.add_argument(
        "--column",
        type=_mapping,
        action="append",
        default=[],
        metavar="FIELD=COLUMN",
        help="take FIELD from this column of the CSV",
    )
    parser.add_argument(
        "--val", type=_share, default=0.05, help="share of val, where none is given"
    )
    parser.add_argument("--test", type=_share, default=0.05, help="share of test, likewise")
    parser.add_argument("--split", choices=SPLITS, help="this split for all that have none")
    parser.add_argument(
        "--min-age", type=int, default=18, help="leave out faces labelled younger; 18 unless told"
    )
    parser.add_argument(
        "--against",
        type=Path,
        nargs="+",
        default=[],
        metavar="DIR",
        help="prepared folders: leave out near-duplicates of their photos",
    )
    parser.add_argument(
        "--no-clean", action="store_true", help="keep blur, borders, masks and near-duplicates"
    )
    parser.add_argument("--workers", type=_whole, default=os.cpu_count() or 1, help="processes")
    parser.add_argument(
        "--shards", type=_whole, default=0, metavar="N", help="also pack the photos into N tars"
    )
    args = parser.parse_args(arguments)
    if args.val + args.test > 1:
        parser.error("--val and --test together are more than 1")
    labels, source = args.labels, args.source
    if args.format == "csv" and source.is_file() and labels is None:
        labels, source = source, source.parent
    return PrepareSettings(
        source=source.absolute(),
        format=args.format,
        out=args.out,
        options=SourceOptions(labels=labels, columns=dict(args.column)),
        measure=MeasureSettings(
            args.val, args.test, args.split, args.min_age, clean=not args.no_clean
        ),
        against=tuple(args.against),
        workers=args.workers,
        shards=args.shards,
    )


def interrupt(number: int, frame: object) -> NoReturn:
    raise KeyboardInterrupt


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; returns the exit status (0 done, 1 an error, 130 interrupted)."""
    settings = parse_arguments(arguments)

    def work() -> None:
        print(prepare(settings).text())
        print(f"written to {settings.out / MANIFEST_NAME}")

    return run_to_exit(work, "stopped; run the same command again to go on")
