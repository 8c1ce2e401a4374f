"""What all tabs share: errors as toasts, and an example that is worked out once."""

from __future__ import annotations

import shutil
from pathlib import Path

import gradio as gr
import numpy as np
import pytest

from page.tabs.parts import BARE, told
from page.tryon.trial import Trials
from page.tryon.tryon import make_style
from tests.browser import stand_ins
from uncover.errors import ImageError


def test_an_unforeseen_error_logs_nothing_of_the_photo(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    photo = str(tmp_path / "holiday.jpg")

    def fails(path: str) -> None:
        raise RuntimeError(f"cannot work with {path}")

    with pytest.raises(gr.Error, match="Something went wrong") as caught:
        told(fails)(photo)
    assert "holiday" not in str(caught.value)
    said = capsys.readouterr()
    assert said.err.startswith("error: RuntimeError at fails:")
    assert "holiday" not in said.err + said.out


def test_a_foreseen_error_is_a_sentence_without_folders_and_is_not_logged(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    photo = str(tmp_path / "holiday.jpg")

    def fails(path: str) -> None:
        raise ImageError(f"{path} is not a picture")

    with pytest.raises(gr.Error) as caught:
        told(fails)(photo)
    assert caught.value.message == "holiday.jpg is not a picture."
    assert capsys.readouterr() == ("", "")


def test_only_the_example_is_kept(tmp_path: Path) -> None:
    uncoverer = stand_ins.uncoverer()
    trials, style = Trials(uncoverer, BARE), make_style("surgical", "#2859c8", 0.4)
    passes = uncoverer.generator.batches
    first = trials.run(BARE, style)
    count = len(passes)
    assert count > 0
    assert trials.run(BARE, style) is first
    assert len(passes) == count
    assert trials.run(BARE, make_style("cloth", "#2859c8", 0.4)) is not first
    assert len(passes) > count
    own = Path(shutil.copy(BARE, tmp_path / "own.jpg"))
    own.write_bytes(own.read_bytes() + b"\0")  # another file, the same picture
    count = len(passes)
    one, other = trials.run(own, style), trials.run(own, style)
    assert one is not other
    assert len(passes) == count + 2 * (count // 2)
    np.testing.assert_array_equal(one.guess, other.guess)
