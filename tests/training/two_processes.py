"""`training.gan` as two processes on the CPU."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def train_in_two(*arguments: str) -> subprocess.CompletedProcess[str]:
    """The finished command, its output captured."""
    command, environment = in_two(*arguments)
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)


def in_two(*arguments: str) -> tuple[list[str], dict[str, str]]:
    """The words and the environment of such a command, to be run in `ROOT`.

    Without mpirun, `accelerate launch --cpu` starts one process; this starts two, on the CPU.
    """
    command = [sys.executable, "-m", "accelerate.commands.launch", "--multi_gpu"]
    command += ["--num_processes", "2", "--num_machines", "1", "--mixed_precision", "no"]
    command += ["--dynamo_backend", "no", "--main_process_port", "0", "-m", "training.gan"]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "ACCELERATE_USE_CPU": "true"}
    return [*command, *arguments], environment
