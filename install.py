"""`python install.py VENV [EXTRA ...]`: this checkout and what it needs, into an environment.

What `make` calls; needs nothing but Python, and may be called from any folder. Where no GPU is
there, PyTorch's CPU build is taken if the package index in use has one together with torchvision's;
uv does it where it is installed.
"""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

HERE = Path(__file__).resolve().parent
OLDEST = (3, 11)
GPU = ("/dev/nvidia0", "/dev/nvidiactl", "/dev/kfd")
CPU_WORDS = "PyTorch for the CPU: about 0.5 GB to fetch, 1.5 GB on disk, 1 to 2 minutes"
PLAIN_WORDS = "PyTorch as the index has it: about 3 GB to fetch, 6 GB on disk, 2 to 8 minutes"
OPTIONS = {"find-links", "index-url", "extra-index-url", "constraint"}
"""Of pip's settings: which packages, and from where. uv does not read them itself."""


def main(argv: list[str]) -> int:
    """Install; returns an exit code."""
    if sys.version_info < OLDEST:
        print("error: Python 3.11 or newer is needed: set PYTHON=python3.11", file=sys.stderr)
        return 2
    if not argv:
        print("usage: python install.py VENV [EXTRA ...]", file=sys.stderr)
        return 2
    folder, extras = Path(argv[0]).resolve(), argv[1:]
    python = str(folder / "bin" / "python")
    if not Path(python).exists():
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    print("Looking which PyTorch the package index has for this machine ...", flush=True)
    torch = [] if has_gpu() else cpu_build(python)
    print(CPU_WORDS if torch else PLAIN_WORDS, "(what is in a cache is not fetched)", flush=True)
    # Plain editable mode goes by a path: a script in the folder above, beside a clone that is named
    # uncover, would else find that folder in the package's place.
    wanted = ["--config-settings", "editable_mode=compat"]
    wanted += ["-e", f".[{','.join(extras)}]" if extras else ".", *torch]
    for command in installers(python):
        print(f"+ cd {shlex.quote(str(HERE))} && {shlex.join([*command, *wanted])}", flush=True)
        if subprocess.run([*command, *wanted], cwd=HERE).returncode == 0:
            return 0
    print("error: not everything could be installed: see above", file=sys.stderr)
    return 1


def has_gpu() -> bool:
    """Whether this machine has a GPU that PyTorch's plain build could use."""
    return shutil.which("nvidia-smi") is not None or any(Path(name).exists() for name in GPU)


def installers(python: str) -> list[list[str]]:
    """The commands to try in turn: uv where it is installed, then pip."""
    pip = [python, "-m", "pip", "install", "--disable-pip-version-check"]
    uv = shutil.which("uv")
    if uv is None:
        return [pip]
    settings = subprocess.run(
        [python, "-m", "pip", "config", "list"], capture_output=True, text=True
    ).stdout
    best = ["--index-strategy", "unsafe-best-match"]  # as pip does with several indexes
    return [[uv, "pip", "install", "--python", python, *best, *for_uv(settings)], pip]


def for_uv(settings: str) -> list[str]:
    """Options for uv that say what `pip config list` says about where packages come from."""
    found: dict[str, list[str]] = {}
    for line in settings.splitlines():
        key, _, value = line.partition("=")
        name = key.rpartition(".")[2]
        if name in OPTIONS:
            found[name] = value.strip("'\"").replace("\\n", " ").split()  # the last one counts
    return [part for name, all in found.items() for one in all for part in (f"--{name}", one)]


def cpu_build(python: str) -> list[str]:
    """Requirements that name the newest CPU build of torchvision and the torch that goes with it.

    Empty where the index in use does not have both: torchvision for CUDA does not load beside a
    torch for the CPU.
    """
    pip = [python, "-m", "pip", "--disable-pip-version-check"]
    listed = subprocess.run(
        [*pip, "index", "versions", "torchvision"], capture_output=True, text=True
    ).stdout
    newest = next(iter(cpu_versions(listed)), None)
    if newest is None:
        return []
    wanted = f"torchvision=={newest}"
    plan = subprocess.run(
        [*pip, "install", "--dry-run", "--ignore-installed", "-q", "--report", "-", wanted],
        capture_output=True,
        text=True,
    )
    if plan.returncode != 0:
        return []
    chosen = {
        one["metadata"]["name"]: one["metadata"]["version"]
        for one in json.loads(plan.stdout)["install"]
    }
    torch = chosen.get("torch", "")
    return [wanted, f"torch=={torch}"] if torch.endswith("+cpu") else []


def cpu_versions(listed: str) -> Iterable[str]:
    """The CPU builds in what `pip index versions` prints, newest first."""
    _, _, versions = listed.partition("Available versions:")
    return re.findall(r"[\w.]+\+cpu\b", versions.splitlines()[0] if versions else "")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
