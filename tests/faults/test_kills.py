"""The short form of `python -m tests.faults.kills`: two kills of what is quick."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.commands import COMMANDS, QUICK
from tests.faults.files import broken, contents, differences, leftovers
from tests.faults.kills import try_out

pytestmark = pytest.mark.timeout(900)  # of a busy machine: it imports all that there is


@pytest.mark.parametrize("name", QUICK)
def test_what_is_killed_goes_on_and_ends_the_same(name: str, tmp_path: Path) -> None:
    command = COMMANDS[name]()
    report = try_out(command, 2, tmp_path / "top")
    command.close()
    assert report.faults == []
    assert report.kills == 2
    assert report.finished >= 1


def test_half_files_are_noticed(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"minutes": 1, "seen": 2')
    (tmp_path / "b.csv").write_text("x,y\n1")
    (tmp_path / ".1.ab.part").touch()
    assert [fault.split(":")[0] for fault in broken(tmp_path)] == ["a.json", "b.csv"]
    assert leftovers(tmp_path) == [".1.ab.part"]


def test_results_that_differ_are_noticed(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"minutes": 1, "seen": 2}')
    before = contents(tmp_path)
    (tmp_path / "a.json").write_text('{"minutes": 9, "seen": 2}')
    assert differences(contents(tmp_path), before) == []
    (tmp_path / "a.json").write_text('{"minutes": 9, "seen": 3}')
    (tmp_path / "b.txt").write_text("b")
    assert differences(contents(tmp_path), before) == ["a.json is other", "b.txt is new"]
