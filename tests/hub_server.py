"""A small stand-in of the Hugging Face Hub's HTTP endpoints on loopback, with faults on demand.

Holds repos in memory and speaks what huggingface_hub's client needs to make a repo, upload, commit,
tag, list and download. Large files (*.safetensors, *.onnx) go through the LFS endpoints.
"""

from __future__ import annotations

import hashlib
import re
import threading
import time
from dataclasses import dataclass, field
from http.server import ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace, TracebackType

import pytest
from huggingface_hub import constants
from huggingface_hub.utils import disable_progress_bars

from tests.hub_handler import TOKEN, Handler


@dataclass
class Fault:
    """What goes wrong for the next `times` requests whose "METHOD path" matches `pattern`.

    status: answer with it. cut: close after that many bytes of the body. slow: wait seconds first.
    location: redirect there. flip: change one byte of the body. headers: extra headers.
    """

    pattern: str
    times: int = 1
    status: int | None = None
    cut: int | None = None
    slow: float = 0.0
    location: str | None = None
    flip: bool = False
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Seen:
    """One request that arrived."""

    method: str
    path: str
    headers: dict[str, str]
    size: int


class Repo:
    """Commits of a repo, each a full listing of path -> bytes."""

    def __init__(self) -> None:
        self.commits: dict[str, dict[str, bytes]] = {}
        self.refs: dict[str, str] = {}
        self.tags: dict[str, str] = {}
        self.pull_requests: list[str] = []
        self.commit({".gitattributes": b"*.safetensors filter=lfs\n"})

    def commit(self, files: dict[str, bytes], onto: str = "main", move: bool = True) -> str:
        """Add a commit that changes `files` and return its hash."""
        tree = dict(self.commits.get(self.refs.get(onto, ""), {})) | files
        digests = sorted((k, hashlib.sha256(v).hexdigest()) for k, v in tree.items())
        sha = hashlib.sha1(f"{len(self.commits)}{digests}".encode()).hexdigest()
        self.commits[sha] = tree
        if move:
            self.refs[onto] = sha
        return sha

    def resolve(self, revision: str) -> str | None:
        """The commit that a branch, tag or hash names."""
        known = {**{c: c for c in self.commits}, **self.tags, **self.refs}
        return known.get(revision)

    @property
    def files(self) -> dict[str, bytes]:
        """The files of the main branch."""
        return self.commits[self.refs["main"]]


class HubServer:
    """Use as a context manager; `url` goes into $HF_ENDPOINT."""

    def __init__(self) -> None:
        self.repos: dict[tuple[str, str], Repo] = {}
        self.blobs: dict[str, bytes] = {}
        self.faults: list[Fault] = []
        self.seen: list[Seen] = []
        self.private: set[str] = set()
        handler = type("BoundHandler", (Handler,), {"hub": self})
        self.http = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.http.server_address[1]}"

    def __enter__(self) -> HubServer:
        threading.Thread(target=self.http.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.http.shutdown()
        self.http.server_close()

    def add(self, name: str, files: dict[str, bytes], kind: str = "model") -> Repo:
        """Make a repo, or add a commit to it."""
        repo = self.repos.setdefault((kind, name), Repo())
        repo.commit(files)
        return repo

    new_repo = staticmethod(Repo)

    def see(self, method: str, path: str, headers: dict[str, str], size: int) -> None:
        """Note a request."""
        self.seen.append(Seen(method, path, headers, size))

    def repo(self, name: str, kind: str = "model") -> Repo:
        return self.repos[(kind, name)]

    def fail(self, pattern: str, **how: object) -> None:
        """Let matching requests go wrong; see `Fault`."""
        self.faults.append(Fault(pattern, **how))  # type: ignore[arg-type]

    def count(self, pattern: str) -> int:
        """How many requests "METHOD path" matched so far."""
        return sum(bool(re.search(pattern, f"{s.method} {s.path}")) for s in self.seen)


def use_hub(monkeypatch: pytest.MonkeyPatch, cache: Path, url: str, token: str | None) -> None:
    """Point the real client at the stand-in: its own cache, no Xet, no long waits, this token."""
    monkeypatch.setenv("HF_ENDPOINT", url)
    for name in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    if token:
        monkeypatch.setenv("HF_TOKEN", token)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(cache / "hub"))
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(cache / "token"))
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_TELEMETRY", True)
    monkeypatch.setattr(constants, "DOWNLOAD_CHUNK_SIZE", 2**14)
    patient = SimpleNamespace(time=time.time, sleep=lambda seconds: time.sleep(seconds / 100))
    monkeypatch.setattr("huggingface_hub.utils._http.time", patient)
    monkeypatch.setattr("huggingface_hub.file_download.time", patient)
    monkeypatch.setattr("uncover.weights.hub_errors.WAIT", 0.01)
    disable_progress_bars()


__all__ = ["TOKEN", "Fault", "HubServer", "Repo", "Seen", "use_hub"]
