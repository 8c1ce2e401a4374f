from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from uncover.atomic import recovered, whole_file, whole_folder, write_atomically

ROOT = Path(__file__).parents[2]


def stop(path: Path, error: BaseException) -> None:
    path.write_text("half of the n")
    raise error


def test_a_file_is_replaced_and_nothing_else_is_left(tmp_path: Path) -> None:
    for text in (b"old", b"new"):
        write_atomically(tmp_path / "deep" / "a.txt", text)
    assert (tmp_path / "deep" / "a.txt").read_bytes() == b"new"
    assert [p.name for p in (tmp_path / "deep").iterdir()] == ["a.txt"]


def test_what_fails_on_the_way_leaves_the_old_file_and_no_part(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(KeyboardInterrupt), whole_file(path) as part:
        stop(part, KeyboardInterrupt())
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_what_a_killed_run_left_is_swept_away_and_what_is_being_written_is_not(
    tmp_path: Path,
) -> None:
    code = "import os, sys; from pathlib import Path; from uncover.atomic import whole_file\n"
    code += "with whole_file(Path(sys.argv[1])) as part:\n part.touch(); os.kill(os.getpid(), 9)"
    subprocess.run([sys.executable, "-c", code, tmp_path / "a.txt"], cwd=ROOT, check=False)
    left = [path.name for path in tmp_path.iterdir()]
    assert len(left) == 1
    with whole_file(tmp_path / "b.txt") as part:
        assert part.exists()
        part.write_text("b")
        subprocess.run(  # another run, beside it
            [sys.executable, "-c", code.replace("os.kill", "0 and os.kill"), tmp_path / "a.txt"],
            cwd=ROOT, check=True,
        )  # fmt: skip
        assert part.exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.txt", "b.txt"]


def test_a_link_stays_one_and_its_file_is_replaced(tmp_path: Path) -> None:
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_text("old")
    link.symlink_to(target)
    write_atomically(link, b"new")
    assert link.is_symlink()
    assert target.read_text() == "new"


def test_the_longest_name_that_a_disk_takes_can_be_written(tmp_path: Path) -> None:
    write_atomically(tmp_path / ("n" * 255), b"x")
    assert len(list(tmp_path.iterdir())) == 1


def test_a_folder_is_replaced_whole(tmp_path: Path) -> None:
    folder = tmp_path / "f"
    for name in ("old", "new"):
        with whole_folder(folder) as part:
            (part / name).touch()
    assert [p.name for p in folder.iterdir()] == ["new"]
    assert list(tmp_path.iterdir()) == [folder]


def test_a_folder_that_fails_on_the_way_stays_as_it_was(tmp_path: Path) -> None:
    folder = tmp_path / "f"
    folder.mkdir()
    (folder / "old").touch()
    with pytest.raises(OSError, match="full"), whole_folder(folder) as part:
        stop(part / "new", OSError("the disk is full"))
    assert [p.name for p in folder.iterdir()] == ["old"]
    assert list(tmp_path.iterdir()) == [folder]


def test_a_folder_whose_last_rename_fails_is_put_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, rename = tmp_path / "f", Path.replace
    folder.mkdir()
    (folder / "old").touch()

    def fail(self: Path, target: Path) -> Path:
        if self.name == "f.part":
            raise OSError("no")
        return rename(self, target)

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OSError, match="no"), whole_folder(folder):
        pass
    assert [p.name for p in folder.iterdir()] == ["old"]


def test_what_was_killed_between_two_renames_is_found_again(tmp_path: Path) -> None:
    (tmp_path / "f.old").mkdir()
    (tmp_path / "f.old" / "kept").touch()
    assert [p.name for p in recovered(tmp_path / "f").iterdir()] == ["kept"]
