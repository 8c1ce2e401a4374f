"""Two processes agree, whether they read photos or shards."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.training.gan.runs_in_turn import BETWEEN
from tests.training.two_processes import train_in_two
from training.pack.command import pack
from training.run.checkpoint import load_checkpoint
from uncover.faces.drawn import write_drawn_faces

pytest.importorskip("webdataset")


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of two runs of two processes, one on photos and one on shards of them."""
    top = tmp_path_factory.mktemp("two")
    photos = write_drawn_faces(top / "data", 15, seed=2, size=96)
    pack(photos, 3, 64)

    def words(data: Path, name: str) -> list[str]:
        return ["--data", str(data), "--preset", "smoke", "--out", str(top / name)]

    both = [*words(photos, "photos"), BETWEEN, *words(photos / "shards", "shards")]
    done = train_in_two(*both, module="tests.training.gan.runs_in_turn")
    assert done.returncode == 0, done.stderr[:4000]  # the cause comes first
    return top


@pytest.mark.parametrize("name", ["photos", "shards"])
def test_two_processes_end_with_the_same_weights(runs: Path, name: str) -> None:
    state = load_checkpoint(runs / name / "checkpoint")
    assert state["seen"] == 32
    assert len(state["fingerprints"]) == 2
    assert state["fingerprints"][0] == state["fingerprints"][1] > 0
