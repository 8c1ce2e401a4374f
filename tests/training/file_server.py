"""A web server on this machine that hands out a folder."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


@contextmanager
def served(
    folder: Path, hiccups: int = 0, drop_every: int = 0, dropped: list[str] | None = None
) -> Iterator[str]:
    """The folder's URL.

    hiccups: so many requests for tars are first answered with error 503. drop_every: of this many
    requests, the first one's connection is dropped in the middle of the file; `dropped` is told.
    """
    left, asked = [hiccups], itertools.count()

    class Quiet(SimpleHTTPRequestHandler):
        def __init__(self, *args: object) -> None:
            super().__init__(*args, directory=str(folder))  # type: ignore[arg-type]

        def do_GET(self) -> None:
            if self.path.endswith(".tar") and left[0]:
                left[0] -= 1
                self.send_error(503)
            elif drop_every and next(asked) % drop_every == 0:
                data = (folder / self.path.lstrip("/")).read_bytes()
                self.send_response(200)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data[: len(data) // 2])
                self.close_connection = True
                if dropped is not None:
                    dropped.append(self.path)
            else:
                super().do_GET()

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Quiet)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
