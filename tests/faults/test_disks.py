"""The short form of `python -m tests.faults.disks`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.commands import COMMANDS, QUICK
from tests.faults.disks import may_mount, try_out

pytestmark = pytest.mark.timeout(900)  # of a busy machine: it imports all that there is


@pytest.mark.parametrize("name", QUICK)
def test_a_disk_that_is_full_or_read_only_is_one_line(name: str, tmp_path: Path) -> None:
    command = COMMANDS[name]()
    report = try_out(command, 3, tmp_path / "top")
    command.close()
    assert report.faults == []
    assert report.refused >= (1 if may_mount() else 0)
