from __future__ import annotations

from pathlib import Path

import pytest

from tests.uncover.scale.scenes import BROKEN, masked, uncover
from uncover.commands import main
from uncover.scale import Work


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(Work, "worker", lambda work: uncover(work.column))
    (tmp_path / "in").mkdir()
    for i in range(3):
        (tmp_path / "in" / f"{i}.png").write_bytes(masked(i))
    return tmp_path / "in"


def test_a_folder_and_what_is_said(source: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = source.parent / "out"
    assert main(["scale", str(source), str(out), "--no-ray"]) == 0
    assert "3 photos in 1 shards: 3 filled" in capsys.readouterr().err
    assert len(list(out.glob("*.png"))) == 3
    (source / "broken.png").write_bytes(BROKEN)
    assert main(["scale", str(source), str(out), "--no-ray"]) == 1
    assert "1 failed, 3 filled" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("source_name", "target", "code", "said"),
    [
        ("in", "in/out", 2, "would mix with the photos"),
        ("in", ".", 2, "would mix with the photos"),
        ("nowhere", "out", 1, "does not exist"),
        ("in/0.png", "out", 1, "no folder, .tar or .parquet"),
    ],
)
def test_what_cannot_be_meant_is_one_line(
    source: Path,
    capsys: pytest.CaptureFixture[str],
    source_name: str,
    target: str,
    code: int,
    said: str,
) -> None:
    top = source.parent
    words = ["scale", str(top / source_name), str(top / target), "--no-ray"]
    assert main(words) == code
    err = capsys.readouterr().err.strip().splitlines()[-1]
    assert err.startswith("error: ")
    assert said in err


def test_a_full_disk_is_one_line_and_can_be_gone_on_with(
    source: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    out = source.parent / "out"
    real = Path.write_bytes

    def full(path: Path, data: bytes) -> int:
        if path.suffix == ".part":
            raise OSError(28, "No space left on device", str(path))
        return real(path, data)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", full)
        assert main(["scale", str(source), str(out), "--no-ray"]) == 1
    assert "No space left" in capsys.readouterr().err.strip().splitlines()[-1]
    assert main(["scale", str(source), str(out), "--no-ray"]) == 0
    assert len(list(out.glob("*.png"))) == 3
    assert list(out.glob(".*.part")) == []
