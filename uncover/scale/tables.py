"""Rows of Parquet files, read and written; needs pyarrow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow.parquet import ParquetFile, ParquetWriter, write_table

from uncover.errors import UncoverError

NEW = {"status": pa.string(), "reason": pa.string(), "filled": pa.int64(), "faces": pa.string()}


def read_rows(path: Path, group: int, first: int, count: int, column: str) -> pa.Table:
    """Some rows of a row group; what comes after them is not decoded.

    Raises:
        UncoverError: there is no such column, the file is damaged, or it is not photos' bytes.
    """
    try:
        with ParquetFile(path) as file:
            kind = next((f.type for f in file.schema_arrow if f.name == column), None)
            if kind is None:
                names = ", ".join(file.schema_arrow.names)
                raise UncoverError(f"{path}: no column {column!r} among {names}: give --column")
            if not _holds_bytes(kind):
                raise UncoverError(f"{path}: column {column!r} holds {kind}, not files as bytes")
            rows: list[pa.RecordBatch] = []
            seen = 0
            for batch in file.iter_batches(count, row_groups=[group]):
                rows.append(batch.slice(max(0, first - seen)))
                seen += batch.num_rows
                if seen >= first + count:
                    break
                if seen <= first:
                    rows.clear()
            return pa.Table.from_batches(rows, file.schema_arrow).slice(0, count)
    except (pa.ArrowException, OSError) as error:
        raise UncoverError(f"{path}: damaged: {' '.join(str(error).split())}") from None


def write_rows(table: pa.Table, new: Mapping[str, Any], column: str, target: Path) -> None:
    """The rows with their column of photos replaced and `NEW` columns added or replaced."""
    kind = table.schema.field(column).type
    at = table.schema.get_field_index(column)
    table = table.set_column(
        at, pa.field(column, kind, nullable=True), pa.array(list(new[column]), kind)
    )
    for name, kind in NEW.items():
        if name in table.column_names:
            table = table.drop_columns([name])
        table = table.append_column(name, pa.array(list(new[name]), kind))
    write_table(table, target)


def append_tables(parts: Sequence[Path], target: Path) -> None:
    """One file of several with the same columns, each a row group."""
    writer: ParquetWriter | None = None
    try:
        for part in parts:
            with ParquetFile(part) as file:
                table = file.read()
            writer = writer or ParquetWriter(target, table.schema)
            writer.write_table(table)
    finally:
        if writer is not None:
            writer.close()


def _holds_bytes(kind: pa.DataType) -> bool:
    if pa.types.is_struct(kind):
        return any(f.name == "bytes" and _holds_bytes(f.type) for f in kind)
    return bool(
        pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_binary_view(kind)
    )
