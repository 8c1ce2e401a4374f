"""Calls of the page's API that nobody should send; the same for the same number."""

from __future__ import annotations

import base64
import json
import random
from typing import Any

from tests.fuzz.inputs import damaged, pictures

NAMES = ("uncover", "detect", "fill", "v2/uncover", "v2/detect", "v2/fill")
ODD_NAMES = ("portrait", "lambda", "0", "uncover/../fill", "v2", "%00", "uncover%0a", "__init__")
FIELDS = ("photo", "mask", "blend", "fill_chin", "kind", "label", "smile", "x" * 300, "")
NOWHERE = "http://127.0.0.1:9/photo.png"
ODD: tuple[Any, ...] = (
    None, True, False, 0, -1, 2**63, -(2**200), 1e308, float("nan"), float("inf"), "", " ", "\0",
    "\ud800", "é" * 40, "PNG", "png", "feather", "x" * 20_000, [], {}, [[]], [None] * 3,
    "/etc/passwd", "../../../etc/passwd", "file:///etc/passwd", NOWHERE, "C:\\photo.png", "/",
    "gradio_api/file=/etc/passwd", "/gradio_api/file=../../etc/passwd", "data:", "data:,x",
    "data:image/png;base64,", "data:image/png;base64,!!!!", "data:text/html,<script>", "A" * 4_000,
    {"path": None}, {"path": 7}, {"path": ["a"]}, {"path": "/etc/passwd"}, {"url": NOWHERE},
    {"path": "a\0b"}, {"path": "x" * 5_000}, {"meta": {"_type": "gradio.FileData"}},
    {"path": NOWHERE, "meta": {"_type": "gradio.FileData"}}, {"__type__": "update", "value": 1},
    {"is_stream": True, "path": "x"}, {"background": None, "layers": [], "composite": None},
)  # fmt: skip
_PICTURES = pictures()


def payload(number: int) -> tuple[str, bytes]:
    """(name of the function, body)."""
    draw = random.Random(number)
    name = draw.choice(NAMES) if draw.random() < 0.9 else draw.choice(ODD_NAMES)
    values = [_value(draw) for _ in range(draw.randint(0, 7))]
    kind = draw.randrange(6)
    sent: Any = {"data": values}
    if name.startswith("v2/") and kind:
        sent = {draw.choice(FIELDS): value for value in values}
    elif kind == 0:
        sent = draw.choice((values, {"data": dict(enumerate(values))}, {"data": None}, None, 7, {}))
    elif kind == 1:
        more = {"fn_index": draw.randint(-3, 99), "session_hash": draw.choice(ODD[:20])}
        sent = {**sent, **more, "event_data": draw.choice(ODD), "trigger_id": draw.randint(-3, 99)}
    body = json.dumps(sent).encode()
    if draw.random() < 0.15:
        body = damaged(body, draw)
    elif draw.random() < 0.02:
        body = b'{"data": ' + b"[" * 3_000 + b"]" * 3_000 + b"}"
    return name, body


def _value(draw: random.Random) -> Any:
    kind = draw.randrange(5)
    if kind < 2:
        return draw.choice(ODD)
    if kind == 4:
        return [_value(draw) for _ in range(draw.randint(0, 2))]
    data = draw.choice(_PICTURES)
    if draw.random() < 0.7:
        data = damaged(data, draw)
    url = f"data:image/{draw.choice(('png', 'jpeg', 'svg+xml', 'x', '../../a'))};base64,"
    url += base64.b64encode(data).decode()
    return url if kind == 2 else {draw.choice(("path", "url")): url}
