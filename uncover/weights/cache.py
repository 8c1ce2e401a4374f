"""Weights pulled from the Hub: checked before use, with the last good version kept to fall back on.

The files lie in huggingface_hub's own cache. Beside them, in the repo's folder of the cache,
uncover.json records for each revision the last commit whose files all had the right sha256.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Literal

from huggingface_hub.utils import WeakFileLock

from uncover.atomic import write_atomically
from uncover.errors import WeightsError
from uncover.strict import read_json
from uncover.weights import hub
from uncover.weights.config import (
    CARD,
    CONFIG,
    INFERENCE,
    REFUSED,
    RESULTS,
    WeightsConfig,
    check_files,
    hash_file,
    read_config,
)
from uncover.weights.hub import MAIN

RECORD = "uncover.json"
LARGEST_RESULTS = 2**22
"""Bytes of a results.json that is still pulled; the embedded one has a twentieth of that."""
Files = Literal["torch", "onnx", "all"]
log = logging.getLogger("uncover")


def pull(
    repo: str,
    revision: str | None = None,
    local_files_only: bool = False,
    files: Files = "torch",
) -> Path:
    """Pull "user/repo" into the cache and return the folder; every file is checked.

    If the Hub cannot be reached, or what it gives is cut short, altered or of another format, the
    last version that was good stays in use and a warning says so.

    Args:
        revision: branch, tag or commit; the main branch if None.
        local_files_only: use only what was pulled before.
        files: "torch" or "onnx" for what painting with that backend needs, or "all", which has the
            discriminators as well.

    A cache that cannot be written is read: what lies in it whole is used.

    Raises:
        WeightsError: nothing good is to be had; one line.
    """
    if local_files_only or hub.offline():
        good = last_good(repo, revision, files)
        if good is None:
            raise WeightsError(
                f"{repo} is not in the cache (whole and unaltered): pull it while online"
            )
        return good
    with _lock(repo):
        try:
            commit = hub.commit_of(repo, revision)
            folder = _snapshot(repo, commit)
            if commit not in _record(repo).values() or not _is_good(folder, files):
                folder = _download(repo, commit, files)
        except WeightsError as error:
            good = last_good(repo, revision, files)
            if good is None:
                raise
            log.warning("%s; the previous good version (%s) stays in use", error, good.name[:12])
            return good
        _remember(repo, revision, commit)
        return folder


def last_good(repo: str, revision: str | None = None, files: Files = "torch") -> Path | None:
    """The folder of the last good version of a revision, if all its files are still good.

    What uncover did not pull itself counts, too, as huggingface_hub notes it.
    """
    commit = _record(repo).get(revision or MAIN) or hub.noted_commit(repo, revision)
    folder = _snapshot(repo, commit) if commit else None
    return folder if folder and _is_good(folder, files) else None


def pulled() -> Iterator[tuple[str, str, Path]]:
    """What was pulled before: (repo, revision, folder) of each recorded good version."""
    for path in sorted(hub.cache_dir().glob(f"models--*--*/{RECORD}")):
        repo = path.parent.name.removeprefix("models--").replace("--", "/", 1)
        for revision, commit in sorted(_record(repo).items()):
            yield repo, revision, _snapshot(repo, commit)


def wanted_files(config: WeightsConfig, files: Files) -> tuple[str, ...]:
    """The files of a config that are pulled: those one backend needs, or all that it names.

    Raises:
        WeightsError: ONNX files were asked for and there are none.
    """
    if files == "all":
        return tuple(config.files())
    if files == "torch":
        return tuple(config.components[name].file for name in config.used())
    needed = [config.components[name] for name in INFERENCE if name in config.components]
    exported = tuple(component.onnx.file for component in needed if component.onnx)
    if len(exported) < len(needed) or not exported:
        raise WeightsError("these weights have no ONNX files: `uncover export onnx` writes them")
    return exported


def _download(repo: str, commit: str, files: Files) -> Path:
    sizes = hub.list_files(repo, commit)
    if CONFIG not in sizes:
        others = sorted(name for name in sizes if Path(name).suffix.lower() in REFUSED)
        reason = f"{others[0]} is refused" if others else f"it has no {CONFIG}"
        raise WeightsError(
            f"{repo}: {reason}: only config.json + .safetensors weights of uncover are pulled"
        )
    if sizes[CONFIG] > 2**20:
        raise WeightsError(f"{repo}: its {CONFIG} is absurdly large ({sizes[CONFIG]} bytes)")
    notes = [name for name in (CARD, RESULTS) if name in sizes]
    if sizes.get(RESULTS, 0) > LARGEST_RESULTS:
        notes.remove(RESULTS)
    folder = hub.fetch(repo, commit, [CONFIG, *notes])
    config = read_config(folder)
    wanted = wanted_files(config, files)
    for name in wanted:
        size = config.files()[name][1]
        if sizes.get(name) != size:
            raise WeightsError(
                f"{repo}: {name} has {sizes.get(name, 0)} bytes, its {CONFIG} says {size}: refused"
            )
    hub.fetch(repo, commit, wanted)
    try:
        check_files(folder, config, wanted)
    except WeightsError:
        _discard(folder, config, wanted)
        hub.fetch(repo, commit, wanted)
        try:
            check_files(folder, config, wanted)
        except WeightsError as error:
            _discard(folder, config, wanted)
            raise WeightsError(f"{repo}: {error}") from error
    return folder


def _discard(folder: Path, config: WeightsConfig, names: tuple[str, ...]) -> None:
    """Drop files whose bytes are wrong from the cache, so that they are fetched anew."""
    for name in names:
        path = folder / name
        if path.is_file() and hash_file(path) != config.files()[name][0]:
            path.resolve().unlink(missing_ok=True)
            path.unlink(missing_ok=True)


def _is_good(folder: Path, files: Files) -> bool:
    if not (folder / CONFIG).is_file():
        return False
    try:
        config = read_config(folder)
        check_files(folder, config, wanted_files(config, files))
    except WeightsError:
        return False
    return True


def _snapshot(repo: str, commit: str) -> Path:
    return hub.repo_cache(repo) / "snapshots" / commit


def _record(repo: str) -> dict[str, str]:
    path = hub.repo_cache(repo) / RECORD
    if not path.is_file():
        return {}
    try:
        data = read_json(path)
        return {k: v for k, v in data.get("good", {}).items() if isinstance(v, str)}
    except (WeightsError, AttributeError):
        return {}


def _remember(repo: str, revision: str | None, commit: str) -> None:
    good = _record(repo) | {revision or MAIN: commit}
    path = hub.repo_cache(repo) / RECORD
    with suppress(OSError):  # only for the day on which the Hub cannot be reached
        write_atomically(path, (json.dumps({"good": good}, indent=1) + "\n").encode())


@contextmanager
def _lock(repo: str) -> Iterator[None]:
    """One process at a time; none needs to wait where the cache cannot be written."""
    folder = hub.cache_dir() / ".locks" / hub.repo_cache(repo).name
    with ExitStack() as stack:
        with suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
            stack.enter_context(WeakFileLock(folder / "uncover.lock"))
        yield
