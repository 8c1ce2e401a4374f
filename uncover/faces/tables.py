"""CSV files of labels: a header, blanks around its names forgiven, and one row per picture."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

from uncover.errors import UncoverError


class Table:
    """An open CSV: its `columns`, and the rows it gives one by one, once."""

    def __init__(self, path: Path) -> None:
        """Raises UncoverError: the file is not there or is no CSV in UTF-8."""
        self.path = path
        self._rows = self._read()
        self.columns = tuple(next(self._rows)[1])

    def __iter__(self) -> Iterator[tuple[int, dict[str, str]]]:
        """(number of the line, {column: cell}) of each row; cells that a row lacks are empty.

        Raises UncoverError where the file stops being a CSV in UTF-8.
        """
        return self._rows

    def _read(self) -> Iterator[tuple[int, dict[str, str]]]:
        """The names of the columns, as the keys of line 0, and then the rows."""
        try:
            with self.path.open(newline="", encoding="utf-8-sig") as stream:
                reader = csv.DictReader(stream, restkey="", restval="", skipinitialspace=True)
                reader.fieldnames = [name.strip() for name in reader.fieldnames or []]
                yield 0, dict.fromkeys(reader.fieldnames, "")
                for row in reader:
                    yield reader.line_num, row
        except FileNotFoundError:
            raise UncoverError(f"{self.path} is not there") from None
        except UnicodeDecodeError:
            raise UncoverError(
                f"{self.path} cannot be read as CSV: it is not UTF-8; save it as CSV in UTF-8"
            ) from None
        except (OSError, csv.Error) as error:
            raise UncoverError(f"{self.path} cannot be read as CSV: {error}") from error
