"""Where weights come from: the embedded default, a folder, or a Hub repo; needs no torch."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from uncover.errors import WeightsError
from uncover.weights.cache import Files, pull
from uncover.weights.config import CONFIG, REFUSED
from uncover.weights.hub import is_repo_name


def embedded_folder() -> Path:
    """The weights that come with the code: in the checkout's weights/, or in the installed copy."""
    installed = Path(__file__).resolve().parent / "embedded"
    return installed if installed.is_dir() else Path(__file__).resolve().parents[2] / "weights"


def default_folder() -> Path:
    """The weights that come with the code, or the folder named by $UNCOVER_WEIGHTS."""
    source, _ = wanted()
    return Path(source).expanduser() if source else embedded_folder()


def wanted(environment: Mapping[str, str] = os.environ) -> tuple[str | None, str | None]:
    """(source, revision) from $UNCOVER_WEIGHTS, a folder, "user/repo" or "user/repo@revision".

    $UNCOVER_REVISION wins over a revision after the @. None, None where nothing is asked for.
    """
    source = environment.get("UNCOVER_WEIGHTS", "").strip() or None
    revision = environment.get("UNCOVER_REVISION", "").strip() or None
    if source and "@" in source and not Path(source).expanduser().exists():
        source, _, after = source.partition("@")
        revision = revision or after or None
    return source, revision


def resolve(
    source: str | Path | None = None,
    revision: str | None = None,
    local_files_only: bool = False,
    files: Files = "torch",
) -> Path:
    """The local folder of a source: None (the default), a folder, or "user/repo" on the Hub.

    $UNCOVER_WEIGHTS and $UNCOVER_REVISION replace the default, as `wanted` reads them.

    Raises:
        WeightsError: no such folder or repo, or a single file of another format; one line.
    """
    if source is None:
        folder = default_folder()
        repo, at = wanted()
        if repo and not folder.is_dir() and is_repo_name(repo):
            return pull(repo, revision or at, local_files_only, files)
        if not (folder / CONFIG).is_file():
            raise WeightsError(
                f"no weights lie in {folder}: name a folder or a Hub repo, or set $UNCOVER_WEIGHTS"
            )
        return folder
    path = Path(source).expanduser()
    if path.is_dir():
        return path
    if path.suffix.lower() in REFUSED | {".safetensors", ".onnx"}:
        raise WeightsError(
            f"{path.name} is refused: weights are a folder or Hub repo of config.json and "
            ".safetensors files, never a single or pickled file"
        )
    if not is_repo_name(str(source)):
        raise WeightsError(f"{source} is neither a weights folder nor a Hub repo like user/name")
    return pull(str(source), revision, local_files_only, files)
