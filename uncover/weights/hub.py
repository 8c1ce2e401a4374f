"""Talks to the Hugging Face Hub: which commit, which files, pull them, push a folder.

Thin over huggingface_hub, which keeps the cache, resumes downloads and drops the token when it is
sent to another host. Every failure becomes a `HubError` of one line. Used for weights (model repos)
and for the benchmark's manifests (dataset repos).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import huggingface_hub as hf
from huggingface_hub import constants, errors
from huggingface_hub.utils import validate_repo_id

from uncover.weights.hub_errors import HubError, endpoint, explained, patiently

MAIN = "main"


@dataclass(frozen=True)
class Pushed:
    """What an upload did: page of the commit or pull request, commit hash, tag if one was set."""

    url: str
    commit: str
    tag: str | None = None


def is_repo_name(text: str) -> bool:
    """Whether `text` reads as "user/repo"."""
    try:
        validate_repo_id(text)
    except errors.HFValidationError:
        return False
    return text.count("/") == 1


def offline() -> bool:
    """Whether $HF_HUB_OFFLINE forbids the network."""
    return bool(constants.HF_HUB_OFFLINE)


def cache_dir() -> Path:
    """Where huggingface_hub keeps what it pulled."""
    return Path(constants.HF_HUB_CACHE)


def repo_cache(repo: str, repo_type: str = "model") -> Path:
    """The folder of the cache that belongs to one repo."""
    return cache_dir() / f"{repo_type}s--{repo.replace('/', '--')}"


def noted_commit(repo: str, revision: str | None = None) -> str | None:
    """The commit that the cache has for a revision, as huggingface_hub notes it; None for none."""
    folder, name = repo_cache(repo), revision or MAIN
    if (folder / "snapshots" / name).is_dir():
        return name
    try:
        return (folder / "refs" / name).read_text("utf-8").strip() or None
    except (OSError, UnicodeDecodeError):
        return None


def commit_of(repo: str, revision: str | None = None, repo_type: str = "model") -> str:
    """The commit that a branch, tag or commit prefix names now.

    Raises:
        HubError: no such repo or revision, or the Hub cannot be reached; one line.
    """
    with explained(repo):
        info = patiently(lambda: _api().repo_info(repo, revision=revision, repo_type=repo_type))
    commit = info.sha or ""
    if not re.fullmatch(r"[0-9a-f]{40}|[0-9a-f]{64}", commit):
        raise HubError(f"{repo}: {endpoint()} named no commit")
    return commit


def list_files(repo: str, commit: str, repo_type: str = "model") -> dict[str, int]:
    """The files of a commit with their sizes in bytes."""
    with explained(repo):
        tree = _api().list_repo_tree(repo, recursive=True, revision=commit, repo_type=repo_type)
        return {item.path: item.size for item in tree if isinstance(item, hf.hf_api.RepoFile)}


def fetch(
    repo: str,
    commit: str,
    files: Sequence[str],
    *,
    repo_type: str = "model",
    force: bool = False,
    local_files_only: bool = False,
) -> Path:
    """Put the named files of a commit into the cache and return their folder.

    A cut connection is resumed where it broke; a file appears under its name only when complete.
    """
    with explained(repo):
        folder = hf.snapshot_download(
            repo,
            revision=commit,
            repo_type=repo_type,
            allow_patterns=[_literal(name) for name in files],
            cache_dir=cache_dir(),
            endpoint=endpoint(),
            force_download=force,
            local_files_only=local_files_only,
            library_name="uncover",
        )
    missing = [name for name in files if not (Path(folder) / name).is_file()]
    if missing:
        raise HubError(f"{repo}: {missing[0]} is missing at {commit[:12]}")
    return Path(folder)


def pull_files(
    repo: str,
    files: Sequence[str],
    *,
    revision: str | None = None,
    repo_type: str = "dataset",
    limit: int = 2**30,
) -> Path:
    """Pull the named files of a repo, none larger than `limit` bytes, and return their folder.

    For data such as manifests; weights go through `uncover.weights.cache.pull`. With
    $HF_HUB_OFFLINE, what was pulled before is used.
    """
    if offline():
        return fetch(repo, revision or MAIN, files, repo_type=repo_type, local_files_only=True)
    commit = commit_of(repo, revision, repo_type)
    sizes = list_files(repo, commit, repo_type)
    for name in files:
        if name not in sizes:
            raise HubError(f"{repo} has no {name} at {commit[:12]}")
        if sizes[name] > limit:
            raise HubError(f"{repo}: {name} is absurdly large ({sizes[name]} bytes)")
    # By its name, so that the cache knows what a branch stood for when there is no network.
    return fetch(repo, revision or MAIN, files, repo_type=repo_type)


def read_text(repo: str, name: str, repo_type: str = "model") -> str | None:
    """A small text file of a repo's main branch; None if the repo or the file is missing."""
    try:
        commit = commit_of(repo, repo_type=repo_type)
    except HubError as error:
        if isinstance(error.__cause__, errors.RepositoryNotFoundError):
            return None
        raise
    if name not in list_files(repo, commit, repo_type):
        return None
    return (fetch(repo, commit, [name], repo_type=repo_type) / name).read_text("utf-8")


def tags(repo: str, repo_type: str = "model") -> set[str]:
    """The tags of a repo; none if it does not exist yet."""
    try:
        with explained(repo):
            refs = patiently(lambda: _api().list_repo_refs(repo, repo_type=repo_type))
    except HubError as error:
        if isinstance(error.__cause__, errors.RepositoryNotFoundError):
            return set()
        raise
    return {tag.name for tag in refs.tags}


def need_login() -> None:
    """Raise a `HubError` that says how to log in unless a token is at hand."""
    if not hf.get_token():
        raise HubError(
            "not logged in to the Hub: run `hf auth login` with a token that may write "
            "(https://huggingface.co/settings/tokens), or set HF_TOKEN"
        )


def push_folder(
    folder: Path,
    repo: str,
    files: Sequence[str],
    *,
    message: str,
    repo_type: str = "model",
    create_pr: bool = False,
    tag: str | None = None,
    private: bool | None = None,
) -> Pushed:
    """Upload the named files of a folder in one commit, making the repo if it is missing.

    Large files go first; the commit that shows them comes last, so a broken upload leaves the repo
    as it was, and running the same again sends only what is still missing.

    Args:
        create_pr: propose the change instead of making it.
        tag: name of a version, set on the new commit; not with `create_pr`.

    Raises:
        HubError: not logged in, not allowed, the tag is taken, or the Hub fails; one line.
    """
    need_login()
    if tag is not None and create_pr:
        raise HubError("a pull request cannot be tagged before it is merged: leave out the tag")
    if tag is not None and tag in tags(repo, repo_type):
        raise HubError(f"{repo} already has a version {tag!r}: choose another tag")
    api = _api()
    with explained(repo):
        patiently(
            lambda: api.create_repo(repo, repo_type=repo_type, exist_ok=True, private=private)
        )

        def commit() -> hf.CommitInfo:
            operations = [hf.CommitOperationAdd(name, str(folder / name)) for name in files]
            return api.create_commit(
                repo, operations, commit_message=message, repo_type=repo_type, create_pr=create_pr
            )

        # A pull request is sent once: if the answer is lost, a second try would open a second one.
        done = commit() if create_pr else patiently(commit)
        if tag is not None:
            patiently(lambda: api.create_tag(repo, tag=tag, revision=done.oid, repo_type=repo_type))
    return Pushed(done.pr_url or done.commit_url, done.oid, tag)


def _api() -> hf.HfApi:
    return hf.HfApi(endpoint=endpoint(), library_name="uncover")


def _literal(name: str) -> str:
    return "".join(f"[{c}]" if c in "*?[" else c for c in name)
