"""What all tabs of the page share: queues, the photo input, and errors as toasts."""

from __future__ import annotations

import functools
import os
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import quote

import gradio as gr
import numpy as np
from PIL import Image

from page.visit import Visit, given_photo, one_line, picture_url
from uncover.errors import UncoverError

_INSTALLED = Path(__file__).resolve().parents[1] / "assets"
ASSETS = _INSTALLED if _INSTALLED.is_dir() else _INSTALLED.parents[1] / "assets"
"""The page's own pictures: in the checkout's assets/, or in the installed copy."""
BARE, MASKED = ASSETS / "astronaut.jpg", ASSETS / "astronaut_masked.jpg"
MINUTES_KEPT = 10


@dataclass(frozen=True)
class Example:
    """A photo that the page offers: a short name, its file, what it shows, and that in brief."""

    name: str
    path: Path
    words: str
    brief: str


_DRAWN = ASSETS / "examples"
MASKED_EXAMPLES = (
    Example("portrait", MASKED, "A portrait (NASA), with a drawn mask", "Portrait"),
    Example("darker", _DRAWN / "darker.jpg", "A drawn face: darker skin", "Darker skin"),
    Example("side", _DRAWN / "side.jpg", "A drawn face from the side", "Side view"),
    Example("glasses", _DRAWN / "glasses.jpg", "A drawn face with glasses", "Glasses"),
    Example("group", _DRAWN / "group.jpg", "Four drawn faces, one bare", "Group"),
)
BARE_EXAMPLES = (Example("bare", BARE, "A portrait (NASA)", "Portrait"),)
HEAVY: dict[str, Any] = {"concurrency_id": "networks", "concurrency_limit": 2}
"""Options of events that run the networks: they share one queue."""
LIGHT: dict[str, Any] = {"concurrency_id": "light", "concurrency_limit": 4}
PRIVATE: dict[str, Any] = {"api_visibility": "private"}
BUSY = "(...all) => { window.uncoverWork(true); return all; }"
"""Script of an event that takes time: *Stop* is shown until `IDLE` runs."""
SAVE = """(file) => {
    if (!file) return;
    const link = document.createElement("a");
    [link.href, link.download] = [file.url, file.name];
    document.body.append(link);
    link.click();
    link.remove();
}"""
"""Script that saves the file of an address and a name."""
IDLE = "() => { window.uncoverWork(false); }"
STOPPED = "() => { window.uncoverWork(false, true); }"
REFUSED = "() => { window.uncoverRefused('photo'); }"
"""Script for a photo that cannot be used; one whose work was stopped stays."""


def told(function: Callable[..., Any]) -> Callable[..., Any]:
    """Turn errors into a toast of one sentence; nothing of the photo is logged."""

    @functools.wraps(function)
    def wrapped(*args: Any) -> Any:
        try:
            return function(*args)
        except UncoverError as error:
            paths = [Path(arg) for arg in args if isinstance(arg, str) and os.sep in arg]
            given = [arg.get("path") for arg in args if isinstance(arg, Mapping)]
            paths += [Path(path) for path in given if isinstance(path, str)]
            paths += [arg.path for arg in args if isinstance(arg, Visit)]
            text = one_line(error, paths)
            raise gr.Error(text, title="That did not work", print_exception=False) from None
        except gr.Error:
            raise
        except Exception as error:
            where = traceback.extract_tb(error.__traceback__)[-1]
            print(f"error: {type(error).__name__} at {where.name}:{where.lineno}", file=sys.stderr)
            text = "Something went wrong on the server: please try again, or try another photo."
            raise gr.Error(text, title="That did not work", print_exception=False) from None

    return wrapped


def photo_input(**options: Any) -> gr.Image:
    """An image input that hands over the uploaded file as it is; `uncover` checks and reads it."""
    image = gr.Image(type="filepath", image_mode=None, format="png", buttons=[], **options)

    def path_of(payload: Any) -> str | None:
        if payload is None:
            return None
        if not payload.path or (payload.url or "").startswith("data:"):
            raise gr.Error("This photo did not arrive: add it anew.", print_exception=False)
        return str(payload.path)

    image.preprocess = path_of  # type: ignore[method-assign]
    return image


def photo_place(
    name: str, words: str, hint: str, alternative: str, examples: Sequence[Example]
) -> gr.HTML:
    """The place where visitors add a photo of their own, or take one of the examples.

    It is shown from the visitor's own device: the server sends nothing of it back. `photo_path`
    reads its value; its events are `upload` and `clear`.

    Args:
        name: its `elem_id`.
        words, hint: what to do, and a line below.
        alternative: the photo in words, for those who do not see it.
    """
    buttons = "".join(
        f"<button type='button' data-example='{one.name}' data-name='{escape(one.words)}' "
        f"title='Try the page with this one: {escape(one.words)}'><img alt='' "
        f"src='{_thumbnail(one.path)}'><span>{escape(one.brief)}</span></button>"
        for one in examples
    )
    texts = {"PLACEHOLDER": escape(words), "HINT": escape(hint), "ALTERNATIVE": escape(alternative)}
    which = "a portrait by NASA" + (" or a drawn face" if len(examples) > 1 else "")
    shown = f"<span>No photo at hand? Take {which}:</span>{buttons}" if buttons else ""
    return _own_component("photo_place", name, {**texts, "EXAMPLES": shown})


def photo_path(value: Any, examples: Sequence[Example]) -> Path | None:
    """The file behind the value of a `photo_place`; None where there is none.

    Raises:
        ImageError: it names no file that was uploaded, and no example.
    """
    uploads = Path(gr.utils.get_upload_folder())
    return given_photo(value, uploads, {one.name: one.path for one in examples})


def before_after(name: str, label: str, left: str, right: str) -> gr.HTML:
    """Two pictures with a divider; hidden until it has a value of `compared`.

    Args:
        name: its `elem_id`.
        label: what it shows.
        left, right: words for what lies on each side of the divider.
    """
    return _own_component("before_after", name, {"LABEL": label, "LEFT": left, "RIGHT": right})


def compared(
    before: Path, after: Path | None, size: tuple[int, int], faces: Sequence[Any] = ()
) -> dict[str, Any]:
    """The value of a `before_after`: result files of equal shape, and the boxes of faces."""
    width, height = size
    left, right = file_url(before), None if after is None else file_url(after)
    return {"before": left, "after": right, "width": width, "height": height, "faces": list(faces)}


def file_url(path: Path) -> str:
    """The address of a result file, as seen from the page."""
    return f"gradio_api/file={quote(str(path))}"


def _own_component(
    name: str, elem_id: str, words: Mapping[str, str], scripts: Sequence[str] = ()
) -> gr.HTML:
    """A component of the page's own: assets/NAME.html with words put in, and assets/NAME.js.

    Args:
        scripts: names of others in assets/ that come before it.
    """
    template = (ASSETS / f"{name}.html").read_text("utf-8")
    for word, text in words.items():
        template = template.replace(word, text)
    return gr.HTML(
        value=None,
        html_template=template,
        js_on_load="\n".join((ASSETS / f"{one}.js").read_text("utf-8") for one in (*scripts, name)),
        apply_default_css=False,
        elem_id=elem_id,
    )


def mask_editor(name: str) -> gr.HTML:
    """Where masks are repainted."""
    return _own_component("mask_editor", name, {}, ["mask_bits"])


def guess_board(name: str) -> gr.HTML:
    """Where other guesses are looked at and chosen."""
    return _own_component("guesses", name, {})


def _thumbnail(path: Path, side: int = 160) -> str:
    with Image.open(path) as picture:
        small = picture.convert("RGB")
        small.thumbnail((side, side))
    return picture_url(np.asarray(small))


def scroll_to(event: Callable[..., Any], photo: gr.HTML, target: str) -> None:
    """On an event, bring the element `target` into view if a photo is there and it is not."""
    script = f"""(photo) => {{
        const shown = document.querySelector("#{target}");
        const top = shown ? shown.getBoundingClientRect().top : 0;
        const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
        if (photo && (top < 0 || top > 0.7 * innerHeight))
            shown.scrollIntoView({{ behavior: still ? "auto" : "smooth" }});
        return [];
    }}"""
    event(None, photo, None, js=script, **PRIVATE)


def results_folder() -> Path:
    """Where result files lie: in gradio's own upload folder, which it serves and clears."""
    return Path(gr.utils.get_upload_folder()) / "uncover"
