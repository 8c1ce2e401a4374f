"""Commands end with a status and errors of one line."""

from __future__ import annotations

import pytest

from training.run.commands import command_parser, run_to_exit
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
