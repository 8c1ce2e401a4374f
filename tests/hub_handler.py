"""The request handler of the stand-in Hub: one method per endpoint."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import time
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, unquote, urlsplit

if TYPE_CHECKING:
    from tests.hub_server import Fault, HubServer, Repo

LARGE = (".safetensors", ".onnx")
TOKEN = "hf_stand_in_token"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    hub: HubServer

    def log_message(self, format: str, *args: object) -> None:
        """Keep the test output quiet."""

    def do_GET(self) -> None:
        self._serve()

    do_HEAD = do_POST = do_PUT = do_GET

    def _serve(self) -> None:
        url = urlsplit(self.path)
        self.path_only, self.query = unquote(url.path), parse_qs(url.query)
        length = int(self.headers.get("Content-Length") or 0)
        key = f"{self.command} {self.path_only}"
        fault = self._fault(key)
        self.fault = fault
        if fault and fault.cut is not None and self.command == "PUT":
            self.rfile.read(min(length, fault.cut))
            self.hub.see("CUT", self.path_only, dict(self.headers), fault.cut)
            self.close_connection = True
            return
        self.body = self.rfile.read(length) if length else self._chunks()
        headers = {k.lower(): v for k, v in self.headers.items()}
        self.hub.see(self.command, self.path_only, headers, len(self.body))
        if fault and fault.slow:
            time.sleep(fault.slow)
        if fault and fault.location:
            self._send(302, b"", {"Location": fault.location + self.path_only, **fault.headers})
        elif fault and fault.status:
            self._send(fault.status, b'{"error": "stand-in fault"}', fault.headers)
        else:
            self._route()

    def _chunks(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return b""
        data = b""
        while size := int(self.rfile.readline().strip() or b"0", 16):
            data += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return data

    def _fault(self, key: str) -> Fault | None:
        for fault in self.hub.faults:
            if fault.times > 0 and re.search(fault.pattern, key):
                fault.times -= 1
                return fault
        return None

    def _send(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        headers = {"Content-Length": str(len(body)), **(headers or {})}
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "HEAD":
            return
        fault = self.fault
        if fault and fault.flip and body:
            body = body[:-1] + bytes([body[-1] ^ 255])
        if fault and fault.cut is not None:
            self.wfile.write(body[: fault.cut])
            self.close_connection = True
            return
        self.wfile.write(body)

    def _json(
        self, value: object, status: int = 200, headers: dict[str, str] | None = None
    ) -> None:
        self._send(
            status,
            json.dumps(value).encode(),
            {"Content-Type": "application/json", **(headers or {})},
        )

    def _missing(self, code: str) -> None:
        self._json({"error": code}, 404, {"X-Error-Code": code, "X-Error-Message": code})

    @property
    def _logged_in(self) -> bool:
        return self.headers.get("Authorization") == f"Bearer {TOKEN}"

    def _route(self) -> None:
        path = self.path_only
        if self.command in ("POST", "PUT") and not self._logged_in and not path.startswith("/lfs/"):
            self._json({"error": "Invalid username or password."}, 401)
            return
        for pattern, method in _ROUTES:
            if match := re.fullmatch(pattern, path):
                getattr(self, method)(**match.groupdict())
                return
        self._missing("EntryNotFound")

    def _find(self, kind: str | None, name: str) -> Repo | None:
        kind = (kind or "models").removesuffix("/").removesuffix("s")
        repo = self.hub.repos.get((kind, name))
        if repo is None or (name in self.hub.private and not self._logged_in):
            self._missing("RepoNotFound")
            return None
        return repo

    def _at(self, kind: str | None, name: str, revision: str) -> tuple[Repo, str] | None:
        repo = self._find(kind, name)
        if repo is None:
            return None
        commit = repo.resolve(revision)
        if commit is None:
            self._missing("RevisionNotFound")
            return None
        return repo, commit

    def info(self, kind: str, name: str, revision: str = "main") -> None:
        if found := self._at(kind, name, revision or "main"):
            repo, commit = found
            files = [{"rfilename": path} for path in repo.commits[commit]]
            self._json({"id": name, "sha": commit, "siblings": files, "private": False, "tags": []})

    def refs(self, kind: str, name: str) -> None:
        if repo := self._find(kind, name):
            self._json(
                {
                    "branches": [_ref("heads", k, v) for k, v in repo.refs.items()],
                    "tags": [_ref("tags", k, v) for k, v in repo.tags.items()],
                    "converts": [],
                }
            )

    def tree(self, kind: str, name: str, revision: str) -> None:
        if found := self._at(kind, name, revision):
            repo, commit = found
            self._json([_entry(p, data) for p, data in repo.commits[commit].items()])

    def file(self, kind: str | None, name: str, revision: str, path: str) -> None:
        found = self._at(kind, name, revision)
        if found is None:
            return
        repo, commit = found
        data = repo.commits[commit].get(path)
        if data is None:
            self._missing("EntryNotFound")
            return
        etag = _oid(path, data)
        headers = {"X-Repo-Commit": commit, "ETag": f'"{etag}"', "Accept-Ranges": "bytes"}
        wanted = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range") or "")
        if wanted:
            start = int(wanted[1])
            headers["Content-Range"] = f"bytes {start}-{len(data) - 1}/{len(data)}"
            self._send(206, data[start:], headers)
        else:
            self._send(200, data, headers)

    def create(self) -> None:
        asked = json.loads(self.body)
        name = f"{asked.get('organization') or 'me'}/{asked['name']}"
        key = (asked.get("type") or "model", name)
        if key in self.hub.repos:
            self._json({"error": "Repo exists", "url": f"{self.hub.url}/{name}"}, 409)
            return
        self.hub.repos[key] = self.hub.new_repo()
        self._json({"url": f"{self.hub.url}/{name}", "name": name})

    def preupload(self, kind: str, name: str, revision: str) -> None:
        if found := self._at(kind, name, revision):
            repo, commit = found
            tree = repo.commits[commit]
            answer = []
            for item in json.loads(self.body)["files"]:
                path = item["path"]
                entry = {"path": path, "shouldIgnore": False}
                entry["uploadMode"] = "lfs" if path.endswith(LARGE) else "regular"
                if path in tree:
                    entry["oid"] = _oid(path, tree[path])
                answer.append(entry)
            self._json({"files": answer})

    def batch(self, kind: str | None, name: str) -> None:
        if self._find(kind, name) is None:
            return
        objects = []
        for item in json.loads(self.body)["objects"]:
            entry = {"oid": item["oid"], "size": item["size"]}
            if item["oid"] not in self.hub.blobs:
                entry["actions"] = {"upload": {"href": f"{self.hub.url}/lfs/{item['oid']}"}}
            objects.append(entry)
        self._json({"transfer": "basic", "objects": objects})

    def put(self, oid: str) -> None:
        if hashlib.sha256(self.body).hexdigest() != oid:
            self._json({"error": "sha256 does not match"}, 400)
            return
        self.hub.blobs[oid] = self.body
        self._json({})

    def commit(self, kind: str, name: str, revision: str) -> None:
        found = self._at(kind, name, revision)
        if found is None:
            return
        repo, _ = found
        files: dict[str, bytes] = {}
        for line in self.body.splitlines():
            item = json.loads(line)
            value = item["value"]
            if item["key"] == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif item["key"] == "lfsFile":
                files[value["path"]] = self.hub.blobs[value["oid"]]
        as_pull_request = "create_pr" in self.query
        sha = repo.commit(files, revision, move=not as_pull_request)
        answer = {"commitUrl": f"{self.hub.url}/{name}/commit/{sha}", "commitOid": sha}
        if as_pull_request:
            repo.pull_requests.append(sha)
            number = len(repo.pull_requests)
            answer["pullRequestUrl"] = f"{self.hub.url}/{name}/discussions/{number}"
        self._json(answer)

    def tag(self, kind: str, name: str, revision: str) -> None:
        if found := self._at(kind, name, revision):
            repo, commit = found
            name = json.loads(self.body)["tag"]
            if name in repo.tags:
                self._json({"error": "Tag already exists"}, 409)
                return
            repo.tags[name] = commit
            self._json({})

    def yaml(self) -> None:
        self._json({"errors": [], "warnings": []})

    def whoami(self) -> None:
        self._json({"name": "me", "type": "user"} if self._logged_in else {}, 200)


_KIND = r"/api/(?P<kind>models|datasets)/(?P<name>[^/]+/[^/]+)"
_ROUTES = [
    (_KIND, "info"),
    (_KIND + r"/revision/(?P<revision>.+)", "info"),
    (_KIND + r"/refs", "refs"),
    (_KIND + r"/tree/(?P<revision>.+)", "tree"),
    (_KIND + r"/preupload/(?P<revision>.+)", "preupload"),
    (_KIND + r"/commit/(?P<revision>.+)", "commit"),
    (_KIND + r"/tag/(?P<revision>.+)", "tag"),
    (r"/api/repos/create", "create"),
    (r"/api/validate-yaml", "yaml"),
    (r"/api/whoami-v2", "whoami"),
    (r"/lfs/(?P<oid>[0-9a-f]{64})", "put"),
    (r"/(?P<kind>datasets/)?(?P<name>[^/]+/[^/]+)\.git/info/lfs/objects/batch", "batch"),
    (
        r"/(?P<kind>datasets/)?(?P<name>[^/]+/[^/]+)/resolve/(?P<revision>[^/]+)/(?P<path>.+)",
        "file",
    ),
]


def _ref(kind: str, name: str, commit: str) -> dict[str, str]:
    return {"name": name, "ref": f"refs/{kind}/{name}", "targetCommit": commit}


def _oid(path: str, data: bytes) -> str:
    if path.endswith(LARGE):
        return hashlib.sha256(data).hexdigest()
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


def _entry(path: str, data: bytes) -> dict[str, object]:
    blob = hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()
    entry: dict[str, object] = {"type": "file", "path": path, "size": len(data), "oid": blob}
    if path.endswith(LARGE):
        oid = hashlib.sha256(data).hexdigest()
        entry["lfs"] = {"oid": oid, "size": len(data), "pointerSize": 134}
    return entry
