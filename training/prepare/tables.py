"""CSV files of labels: columns found under their names, their aliases, or names that were given."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from uncover.errors import UncoverError
from uncover.faces import Table

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
    """(line number, {field: cell}) of each row, for the fields the file has.

    Raises UncoverError: no readable CSV, or without a column that is `required` or named.
    """
    if not path.is_file():
        raise UncoverError(f"{path} is not there; name the labels with --labels FILE")
    table, names = Table(path), {}
    for name in CSV_FIELDS:
        wanted = (columns[name],) if name in columns else (name, *CSV_ALIASES.get(name, ()))
        names[name] = next((column for column in wanted if column in table.columns), None)
        if names[name] is None and (name in columns or name in required):
            have = ", ".join(table.columns) or "none"
            raise UncoverError(f"{path} has no column '{wanted[0]}'; it has: {have}")
    for line, row in table:
        yield line, {n: row[c] for n, c in names.items() if c is not None}
