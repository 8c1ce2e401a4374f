"""`python -m tests.fuzz.api --inputs 5000`: hostile calls of a page on stand-ins, over HTTP.

Each must be answered, or refused in one sentence of JSON; never a status of 500 or more, never a
traceback in what the page prints, never over 2 GB, never over 10 s of CPU.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import io
import json
import os
import re
import resource
import tempfile
import time
from collections import Counter
from pathlib import Path
from unittest.mock import patch
from urllib.parse import urlsplit

from tests.browser import stand_ins
from tests.fuzz.payloads import payload

MOST_MIB, MOST_SECONDS = 2048, 10.0
ANSWER = re.compile(r"event: (complete|error)\ndata: (.*)\s*\Z", re.S)


def ask(host: str, path: str, body: bytes | None = None) -> tuple[int, str]:
    """Status and text of a GET, or of a POST where there is a body."""
    link = http.client.HTTPConnection(host, timeout=60)
    try:
        method = "GET" if body is None else "POST"
        link.request(method, path, body, {"Content-Type": "application/json"})
        reply = link.getresponse()
        return reply.status, reply.read().decode("utf-8", "replace")
    finally:
        link.close()


def fault(host: str, number: int, counts: Counter[str]) -> str:
    """What is wrong with the answer to a call; "" for nothing."""
    name, body = payload(number)
    route = f"/gradio_api/call/{name}"
    status, text = ask(host, route, body)
    if status >= 500:
        return f"status {status}: {text[:300]}"
    if status != 200:
        counts["refused at once"] += 1
        return _sentence(status, text)
    try:
        event = json.loads(text)["event_id"]
    except (ValueError, KeyError, TypeError):
        return f"no event: {text[:300]}"
    try:
        status, text = ask(host, f"{route}/{event}")
    except http.client.HTTPException as error:
        return f"the answer was cut off ({type(error).__name__}): {body[:200]!r}"
    found = ANSWER.search(text.rsplit("\n\n", 2)[-2] if text.endswith("\n\n") else text)
    if status != 200 or found is None:
        return f"no answer ({status}): {text[:300]}"
    counts[{"complete": "answered", "error": "refused in the queue"}[found[1]]] += 1
    return _sentence(status, found[2]) if found[1] == "error" else ""


def _sentence(status: int, text: str) -> str:
    """Whether a refusal says what is wrong."""
    try:
        said = json.loads(text)
    except ValueError:
        return f"status {status} without JSON: {text[:300]}"
    words = said.get("error", said.get("detail")) if isinstance(said, dict) else None
    if not words or "Traceback" in str(words):
        return f"status {status} says nothing: {text[:300]}"
    return ""


def run(first: int, count: int) -> tuple[Counter[str], list[str], float]:
    """Send calls `first` to `first + count`: what became of them, faults, slowest in seconds."""
    counts: Counter[str] = Counter()
    faults: list[str] = []
    slowest = 0.0
    with (
        tempfile.TemporaryDirectory() as folder,
        patch.dict(os.environ, {"GRADIO_TEMP_DIR": folder}),
    ):
        from page.launch import build, serve

        page = build(stand_ins.chosen(Path(folder)))
        said = io.StringIO()
        with contextlib.redirect_stderr(said), contextlib.redirect_stdout(said):
            options = {"server_name": "127.0.0.1", "prevent_thread_lock": True, "quiet": True}
            _, url, _ = serve(page, **options)
            host = urlsplit(url).netloc
            for number in range(first, first + count):
                before, began = said.tell(), time.process_time()
                wrong = fault(host, number, counts)
                slowest = max(slowest, time.process_time() - began)
                said.seek(before)
                printed = said.read()
                if "Traceback" in printed and not wrong:
                    wrong = f"a traceback: {printed[-600:]}"
                if wrong:
                    faults.append(f"call {number}: {wrong}")
            page.close(verbose=False)
    return counts, faults, slowest


def main() -> int:
    """Send them all; 1 when something was found."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.api", description=__doc__)
    parser.add_argument("--inputs", type=int, default=5_000)
    parser.add_argument("--first", type=int, default=0, help="number of the first call")
    options = parser.parse_args()
    began = time.process_time()
    counts, faults, slowest = run(options.first, options.inputs)
    for line in faults[:20]:
        print(line)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    told = ", ".join(f"{number} {what}" for what, number in sorted(counts.items()))
    print(f"{options.inputs} calls: {told}, {len(faults)} faults; slowest {slowest:.1f} s of CPU,")
    print(f"{time.process_time() - began:.0f} s in all, peak {peak:.0f} MiB")
    return int(bool(faults) or peak > MOST_MIB or slowest > MOST_SECONDS)


if __name__ == "__main__":
    raise SystemExit(main())
