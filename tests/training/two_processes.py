"""`training.gan` as two processes on the CPU."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from subprocess import PIPE

ROOT = Path(__file__).parents[2]
GAN = "training.gan"


def train_in_two(*arguments: str, module: str = GAN) -> subprocess.CompletedProcess[str]:
    """The finished command, its output captured.

    The two processes lead sessions of their own: when a test is given up, only their launcher can
    end them, so it is asked to.
    """
    command, environment = in_two(*arguments, module=module)
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=PIPE, stderr=PIPE, text=True
    ) as launcher:
        try:
            said, complained = launcher.communicate()
        except BaseException:
            launcher.terminate()
            try:
                launcher.wait(60)
            except subprocess.TimeoutExpired:
                launcher.kill()
            raise
    return subprocess.CompletedProcess(command, launcher.returncode, said, complained)


def in_two(*arguments: str, module: str = GAN) -> tuple[list[str], dict[str, str]]:
    """The words and the environment of such a command, to be run in `ROOT`.

    Without mpirun, `accelerate launch --cpu` starts one process; this starts two, on the CPU.
    """
    command = [sys.executable, "-m", "accelerate.commands.launch", "--multi_gpu"]
    command += ["--num_processes", "2", "--num_machines", "1", "--mixed_precision", "no"]
    command += ["--dynamo_backend", "no", "--main_process_port", "0", "-m", module]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "ACCELERATE_USE_CPU": "true"}
    return [*command, *arguments], environment
