"""No file but the visitor's own can be read, and none written elsewhere; no browser needed."""

from __future__ import annotations

import json
import os
import secrets
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.browser import stand_ins

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def inner_server() -> Iterator[tuple[str, list[str]]]:
    """A server that only this machine can see, and what was asked of it."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(stand_ins.ASTRONAUT.read_bytes())

        do_HEAD = do_GET

        def log_message(self, format: str, *args: object) -> None:
            """Keep the test output quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/photo.jpg", asked
    server.shutdown()
    server.server_close()


def stolen(kind: str, inner: str) -> dict[str, Any]:
    """A photo as gradio's clients send it, but pointing where it must not."""
    outside = str(stand_ins.ASTRONAUT)
    uploads = os.environ["GRADIO_TEMP_DIR"]
    climbed = uploads + "/" + os.path.relpath(outside, uploads)
    parts = {
        "absolute path": {"path": outside},
        "path that climbs": {"path": climbed},
        "relative path": {"path": "assets/astronaut.jpg"},
        "file address as path": {"path": f"file://{outside}"},
        "file address beside a path": {"path": outside, "url": f"file://{outside}"},
        "inner server as path": {"path": inner},
        "inner server beside a path": {"path": outside, "url": inner},
        "stream": {"path": outside, "is_stream": True},
    }
    return {"meta": {"_type": "gradio.FileData"}, "orig_name": "x.png", **parts[kind]}


KINDS = (
    "absolute path", "path that climbs", "relative path", "file address as path",
    "file address beside a path", "inner server as path", "inner server beside a path", "stream",
)  # fmt: skip


def get(address: str) -> Any:
    with urllib.request.urlopen(address, timeout=120) as reply:
        return json.load(reply)


def post(address: str, body: dict[str, Any]) -> Any:
    data, headers = json.dumps(body).encode(), {"Content-Type": "application/json"}
    request = urllib.request.Request(address, data, headers)
    with urllib.request.urlopen(request, timeout=120) as reply:
        return json.load(reply)


def answer(site: str, number: int, data: list[Any]) -> dict[str, Any]:
    """Run an event by its number, as the page itself does, and give back its last word."""
    session = secrets.token_hex(5)
    event = {"fn_index": number, "data": data, "session_hash": session, "trigger_id": None}
    post(f"{site}gradio_api/queue/join", event)
    address = f"{site}gradio_api/queue/data?session_hash={session}"
    with urllib.request.urlopen(address, timeout=120) as reply:
        for line in reply:
            message = json.loads(line[5:]) if line.startswith(b"data:") else {}
            if message.get("msg") == "process_completed":
                return message
    raise AssertionError("the event did not end")


def takes_photos(part: dict[str, Any]) -> bool:
    """Whether a component is an image input or one of the page's own places for photos."""
    return part["type"] == "image" or part["props"].get("elem_id") in ("photo", "bare")


def events_that_take_photos(site: str) -> list[tuple[int, list[Any]]]:
    """(number, inputs) of every event with a photo among its inputs; photos are "PHOTO"."""
    config = get(f"{site}config")
    kinds = {part["id"]: part for part in config["components"]}
    found = []
    for event in config["dependencies"]:
        inputs = [kinds[i] for i in event["inputs"]]
        if event["backend_fn"] and any(takes_photos(part) for part in inputs):
            filled = [
                "PHOTO" if takes_photos(part) else part["props"].get("value") for part in inputs
            ]
            found.append((event["id"], filled))
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_no_event_reads_what_was_not_uploaded(
    site: str, inner_server: tuple[str, list[str]], kind: str
) -> None:
    inner, asked = inner_server
    photo = stolen(kind, inner)
    events = events_that_take_photos(site)
    assert len(events) >= 5  # three public functions, both tabs
    for number, inputs in events:
        said = answer(site, number, [photo if part == "PHOTO" else part for part in inputs])
        assert not said["success"], f"event {number} took it"
    assert asked == []


def test_an_uploaded_name_stays_in_its_folder(site: str) -> None:
    mark = secrets.token_hex(8)
    body = (
        f'--{mark}\r\nContent-Disposition: form-data; name="files"; '
        f'filename="../../../{mark}.png"\r\nContent-Type: image/png\r\n\r\nx\r\n--{mark}--\r\n'
    ).encode()
    headers = {"Content-Type": f"multipart/form-data; boundary={mark}"}
    request = urllib.request.Request(f"{site}gradio_api/upload", body, headers)
    with urllib.request.urlopen(request, timeout=120) as reply:
        path = Path(json.load(reply)[0])
    uploads = Path(os.environ["GRADIO_TEMP_DIR"]).resolve()
    assert uploads in path.resolve().parents
    assert path.is_file()


@pytest.mark.parametrize(
    "way",
    [
        "gradio_api/file=UPLOADS/../../../../../../etc/hostname",
        "gradio_api/file=UPLOADS/..%2f..%2f..%2f..%2f..%2f..%2fetc%2fhostname",
        "gradio_api/file=http://127.0.0.1:9/x.png",
        "gradio_api/proxy=http://127.0.0.1:9/x.png",
        "static/../../../../../../../../etc/hostname",
        "assets/..%2f..%2f..%2f..%2f..%2f..%2f..%2fetc%2fhostname",
        "gradio_api/file=weights/config.json",
        "custom_component/x/../../../../../../etc/hostname",
    ],
)
def test_no_address_leads_out_of_the_upload_folder(site: str, way: str) -> None:
    class Stay(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *args: Any) -> None:
            """Redirects are answers here: the server fetched nothing."""

    address = site + way.replace("UPLOADS", os.environ["GRADIO_TEMP_DIR"])
    opener = urllib.request.build_opener(Stay)
    with pytest.raises(urllib.error.HTTPError) as caught:
        opener.open(address, timeout=60)
    assert 300 <= caught.value.code < 500
