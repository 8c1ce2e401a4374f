"""The HTTP API as people call it, with nothing but HTTP."""

from __future__ import annotations

import base64
import http.server
import json
import re
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from page.ending import finish
from tests.browser import stand_ins

pytestmark = pytest.mark.timeout(600)
JSON = {"Content-Type": "application/json"}


def ask(address: str, body: bytes | None = None, headers: dict[str, str] = JSON) -> tuple[int, str]:
    """Status and text of a GET, or of a POST where there is a body."""
    request = urllib.request.Request(address, body, headers)
    try:
        with urllib.request.urlopen(request, timeout=60) as reply:
            return reply.status, reply.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def call(site: str, name: str, sent: Any) -> tuple[str, Any]:
    """What a call says at the end: ("complete" or "error", its JSON)."""
    route = f"{site}gradio_api/call/{name}"
    status, text = ask(route, json.dumps(sent).encode())
    if status != 200:
        return "error", json.loads(text)
    _, text = ask(f"{route}/{json.loads(text)['event_id']}")
    last = text.strip().split("\n\n")[-1]
    event, data = re.fullmatch(r"event: (\w+)\ndata: (.*)", last).groups()  # type: ignore[union-attr]
    return event, json.loads(data)


def patiently(reached: Callable[[], bool]) -> None:
    """Wait until it is, a minute at most."""
    until = time.monotonic() + 60
    while not reached():
        assert time.monotonic() < until
        time.sleep(0.02)


def upload(site: str, photo: Path) -> str:
    """The path that the server gives a file that is uploaded as a form."""
    head = f'--x\r\nContent-Disposition: form-data; name="files"; filename="{photo.name}"\r\n\r\n'
    body = head.encode() + photo.read_bytes() + b"\r\n--x--\r\n"
    form = {"Content-Type": "multipart/form-data; boundary=x"}
    return str(json.loads(ask(f"{site}gradio_api/upload", body, form)[1])[0])


def data_url(photo: Path) -> str:
    return f"data:image/png;base64,{base64.b64encode(photo.read_bytes()).decode()}"


FORMS: dict[str, Callable[[str, Path], Any]] = {
    "path": lambda site, photo: {"path": upload(site, photo)},
    "bare path": upload,
    "answer of upload": lambda site, photo: [upload(site, photo)],
    "address": lambda site, photo: f"{site}gradio_api/file={upload(site, photo)}",
    "url": lambda site, photo: {"url": f"{site}gradio_api/file={upload(site, photo)}"},
    "data": lambda site, photo: data_url(photo),
    "data as url": lambda site, photo: {"url": data_url(photo)},
    "base64": lambda site, photo: base64.b64encode(photo.read_bytes()).decode(),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_photo_in_every_form_with_nothing_else_said(site: str, photo: Path, form: str) -> None:
    event, said = call(site, "uncover", {"data": [FORMS[form](site, photo)]})
    assert event == "complete", said
    assert len(said[1]["faces"]) == 1
    assert said[0]["orig_name"].endswith("_uncovered.png")


def test_detect_and_fill(site: str, photo: Path, tmp_path: Path) -> None:
    event, said = call(site, "detect", {"data": [data_url(photo)]})
    assert (event, [face["label"] for face in said[0]]) == ("complete", ["with_mask"])
    mask = stand_ins.cloth(np.asarray(Image.open(photo)))
    Image.fromarray(mask).save(tmp_path / "mask.png")
    event, said = call(site, "fill", {"data": [data_url(photo), data_url(tmp_path / "mask.png")]})
    assert event == "complete", said
    event, said = call(site, "v2/uncover", {"photo": data_url(photo), "kind": "JPEG"})
    assert said[0]["orig_name"] == "photo_uncovered.jpg"


def test_told_to_end_it_finishes_what_runs_and_begins_nothing(
    run_page: Callable[..., Any], photo: Path, tmp_path: Path
) -> None:
    weights = stand_ins.chosen(tmp_path)
    with run_page(weights, told=(pages := [])) as site, ThreadPoolExecutor(4) as pool:
        stand_ins.GATE.clear()
        try:
            running = [pool.submit(call, site, "detect", {"data": [data_url(photo)]})]
            queue = pages[0]._queue
            patiently(lambda: any(queue.active_jobs))
            ending = pool.submit(finish, pages[0], 60.0, 0.5)
            patiently(lambda: queue.max_size == 0)
            refused = call(site, "detect", {"data": [data_url(photo)]})
            assert not ending.done()
        finally:
            stand_ins.GATE.set()
        assert [one.result()[0] for one in running] == ["complete"]
        assert refused[0] == "error"
        with pytest.raises(SystemExit) as end:
            ending.result()
        assert end.value.code == 0


ELSEWHERE = "http://127.0.0.1:9/photo.png"


@pytest.mark.parametrize(
    ("name", "sent", "sentence"),
    [
        ("uncover", {"data": []}, "The photo is missing: upload it to /gradio_api/upload, or"),
        ("uncover", {"data": [None]}, "The photo is missing"),
        ("uncover", {"data": [7]}, "The photo is missing"),
        ("uncover", {"data": ["data:image/png;base64,!"]}, "The photo is not valid base64"),
        ("uncover", {"data": ["data:image/png;base64,"]}, "The photo is empty"),
        ("uncover", {"data": ["data:text/plain;base64,aGVsbG8="]}, "not a picture"),
        ("uncover", {"data": ["/etc/hostname"]}, "This picture is not here, or no longer"),
        ("uncover", {"data": ["x/file=/etc/hostname"]}, "This picture is not here, or no longer"),
        ("uncover", {"data": [{"path": ELSEWHERE}]}, "The picture at that address cannot be"),
        ("uncover", {"data": ["PHOTO", "softly"]}, "blend must be feather or poisson, not 'softly"),
        ("uncover", {"data": ["PHOTO", None, 1]}, "fill_chin must be true or false, not 1."),
        ("uncover", {"data": ["PHOTO"] + [None] * 9}, "10 values were sent, but these are all: ph"),
        ("fill", {"data": ["PHOTO"]}, "The mask is missing"),
        ("portrait", {"data": []}, "There is no /portrait here, but /detect, /fill, /uncover."),
        ("uncover", {"photo": "PHOTO"}, '/uncover takes JSON: {"data": [...]} with, in this order'),
        ("v2/fill", {"picture": "PHOTO"}, "/fill takes JSON: an object with any of these names"),
    ],
)
def test_refusals_are_one_sentence(
    site: str, photo: Path, name: str, sent: dict[str, Any], sentence: str
) -> None:
    text = json.dumps(sent).replace('"PHOTO"', json.dumps(data_url(photo)))
    event, said = call(site, name, json.loads(text))
    assert event == "error"
    assert sentence in said["error"]
    assert "\n" not in said["error"]
    assert len(said["error"]) < 250


def test_parts_of_the_page_refuse_programs_in_a_sentence(site: str) -> None:
    every = json.loads(ask(f"{site}config")[1])["dependencies"]
    wanting = [
        one for one in every if one["api_visibility"] == "private" and len(one["inputs"]) > 1
    ]
    assert wanting
    name = wanting[0]["api_name"]
    event, said = call(site, name, {"data": []})
    assert (event, said["error"]) == ("error", "Programs cannot call this part of the page.")


@contextmanager
def proxied(site: str, below: str) -> Iterator[str]:
    """The site at `below` of another server, which takes that off, as web servers do."""

    class Proxy(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            if not self.path.startswith(below):
                self.send_error(404)
                return
            passed = ("content-type", "host")
            headers = {k: v for k, v in self.headers.items() if k.lower() in passed}
            body = self.rfile.read(length) if length else None
            request = urllib.request.Request(site + self.path[len(below) :], body, headers)
            try:
                with urllib.request.urlopen(request, timeout=60) as reply:
                    data = reply.read()
            except urllib.error.HTTPError as error:
                self.send_error(error.code)
                return
            self.send_response(200)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_POST = do_GET

        def log_message(self, *_: Any) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Proxy) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}{below}"
        server.shutdown()


def test_the_page_works_below_a_path(
    run_page: Any, photo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRADIO_ROOT_PATH", "/faces")
    chosen = stand_ins.chosen(tmp_path)
    with run_page(chosen) as inner, proxied(inner, "/faces/") as site:
        status, html = ask(site)
        assert status == 200
        wanted = re.findall(r'(?:src|href)="(\.?/[^"]+\.(?:js|css))"', html)
        assert wanted
        for name in wanted[:3]:
            address = site + name[2:] if name[0] == "." else site.replace("/faces/", name)
            assert ask(address)[0] == 200, name
        event, said = call(
            site, "uncover", {"data": [f"{site}gradio_api/file={upload(site, photo)}"]}
        )
        assert event == "complete", said
        assert said[0]["url"].startswith(site)
        with urllib.request.urlopen(said[0]["url"], timeout=60) as reply:
            assert reply.read()[:4] == b"\x89PNG"
