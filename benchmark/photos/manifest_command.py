"""`python -m benchmark manifest publish|pull`: a data set's names, hashes and labels on the Hub."""

from __future__ import annotations

import argparse
from pathlib import Path

from benchmark.photos import manifest
from benchmark.photos.manifest import LABELS, LARGEST, MANIFEST, Compared, Manifest
from benchmark.photos.readers import FORMATS
from uncover.atomic import write_atomically
from uncover.errors import UncoverError
from uncover.weights import CARD, hub

FILES = (LABELS, MANIFEST)


def main(arguments: list[str]) -> int:
    """Run one command; 0, or 1 if photos are missing or differ.

    Raises:
        UncoverError: nothing could be published or pulled; one line.
    """
    given = parser().parse_args(arguments)
    if not hub.is_repo_name(given.repo):
        raise UncoverError(f"the repo must be user/name, not {given.repo!r}")
    try:
        return int(given.run(given))
    except OSError as error:
        raise UncoverError(f"{error.filename or given.out}: {error.strerror}") from error


def parser() -> argparse.ArgumentParser:
    """The parser of both commands."""
    top = argparse.ArgumentParser(prog="python -m benchmark manifest", description=__doc__)
    commands = top.add_subparsers(required=True, metavar="publish|pull")

    publish = commands.add_parser("publish", help="labels and hashes of DATA to a dataset repo")
    add = publish.add_argument
    add("data", type=Path, metavar="DATA", help="as --data of a run")
    add("--repo", required=True, help="user/name on the Hub")
    add("--format", dest="form", default="auto", choices=("auto", *FORMATS))
    add("--split", help="only this split (default: all)")
    add("--photos-from", metavar="URL", help="where the photos can be had, for the card")
    add("--licence", default="unknown", metavar="ID", help="of the labels, for the card")
    add("--out", type=Path, default=Path("manifest"), help="folder to write (default: manifest)")
    add("--dry-run", action="store_true", help="write the folder and print what would go")
    add("--create-pr", action="store_true", help="propose the change instead of making it")
    add("--tag", help="name of this version, such as v1")
    add("--private", action="store_true", help="make the repo private if it is new")
    publish.set_defaults(run=_publish)

    pull = commands.add_parser("pull", help="check your photos against a published manifest")
    add = pull.add_argument
    add("repo", help="user/name on the Hub")
    add("--photos", type=Path, required=True, metavar="DIR", help="folder of the photos")
    add("--out", type=Path, required=True, metavar="DIR", help="folder to write for --data")
    add("--revision", help="branch, tag or commit")
    add("--partial", action="store_true", help="go on with the photos that are there and right")
    pull.set_defaults(run=_pull)
    return top


def _publish(given: argparse.Namespace) -> int:
    there = None
    if not given.dry_run:
        hub.need_login()
        there = hub.read_text(given.repo, CARD, "dataset")
    written = manifest.write(given.data, given.out, given.form, given.split)
    if not (given.out / CARD).exists():
        text = card(given.repo, written, given.licence, given.photos_from)
        write_atomically(given.out / CARD, text.encode())
    files = FILES if there is not None else (*FILES, CARD)
    print(f"{written.photos} photos of {written.name}: labels and hashes, no photos")
    for name in files:
        print(f"  {name:<16} {(given.out / name).stat().st_size:>12,} bytes")
    if there is not None:
        print(f"the repo has a {CARD}: it is kept as it is")
    if given.dry_run:
        print(f"dry run: {given.out} is what would go to {given.repo}")
        return 0
    done = hub.push_folder(
        given.out,
        given.repo,
        files,
        message=f"Manifest {given.tag}" if given.tag else "Manifest",
        repo_type="dataset",
        create_pr=given.create_pr,
        tag=given.tag,
        private=given.private or None,
    )
    print(f"published: {done.url}" + (f" as {done.tag}" if done.tag else ""))
    return 0


def _pull(given: argparse.Namespace) -> int:
    if not given.photos.is_dir():
        raise UncoverError(f"--photos {given.photos} is not a folder")
    folder = hub.pull_files(given.repo, FILES, revision=given.revision, limit=LARGEST)
    found, hashes = manifest.load(folder)
    compared = manifest.compare(hashes, given.photos)
    for word, names in (("missing", compared.missing), ("differs", compared.differing)):
        for name in names:
            print(f"{word}  {name}")
    wrong = _what_is_wrong(compared, given.photos)
    if wrong and not (given.partial and compared.good):
        raise UncoverError(f"{wrong}; nothing was written")
    origin = f"{given.repo}@{folder.name}"
    manifest.install(folder, found, given.photos, given.out, compared.good, origin)
    print(f"{len(compared.good)} photos of {found.name} are as listed: --data {given.out}")
    if wrong:
        raise UncoverError(f"{wrong}; {given.out} lists the others")
    return 0


def _what_is_wrong(compared: Compared, photos: Path) -> str:
    total = sum(map(len, (compared.good, compared.missing, compared.differing)))
    counts = ((len(compared.missing), "are missing"), (len(compared.differing), "differ"))
    parts = [f"{count} {what}" for count, what in counts if count]
    return f"of {total} photos {' and '.join(parts)} in {photos}" if parts else ""


def card(repo: str, written: Manifest, licence: str, photos_from: str | None) -> str:
    """The page of a new dataset repo; it holds no counts, so that it stays true."""
    where = f"from {photos_from}" if photos_from else "from those who published them"
    return f"""---
license: {licence}
tags:
- uncover
- benchmark
configs:
- config_name: default
  data_files: {LABELS}
---
# Manifest of {written.name}

Names, sha256 and labels of the photos that a benchmark of *uncover* was measured on. **No photos
are here.** Get them {where}, under their terms, then

```
python -m benchmark manifest pull {repo} --photos DIR --out DIR
python -m benchmark --data DIR --weights default --out results
```

The first line checks every photo against its sha256. With the same photos, `data.sha256` in
`results.json` is the same.

Labels of ethnicity, gender and the like are the data set's, or what raters perceived: not people's
own words, and coarse. They are here to find out for whom a model fails, not to label anybody.
"""
