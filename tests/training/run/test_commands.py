"""Commands end with a status and errors of one line."""

from __future__ import annotations

import subprocess
import sys

import pytest

from training.run.commands import EXTRAS, command_parser, run_to_exit
from uncover.errors import UncoverError


@pytest.mark.parametrize(
    ("raised", "status", "said"),
    [(None, 0, ""), (UncoverError("no"), 1, "error: no"), (KeyboardInterrupt(), 130, "stopped")],
)
def test_status_and_message(raised, status, said, capsys) -> None:
    def work() -> None:
        if raised is not None:
            raise raised

    assert run_to_exit(work) == status
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == (1 if said else 0)


def test_a_command_may_say_how_to_go_on(capsys) -> None:
    def work() -> None:
        raise KeyboardInterrupt

    assert run_to_exit(work, "stopped; run it again") == 130
    assert capsys.readouterr().err == "stopped; run it again\n"


def test_the_help_shows_the_docstring_as_it_is(capsys) -> None:
    with pytest.raises(SystemExit):
        command_parser("training.some", "One line.\n\n    an example\n").parse_args(["--help"])
    out = capsys.readouterr().out
    assert "python -m training.some" in out
    assert "\n    an example\n" in out


def asked_for_help(module: str, *missing: str) -> subprocess.CompletedProcess[str]:
    """`python -m MODULE --help` where these packages are not installed."""
    code = f"import sys, runpy; sys.modules.update(dict.fromkeys({missing}))\n"
    code += f"sys.argv = ['{module}', '--help']\n"
    code += f"runpy.run_module('{module}', run_name='__main__', alter_sys=True)"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)


@pytest.mark.parametrize("module", ["training.gan", "training.enlarger"])
def test_without_the_extras_one_line_says_which_to_install(module) -> None:
    done = asked_for_help(module, *EXTRAS)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("error: ")
    assert "pip install -e '.[train]'" in done.stderr


def test_the_benchmark_needs_no_extras_to_start() -> None:
    done = asked_for_help("benchmark", *EXTRAS, "skimage", "onnxruntime", "openvino")
    assert done.returncode == 0, done.stderr
    assert "--weights" in done.stdout
