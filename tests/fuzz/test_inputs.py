from __future__ import annotations

from pathlib import Path

from tests.fuzz.inputs import attempts, run


def test_good_files_are_read(tmp_path: Path) -> None:
    for _, good, read in attempts(tmp_path):
        for data in good:
            read(data)


def test_five_hundred_damaged_files_are_read_or_refused_in_one_line(tmp_path: Path) -> None:
    found = run(tmp_path, 0, 500)
    assert sum(taken + refused for taken, refused in found.values()) == 500
    assert all(refused for _, refused in found.values())
