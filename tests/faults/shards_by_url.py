"""`python -m tests.faults.shards_by_url`: two processes train on shards from a bad web server.

The server runs on this machine and drops the connection in the middle of every second file. The
run is killed with SIGKILL once it has a checkpoint, gone on with, and must end with the same bits
as two processes that read the shards from the disk undisturbed.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import tempfile
import time
from pathlib import Path

from safetensors.torch import load_file
from torch import Tensor

from tests.training.file_server import served
from tests.training.two_processes import ROOT, in_two, train_in_two
from training.pack import pack
from training.run import load_checkpoint
from uncover.faces import write_drawn_faces

PRESET = ("--preset", "smoke")


def bits(run: Path) -> dict[str, Tensor]:
    """All that a run remembers, of both stages."""
    found = {}
    for part in ("coarse/checkpoint", "checkpoint"):
        for name, value in load_file(run / part / "tensors.safetensors").items():
            found[f"{part}/{name}"] = value
    return found


def killed_at_a_checkpoint(source: str, out: Path) -> int:
    """Start it, SIGKILL all its processes at the first checkpoint of the fine stage; images so far.

    Raises SystemExit when it ends before.
    """
    command, environment = in_two("--data", source, *PRESET, "--out", str(out))
    run = subprocess.Popen(
        command, cwd=ROOT, env=environment, start_new_session=True, stdout=subprocess.DEVNULL
    )
    while not (out / "checkpoint" / "state.json").exists():
        if run.poll() is not None:
            raise SystemExit("the run ended before it could be killed")
        time.sleep(0.01)
    os.killpg(run.pid, signal.SIGKILL)
    run.wait()
    return int(load_checkpoint(out / "checkpoint")["seen"])


def main() -> int:
    """Say what came out; 1 when the bits differ."""
    argparse.ArgumentParser(prog="python -m tests.faults.shards_by_url").parse_args()
    dropped: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        top = Path(folder)
        pack(write_drawn_faces(top / "data", 15, seed=2, size=96), 3, 64)
        shards = top / "data" / "shards"
        undisturbed = train_in_two("--data", str(shards), *PRESET, "--out", str(top / "whole"))
        if undisturbed.returncode:
            raise SystemExit(undisturbed.stderr)
        with served(shards, drop_every=2, dropped=dropped) as url:
            seen = killed_at_a_checkpoint(url, top / "cut")
            again = train_in_two("--data", url, *PRESET, "--out", str(top / "cut"), "--resume")
        if again.returncode:
            raise SystemExit(again.stderr)
        one, two = bits(top / "whole"), bits(top / "cut")
        total = load_checkpoint(top / "cut" / "checkpoint")["seen"]
    other = [name for name in one if not one[name].equal(two[name])]
    print(f"two processes, {len(dropped)} connections dropped, killed at {seen} of {total} images:")
    print(f"{len(one)} tensors, {len(other)} differ from those of an undisturbed run")
    return int(bool(other) or one.keys() != two.keys() or not dropped)


if __name__ == "__main__":
    raise SystemExit(main())
