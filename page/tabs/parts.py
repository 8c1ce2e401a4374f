"""What all tabs of the page share: queues, the photo input, and errors as toasts."""

from __future__ import annotations

import functools
import os
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradio as gr

from page.visit import Visit, one_line
from uncover.errors import UncoverError

_INSTALLED = Path(__file__).resolve().parents[1] / "assets"
ASSETS = _INSTALLED if _INSTALLED.is_dir() else _INSTALLED.parents[1] / "assets"
"""The page's own pictures: in the checkout's assets/, or in the installed copy."""
BARE, MASKED = ASSETS / "astronaut.jpg", ASSETS / "astronaut_masked.jpg"
MINUTES_KEPT = 10
HEAVY: dict[str, Any] = {"concurrency_id": "networks", "concurrency_limit": 2}
"""Options of events that run the networks: they share one queue."""
LIGHT: dict[str, Any] = {"concurrency_id": "light", "concurrency_limit": 4}
PRIVATE: dict[str, Any] = {"api_visibility": "private"}


def told(function: Callable[..., Any]) -> Callable[..., Any]:
    """Turn errors into a toast of one sentence; nothing of the photo is logged."""

    @functools.wraps(function)
    def wrapped(*args: Any) -> Any:
        try:
            return function(*args)
        except UncoverError as error:
            paths = [Path(arg) for arg in args if isinstance(arg, str) and os.sep in arg]
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


def visitors_photo(name: str, example: Path, hint: str = "", **words: Any) -> gr.Image:
    """The place where visitors add a photo of their own, and a button that puts `example` there.

    Args:
        name: `elem_id` of the input.
        hint: a line in Markdown between the two.
        words: the input's label, alt_text and placeholder.
    """
    sources: list[Any] = ["upload", "webcam", "clipboard"]
    photo = photo_input(sources=sources, height=380, elem_id=name, **words)
    if hint:
        gr.Markdown(hint, elem_classes="hint")
    _example_for(photo, example)
    return photo


def _example_for(photo: gr.Image, path: Path) -> None:
    """A button that puts the portrait `path` into `photo`.

    `gr.Examples` would put another component in the place of `photo` for the session, one that
    decodes and converts the file itself.
    """
    button = gr.Button(
        "No photo at hand? Use this portrait (NASA)", icon=str(path), elem_classes="example"
    )
    button.keep_in_cache.add(button.icon["path"])  # else `delete_cache` takes it away
    button.click(lambda: str(path), None, photo, queue=False, show_progress="hidden", **PRIVATE)


def scroll_to(event: Callable[..., Any], photo: gr.Image, target: str) -> None:
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
