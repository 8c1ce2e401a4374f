from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hub_server import TOKEN, HubServer, use_hub
from uncover.weights import hub
from uncover.weights.hub import HubError


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HubServer]:
    with HubServer() as running:
        use_hub(monkeypatch, tmp_path / "cache", running.url, TOKEN)
        yield running


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "folder"
    path.mkdir()
    (path / "a.safetensors").write_bytes(os.urandom(200_000))
    (path / "b.safetensors").write_bytes(os.urandom(100_000))
    (path / "config.json").write_text("{}")
    return path


FILES = ["a.safetensors", "b.safetensors", "config.json"]


def test_everything_goes_up_in_one_commit(server: HubServer, folder: Path) -> None:
    done = hub.push_folder(folder, "me/net", FILES, message="First", tag="v1")
    repo = server.repo("me/net")
    assert len(repo.commits) == 2
    assert {n: repo.files[n] for n in FILES} == {n: (folder / n).read_bytes() for n in FILES}
    assert repo.tags == {"v1": done.commit}
    assert done.url.startswith(server.url)
    assert hub.list_files("me/net", done.commit)["a.safetensors"] == 200_000
    assert hub.read_text("me/net", "config.json") == "{}"
    assert hub.read_text("me/net", "README.md") is None
    assert hub.read_text("me/other", "README.md") is None


def test_pushing_the_same_again_makes_no_commit(server: HubServer, folder: Path) -> None:
    first = hub.push_folder(folder, "me/net", FILES, message="First")
    again = hub.push_folder(folder, "me/net", FILES, message="Again")
    assert again.commit == first.commit
    assert server.count("PUT /lfs") == 2


def test_a_pull_request_leaves_main_alone(server: HubServer, folder: Path) -> None:
    server.add("you/net", {"README.md": b"theirs"})
    done = hub.push_folder(folder, "you/net", FILES, message="Please", create_pr=True)
    assert done.url.endswith("/you/net/discussions/1")
    assert "a.safetensors" not in server.repo("you/net").files
    with pytest.raises(HubError, match="cannot be tagged"):
        hub.push_folder(folder, "you/net", FILES, message="x", create_pr=True, tag="v1")


def test_a_taken_tag_is_noticed_before_the_upload(server: HubServer, folder: Path) -> None:
    hub.push_folder(folder, "me/net", FILES, message="First", tag="v1")
    before = server.count("PUT")
    (folder / "a.safetensors").write_bytes(b"new")
    with pytest.raises(HubError, match="already has a version 'v1'"):
        hub.push_folder(folder, "me/net", FILES, message="Second", tag="v1")
    assert server.count("PUT") == before


def test_a_broken_upload_is_resumed(server: HubServer, folder: Path) -> None:
    server.fail("PUT /lfs", cut=1000, times=1)
    hub.push_folder(folder, "me/net", FILES, message="First")
    assert server.count("CUT /lfs") == 1
    assert server.repo("me/net").files["a.safetensors"] == (folder / "a.safetensors").read_bytes()


def test_an_upload_given_up_sends_only_the_rest_next_time(server: HubServer, folder: Path) -> None:
    server.fail("/commit/", status=403)
    with pytest.raises(HubError, match="refused the token"):
        hub.push_folder(folder, "me/net", FILES, message="First")
    assert server.count("PUT /lfs") == 2
    assert len(server.repo("me/net").commits) == 1
    hub.push_folder(folder, "me/net", FILES, message="First")
    assert server.count("PUT /lfs") == 2
    assert set(FILES) <= set(server.repo("me/net").files)


@pytest.mark.parametrize("pattern", ["/commit/", "/preupload/", "objects/batch", "repos/create"])
@pytest.mark.parametrize("status", [429, 500])
def test_a_busy_hub_is_asked_again(
    server: HubServer, folder: Path, pattern: str, status: int
) -> None:
    server.fail(pattern, status=status, headers={"Retry-After": "1"})
    hub.push_folder(folder, "me/net", FILES, message="First")
    assert set(FILES) <= set(server.repo("me/net").files)


def test_without_a_token_it_says_how_to_log_in(
    server: HubServer, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HF_TOKEN")
    with pytest.raises(HubError, match="hf auth login"):
        hub.push_folder(folder, "me/net", FILES, message="First")
    assert server.seen == []
    monkeypatch.setenv("HF_TOKEN", "hf_wrong")
    with pytest.raises(HubError, match="refused the token"):
        hub.push_folder(folder, "me/net", FILES, message="First")


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ({"status": 401}, "refused the token|not found"),
        ({"status": 404, "headers": {"X-Error-Code": "RepoNotFound"}}, "not found on the Hub"),
        ({"status": 404}, r"not found on the Hub \(404\)"),
        ({"status": 404, "headers": {"X-Error-Code": "RevisionNotFound"}}, "no such revision"),
        ({"status": 403, "headers": {"X-Error-Code": "GatedRepo"}}, "accept conditions"),
        ({"status": 429, "times": 99}, "slow down"),
        ({"status": 500, "times": 99}, "answered 500"),
    ],
)
def test_each_answer_is_explained_in_one_line(server: HubServer, fault: dict, message: str) -> None:
    server.add("me/net", {"config.json": b"{}"})
    server.fail("GET /api/models/me/net", **fault)
    with pytest.raises(HubError, match=f"me/net: .*({message})") as caught:
        hub.commit_of("me/net")
    assert "\n" not in str(caught.value)


def test_a_hub_that_is_not_there(server: HubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(HubError, match="cannot be reached"):
        hub.commit_of("me/net")


def test_a_commit_that_is_a_path_is_refused(
    server: HubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo = server.add("me/net", {"config.json": b"{}"})
    repo.commits["../../evil"] = {}
    repo.refs["main"] = "../../evil"
    with pytest.raises(HubError, match="named no commit"):
        hub.commit_of("me/net")


def test_a_cut_download_goes_on_where_it_broke(server: HubServer) -> None:
    data = os.urandom(300_000)
    commit = server.add("me/net", {"a.safetensors": data}).refs["main"]
    server.fail("GET /me/net/resolve", cut=100_000)
    folder = hub.fetch("me/net", commit, ["a.safetensors"])
    assert (folder / "a.safetensors").read_bytes() == data
    gets = [seen for seen in server.seen if seen.method == "GET" and "resolve" in seen.path]
    first, second = (seen.headers.get("range") for seen in gets)
    assert first is None
    assert 0 < int(second.removeprefix("bytes=").removesuffix("-")) <= 100_000
    assert not list(folder.parent.parent.rglob("*.incomplete"))


def test_a_slow_answer_is_waited_for(server: HubServer) -> None:
    commit = server.add("me/net", {"config.json": b"{}"}).refs["main"]
    server.fail("GET /me/net/resolve", slow=0.3)
    assert (hub.fetch("me/net", commit, ["config.json"]) / "config.json").read_text() == "{}"


def test_a_redirect_elsewhere_does_not_carry_the_token(server: HubServer) -> None:
    data = os.urandom(1000)
    with HubServer() as elsewhere:
        commit = server.add("me/net", {"a.safetensors": data}).refs["main"]
        elsewhere.add("me/net", {"a.safetensors": data}).commits[commit] = {"a.safetensors": data}
        headers = {
            "X-Repo-Commit": commit,
            "X-Linked-ETag": '"' + "0" * 64 + '"',
            "X-Linked-Size": "1000",
        }
        server.fail("/resolve/", location=elsewhere.url, headers=headers, times=9)
        folder = hub.fetch("me/net", commit, ["a.safetensors"])
        assert (folder / "a.safetensors").read_bytes() == data
        assert any("authorization" in seen.headers for seen in server.seen)
        assert elsewhere.seen
        assert all("authorization" not in seen.headers for seen in elsewhere.seen)


def test_a_data_set_repo_goes_both_ways(server: HubServer, tmp_path: Path) -> None:
    source = tmp_path / "manifest"
    source.mkdir()
    (source / "manifest.csv").write_text("path,sha256\na.png,00\n")
    (source / "photo.png").write_bytes(b"not for publication")
    hub.push_folder(source, "me/labels", ["manifest.csv"], message="Labels", repo_type="dataset")
    folder = hub.pull_files("me/labels", ["manifest.csv"])
    assert (folder / "manifest.csv").read_text() == "path,sha256\na.png,00\n"
    assert "photo.png" not in server.repo("me/labels", "dataset").files
    with pytest.raises(HubError, match=r"has no photo\.png"):
        hub.pull_files("me/labels", ["photo.png"])


def test_the_command_line_client_reads_the_environment(server: HubServer, tmp_path: Path) -> None:
    server.add("me/net", {"config.json": b'{"a": 1}'})
    code = (
        "from uncover.weights import hub; c = hub.commit_of('me/net'); "
        "print((hub.fetch('me/net', c, ['config.json']) / 'config.json').read_text())"
    )
    environment = os.environ | {
        "HF_ENDPOINT": server.url,
        "HF_HOME": str(tmp_path / "home"),
        "HF_HUB_DISABLE_XET": "1",
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    }
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout) == {"a": 1}
