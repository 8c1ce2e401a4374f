"""`uncover weights pull|show|verify` and `uncover export onnx`."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from uncover.atomic import whole_file
from uncover.commands.speech import speaking, tell
from uncover.errors import UncoverError, WeightsError, no_room, without_torch
from uncover.scores import model_of, part_of, read_results
from uncover.weights import (
    CARD,
    CONFIG,
    RESULTS,
    WeightsConfig,
    check_files,
    hash_file,
    read_config,
)


@dataclass(frozen=True)
class Found:
    """Weights on this machine: what they are called, of which revision, and where they lie."""

    source: str
    revision: str | None
    folder: Path


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; `argv` starts with "weights" or "export". Returns the exit status."""
    with speaking():
        return _main(argv)


def _main(argv: Sequence[str] | None) -> int:
    try:
        args = parser().parse_args(argv)
        return int(args.run(args))
    except SystemExit as stop:
        return int(stop.code or 0)
    except UncoverError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"error: {no_room(error)}", file=sys.stderr)
        return 1
    except ModuleNotFoundError as error:
        print(f"error: {without_torch(error)}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("error: stopped", file=sys.stderr)
        return 130


def parser() -> argparse.ArgumentParser:
    """The parser of both commands."""
    top = argparse.ArgumentParser(
        prog="uncover", description="Weights: pull, look at, check, export."
    )
    commands = top.add_subparsers(required=True, metavar="weights|export")
    weights = commands.add_parser("weights", help="pull weights from the Hub, show or verify them")
    actions = weights.add_subparsers(required=True, metavar="pull|show|verify")

    pull = actions.add_parser("pull", help="pull weights from the Hub into the cache")
    pull.add_argument("repo", help="user/name on the Hub")
    pull.add_argument("--revision", help="branch, tag or commit")
    pull.add_argument(
        "--everything", action="store_true", help="also discriminators and ONNX files"
    )
    pull.add_argument("--out", type=Path, help="copy them into this folder as well")
    pull.set_defaults(run=_pull)

    show = actions.add_parser("show", help="what is here: size, licence, sha256, results")
    show.add_argument("source", nargs="*", help="folder or user/name; all that is here if none")
    show.add_argument("--json", action="store_true", help="print JSON")
    show.set_defaults(run=_show)

    verify = actions.add_parser("verify", help="check every file and load every network strictly")
    verify.add_argument("source", nargs="*", help="folder or user/name; all that is here if none")
    verify.set_defaults(run=_verify)

    export = commands.add_parser("export", help="write the networks in another format")
    formats = export.add_subparsers(required=True, metavar="onnx")
    onnx = formats.add_parser("onnx", help="write ONNX files that run without torch")
    onnx.add_argument("--weights", help="folder or user/name; the embedded default if none")
    onnx.add_argument("--revision", help="branch, tag or commit")
    onnx.add_argument("--out", type=Path, required=True, help="folder to write")
    onnx.set_defaults(run=_export)
    return top


def _pull(args: argparse.Namespace) -> int:
    from uncover.weights import pull

    folder = pull(args.repo, args.revision, files="all" if args.everything else "torch")
    tell("\n".join(_lines(Found(args.repo, args.revision, folder))))
    if args.out is not None:
        tell(f"copied to {_copy(folder, args.out)}")
    return 0


def _copy(folder: Path, out: Path) -> Path:
    """Copy weights out of the cache: config.json last, so that a half copy is not taken for one."""
    config = read_config(folder)
    names = [name for name in (*config.files(), CARD, CONFIG) if (folder / name).is_file()]
    out.mkdir(parents=True, exist_ok=True)
    for name in names:
        with whole_file(out / name) as part:
            shutil.copyfile(folder / name, part)
    return out


def _show(args: argparse.Namespace) -> int:
    found = list(_find(args.source))
    if args.json:
        tell(json.dumps([_describe(item) for item in found], indent=2))
        return 0
    if not found:
        tell("no weights here: `uncover weights pull user/name` pulls some")
    for item in found:
        try:
            tell("\n".join(_lines(item)))
        except WeightsError as error:
            tell(f"{item.source}\n  unusable: {error}")
    return 0


def _verify(args: argparse.Namespace) -> int:
    found = list(_find(args.source))
    if not found:
        raise WeightsError("no weights here to verify: name a folder or user/name")
    bad = 0
    for item in found:
        try:
            tell(f"ok      {_title(item)}: {_check(item.folder)}")
        except WeightsError as error:
            bad += 1
            tell(f"refused {_title(item)}: {error}")
    return 1 if bad else 0


def _check(folder: Path) -> str:
    """Check files and load each network that can be loaded; says how much was checked."""
    from uncover.weights import REGISTRY, load_component

    config = read_config(folder)
    if not config.components:
        raise WeightsError(f"{folder / CONFIG} lists no components")
    here = tuple(name for name in config.files() if (folder / name).is_file())
    check_files(folder, config, here)
    missing = [c.file for n, c in config.components.items() if n in REGISTRY and c.file not in here]
    if missing:
        raise WeightsError(f"{missing[0]} is missing in {folder}")
    for name in config.components:
        if name in REGISTRY:
            load_component(folder, name, config)
    return f"{len(here)} files, {_mib(sum(config.files()[n][1] for n in here))}"


def _export(args: argparse.Namespace) -> int:
    from uncover.onnx import export
    from uncover.weights import resolve

    folder = resolve(args.weights, args.revision)
    for name, size in export(folder, args.out).items():
        tell(f"wrote {args.out / name} ({_mib(size)})")
    return 0


def _find(sources: Sequence[str]) -> Iterator[Found]:
    """The named weights, without the network; or the default and all that was pulled."""
    from uncover.weights import default_folder, pulled, resolve

    for source in sources:
        yield Found(source, None, resolve(source, local_files_only=True))
    if sources:
        return
    if (default_folder() / CONFIG).is_file():
        yield Found("default", None, default_folder())
    for repo, revision, folder in pulled():
        yield Found(repo, revision, folder)


def _describe(found: Found) -> dict[str, Any]:
    config = read_config(found.folder)
    return {
        "source": found.source,
        "revision": found.revision,
        "folder": str(found.folder),
        "licence": config.licence,
        "git": config.git,
        "sha256": config.fingerprint(),
        "config_sha256": hash_file(found.folder / CONFIG),
        "files": {
            name: {"sha256": sha256, "size": size, "here": (found.folder / name).is_file()}
            for name, (sha256, size) in config.files().items()
        },
        "results": _results(found, config),
    }


def _lines(found: Found) -> list[str]:
    config = read_config(found.folder)
    lines = [_title(found), f"  folder   {found.folder}", f"  licence  {config.licence}"]
    lines.append(f"  sha256   {config.fingerprint()}")
    for name, (sha256, size) in config.files().items():
        state = "" if (found.folder / name).is_file() else "  (not pulled)"
        lines.append(f"  {name:<34} {_mib(size):>10}  {sha256[:16]}{state}")
    results = ", ".join(f"{k} {v}" for k, v in (_results(found, config) or {}).items())
    lines.append(f"  results  {results or 'none recorded'}")
    return lines


def _results(found: Found, config: WeightsConfig) -> dict[str, Any] | None:
    """Scores over all photos: what results.json beside the weights says of them, else config.json.

    Raises:
        UncoverError: a results.json that cannot be read.
    """
    path = found.folder / RESULTS
    if not path.is_file():
        return config.results
    results = read_results(path)
    name = model_of(results, {part.sha256 for part in config.components.values()})
    whole = part_of(results["models"][name]["slices"], {}) if name is not None else None
    if whole is None:
        return config.results
    scores = {
        k: round(m["value"], 4) for k, m in whole["metrics"].items() if m["value"] is not None
    }
    return {"data": results["data"]["name"], "n": whole["n"], **scores}


def _title(found: Found) -> str:
    return f"{found.source} @ {found.revision}" if found.revision else found.source


def _mib(size: int) -> str:
    return f"{size / 2**20:.1f} MiB"


if __name__ == "__main__":
    sys.exit(main())
