"""`python -m training.publish RUN [RUN ...] --repo user/name`: finished runs -> card -> Hub.

Merges what the runs trained into one weights folder, checks it (strict load, complete config, a
fill runs), writes the model card, and uploads the folder in one commit. `--dry-run` stops before
the upload. A card that somebody edited is kept. A broken upload is resumed by running it again.
"""

from __future__ import annotations

import argparse
import dataclasses
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from training.publish.bundle import check_bundle, merge_runs
from training.publish.card import was_edited, write_card
from training.publish.card_results import results_for
from training.run import run_to_exit
from uncover.atomic import write_atomically
from uncover.errors import UncoverError
from uncover.weights import (
    CARD,
    CONFIG,
    RESULTS,
    WeightsConfig,
    default_folder,
    hub,
    read_config,
    write_config,
)


@dataclass(frozen=True)
class Plan:
    """A weights folder ready to go. files: what is uploaded. kept_card: theirs stays."""

    folder: Path
    files: tuple[str, ...]
    kept_card: bool


def prepare(
    runs: Sequence[Path],
    repo: str,
    out: Path,
    *,
    base: Path | None = None,
    results: Path | None = None,
    discriminators: bool = False,
    onnx: bool = False,
    remote_card: str | None = None,
) -> Plan:
    """Write the folder `out` as it will lie in the repo, after checking all of it.

    Nothing is written to `out` unless every check passes. A card in `out` or in the repo
    (`remote_card`) that was edited by hand is kept.

    Raises:
        UncoverError: the runs, the base or the results do not fit; one line.
    """
    if not hub.is_repo_name(repo):
        raise UncoverError(f"--repo must be user/name, not {repo!r}")
    with tempfile.TemporaryDirectory(prefix="uncover-publish-") as name:
        staged = Path(name)
        config = merge_runs(runs, staged, base=base, discriminators=discriminators)
        measured = None
        if results is not None:
            hashes = (config.components["generator"].sha256, config.fingerprint())
            measured = results_for(results, hashes)
            config = dataclasses.replace(config, results=measured.summary())
            write_config(staged, config)
        print(f"checked: {check_bundle(staged)}")
        if onnx:
            from uncover.onnx import export

            export(staged, staged)
            config = read_config(staged)
        if results is not None:
            write_atomically(staged / RESULTS, results.read_bytes())
        card = write_card(config, repo, measured)
        kept = _install(staged, out, config, card, remote_card)
    files = [CONFIG, *config.files()]
    if results is not None:
        files.append(RESULTS)
    if not (remote_card and was_edited(remote_card)):
        files.append(CARD)
    return Plan(out, tuple(files), kept)


def _install(
    staged: Path, out: Path, config: WeightsConfig, card: str, remote_card: str | None
) -> bool:
    """Move a checked folder into place, config.json last; returns whether an edited card stays."""
    local = (out / CARD).read_text("utf-8") if (out / CARD).is_file() else None
    kept = next((text for text in (remote_card, local) if text and was_edited(text)), None)
    for name in config.files():
        write_atomically(out / name, (staged / name).read_bytes())
    measured = staged / RESULTS
    if measured.is_file():
        write_atomically(out / RESULTS, measured.read_bytes())
    write_atomically(out / CARD, (kept or card).encode())
    write_atomically(out / CONFIG, (staged / CONFIG).read_bytes())
    for path in out.iterdir():
        if path.suffix in (".safetensors", ".onnx") and path.name not in config.files():
            path.unlink()
    return kept is not None


def publish(plan: Plan, repo: str, *, create_pr: bool, tag: str | None) -> hub.Pushed:
    """Upload a prepared folder in one commit."""
    return hub.push_folder(
        plan.folder,
        repo,
        plan.files,
        message=f"Weights {tag}" if tag else "Weights",
        create_pr=create_pr,
        tag=tag,
    )


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line of `python -m training.publish`."""
    parser = argparse.ArgumentParser(prog="python -m training.publish", description=__doc__)
    add = parser.add_argument
    add("runs", nargs="+", type=Path, metavar="RUN", help="run folders; each adds what it trained")
    add("--repo", required=True, help="user/name on the Hub")
    add("--base", type=Path, help="weights for networks that no run trained; default: embedded")
    add("--out", type=Path, help="folder to write; default: RUN/publish of the first run")
    add("--results", type=Path, help="results.json of the benchmark on these weights")
    add("--include-discriminators", action="store_true", help="so that others can fine-tune")
    add("--onnx", action="store_true", help="also ONNX files")
    add("--dry-run", action="store_true", help="write the folder and print what would go")
    add("--create-pr", action="store_true", help="propose the change instead of making it")
    add("--tag", help="name of this version, such as v1")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; errors are one line on stderr and exit status 1."""
    args = parse_args(argv)
    return run_to_exit(lambda: _main(args), "error: stopped; run the same command again to go on")


def _main(args: argparse.Namespace) -> None:
    remote_card = None
    if not args.dry_run:
        hub.need_login()
        if hub.is_repo_name(args.repo):
            remote_card = hub.read_text(args.repo, CARD)
    base = args.base
    if base is None and (default_folder() / CONFIG).is_file():
        base = default_folder()
    plan = prepare(
        args.runs,
        args.repo,
        args.out or args.runs[0] / "publish",
        base=base,
        results=args.results,
        discriminators=args.include_discriminators,
        onnx=args.onnx,
        remote_card=remote_card,
    )
    for name in plan.files:
        print(f"  {name:<34} {(plan.folder / name).stat().st_size:>12,} bytes")
    if plan.kept_card:
        print(f"the {CARD} was edited by hand: it is kept as it is")
    if args.dry_run:
        print(f"dry run: {plan.folder} is what would go to {args.repo}")
        return
    done = publish(plan, args.repo, create_pr=args.create_pr, tag=args.tag)
    print(f"published: {done.url}" + (f" as {done.tag}" if done.tag else ""))
