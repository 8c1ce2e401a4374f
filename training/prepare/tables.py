"""CSV files of labels: columns found under their names or aliases, blanks around names forgiven."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path

from uncover.errors import UncoverError

CSV_FIELDS = ("path", "split", "identity", "ethnicity", "gender", "age", "yaw", "pitch", "roll")
# Other names under which a column is accepted when the plain one is absent.
CSV_ALIASES = {
    "path": ("file",),
    "identity": ("Class_ID", "class_id"),
    "ethnicity": ("perceived_ethnicity", "race"),
    "gender": ("perceived_gender", "Gender"),
}


def read_table(
    path: Path, columns: Mapping[str, str], required: tuple[str, ...]
) -> Iterator[tuple[int, dict[str, str]]]:
    """(line number, {field: cell}) of each row, for the fields the file has."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as stream:
            reader = csv.DictReader(stream, restval="", skipinitialspace=True)
            header = reader.fieldnames = [name.strip() for name in reader.fieldnames or []]
            names = {}
            for name in CSV_FIELDS:
                wanted = (columns[name],) if name in columns else (name, *CSV_ALIASES.get(name, ()))
                names[name] = next((column for column in wanted if column in header), None)
                if names[name] is None and (name in columns or name in required):
                    raise UncoverError(
                        f"{path} has no column '{wanted[0]}'; it has: {', '.join(header) or 'none'}"
                    )
            for row in reader:
                yield reader.line_num, {n: row[c] for n, c in names.items() if c is not None}
    except FileNotFoundError:
        raise UncoverError(f"{path} is not there; name the labels with --labels FILE") from None
    except UnicodeDecodeError:
        raise UncoverError(
            f"{path} cannot be read as a CSV: it is not UTF-8; save it as CSV in UTF-8"
        ) from None
    except (OSError, csv.Error) as error:
        raise UncoverError(f"{path} cannot be read as a CSV: {error}") from error
