"""How programs call the page: pictures in every form that people send, values left out, and every
refusal as one sentence in JSON."""

from __future__ import annotations

import base64
import binascii
import re
import urllib.parse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gradio as gr
from fastapi import Request
from fastapi.exception_handlers import request_validation_exception_handler
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from gradio.exceptions import InvalidPathError
from gradio.route_utils import FnIndexInferError

from page.tabs import MINUTES_KEPT, results_folder
from page.visit import own_folder

LARGEST = 60_000_000
"""Bytes of a picture that is sent as base64; as many as of an upload."""
WAYS = 'upload it to /gradio_api/upload, or send it as "data:image/png;base64,..."'
_OWN_FILE = re.compile(r"(?:^|/)(?:gradio_api/)?file=([^?#]+)")
_BARE = re.compile(r"[A-Za-z0-9+/=\s]{200,}")  # base64 without the words before it; no path
_CALLS = re.compile(r"/(?:call(?:/v2)?|run|api)/([^/]+)/?$")


class Page(gr.Blocks):
    """The page's blocks. Its public functions understand a picture as an upload, as an address of
    this server, or as base64, and take their defaults for what is left out."""

    async def preprocess_data(
        self, block_fn: Any, inputs: list[Any], state: Any, explicit_call: bool = False
    ) -> Any:
        """As gradio's, with the inputs of public functions understood first; refusals are
        sentences."""
        public = block_fn.api_visibility == "public"
        given = understood(block_fn.inputs, inputs) if public else inputs
        try:
            return await super().preprocess_data(block_fn, given, state, explicit_call)
        except gr.Error:
            raise
        except (InvalidPathError, FileNotFoundError) as error:
            gone = f"not here, or no longer, as all are deleted after {MINUTES_KEPT} minutes"
            raise refused(f"This picture is {gone}: add it anew; programs {WAYS}.") from error
        except Exception as error:
            if not public:
                raise refused("Programs cannot call this part of the page.") from error
            raise refused(_unfit(block_fn.inputs, given)) from error


def _unfit(parts: Sequence[Any], values: Sequence[Any]) -> str:
    if any(isinstance(value, dict) and "://" in value.get("path", "") for value in values):
        return f"The picture at that address cannot be fetched: {WAYS}."
    names = ", ".join(str(part.label) for part in parts)
    return f"A value is not what it should be; in this order: {names}."


def refused(sentence: str) -> gr.Error:
    """The error that reaches a caller as `{"error": sentence}`."""
    return gr.Error(sentence, title="That did not work", print_exception=False)


def understood(parts: Sequence[Any], values: Sequence[Any]) -> list[Any]:
    """The values of a call, one for each of gradio's inputs, as gradio takes them.

    Raises:
        gr.Error: a picture is missing, or a value is not one of those that can be given.
    """
    names = [str(part.label) for part in parts]
    if len(values) > len(parts):
        told = ", ".join(names)
        raise refused(f"{len(values)} values were sent, but these are all: {told}.")
    padded = [*values, *[None] * (len(parts) - len(values))]
    return [_value(*three) for three in zip(parts, names, padded, strict=True)]


def _value(part: Any, name: str, value: Any) -> Any:
    if isinstance(part, gr.Image):
        return picture(name, value)
    if value is None:
        return part.value
    if isinstance(part, gr.Radio):
        choices = [choice for _, choice in part.choices]
        if value not in choices:
            raise refused(f"{name} must be {' or '.join(map(str, choices))}, not {value!r:.40}.")
    elif isinstance(part, gr.Checkbox) and not isinstance(value, bool):
        raise refused(f"{name} must be true or false, not {value!r:.40}.")
    return value


def picture(name: str, value: Any) -> dict[str, Any]:
    """A picture of a call as gradio's file: {"path", "meta"}.

    Args:
        name: what the picture is, for refusals.
        value: the path that an upload was answered with, an address of this server, a data: URL,
            or a dict with one of these as "path" or "url"; other addresses are left to gradio.

    Raises:
        gr.Error: there is none, or its base64 cannot be read.
    """
    if isinstance(value, list) and len(value) == 1:  # as /upload answers
        value = value[0]
    found = [value.get("path"), value.get("url")] if isinstance(value, dict) else [value]
    texts = [text.strip() for text in found if isinstance(text, str) and text.strip()]
    if not texts:
        raise refused(f"The {name} is missing: {WAYS}.")
    text = next((text for text in texts if text[:5].lower() == "data:"), texts[0])
    if _BARE.fullmatch(text):
        text = f"data:image/png;base64,{text}"
    if text[:5].lower() == "data:":
        path = str(_saved(name, text))
    else:
        own = _OWN_FILE.search(text)
        path = urllib.parse.unquote(own[1]) if own else text
    return {"path": path, "meta": {"_type": "gradio.FileData"}}


def _saved(name: str, url: str) -> Path:
    """The picture of a data: URL as a file among the results, which goes as they do."""
    if len(url) > LARGEST * 4 // 3:
        raise refused(f"The {name} is larger than {LARGEST // 10**6} MB: make it smaller.")
    head, _, body = url.partition(",")
    try:
        if head.lower().endswith(";base64"):
            text = "".join(urllib.parse.unquote(body).split())
            data = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
        else:
            data = urllib.parse.unquote_to_bytes(body)
    except (binascii.Error, ValueError):
        raise refused(f"The {name} is not valid base64: send the whole file so.") from None
    if not data:
        raise refused(f"The {name} is empty: send the whole file.")
    kind = re.match(r"data:image/([a-z0-9]{1,8})", head.lower())
    path = own_folder(results_folder()) / f"{name}.{kind[1] if kind else 'png'}"
    path.write_bytes(data)
    return path


async def refuse_call(request: Request, error: Exception) -> Response:
    """Calls of what is not there, or with wrong names, as one sentence in JSON."""
    called = _CALLS.search(request.url.path)
    if called is None:
        if isinstance(error, RequestValidationError):
            return await request_validation_exception_handler(request, error)
        raise error
    blocks = request.app.get_blocks()
    public = {fn.api_name: fn for fn in blocks.fns.values() if fn.api_visibility == "public"}
    if called[1] not in public:
        told = ", ".join(f"/{name}" for name in sorted(public))
        return JSONResponse({"error": f"There is no /{called[1]} here, but {told}."}, 404)
    names = ", ".join(str(part.label) for part in public[called[1]].inputs)
    form = f'{{"data": [...]}} with, in this order: {names}'
    if "/v2/" in request.url.path:
        form = f"an object with any of these names: {names}"
    return JSONResponse({"error": f"/{called[1]} takes JSON: {form}."}, 422)


HANDLERS = dict.fromkeys(
    (FnIndexInferError, KeyError, TypeError, RequestValidationError), refuse_call
)
"""For FastAPI: what gradio's routes raise for calls that cannot be meant."""
