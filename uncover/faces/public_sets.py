"""Public face sets as their authors publish them: what file names and label files say.

One place for training and benchmark, so that both call the same face by the same label.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from uncover.errors import UncoverError
from uncover.faces.labels import UNKNOWN, ethnicity_label, gender_label
from uncover.faces.manifest import SPLITS
from uncover.faces.tables import Table
from uncover.images import READABLE, walk

UTKFACE_ETHNICITIES = ("white", "black", "asian", "indian", "other")
UTKFACE_GENDERS = ("male", "female")
FAIRFACE_LABELS = "fairface_label_"
_UTKFACE = re.compile(r"(\d{1,3})_([01])_([0-4])_")
_AAF = re.compile(r"(\d{5})A(\d{2,3})\.")
_AAF_LAST_WOMAN = 7380


@dataclass(frozen=True)
class PublicFace:
    """A picture as its set describes it. path: below the set's root, with "/"."""

    path: str
    split: str | None = None
    ethnicity: str = UNKNOWN
    gender: str = UNKNOWN
    age: int | None = None


def pictures(root: Path) -> Iterator[str]:
    """Relative paths of all pictures below root, in a fixed order; hidden ones are left out."""
    for place, names, _ in walk(root):
        below = place.relative_to(root)
        for name in names:
            if Path(name).suffix.lower() in READABLE:
                yield (below / name).as_posix()


def own_split(path: str) -> str | None:
    """The split that the topmost folder of a relative path names, if it names one."""
    first = PurePosixPath(path).parts[0]
    return first if first in SPLITS and "/" in path else None


def utkface(path: str) -> PublicFace | None:
    """UTKFace: age_gender_race_date.jpg, perhaps below folders train, val, test; None for another
    name, such as some of the original files have, which lack the race.

    Races are 0 white, 1 black, 2 asian, 3 indian, 4 other; genders 0 male, 1 female.
    """
    match = _UTKFACE.match(PurePosixPath(path).name)
    if match is None:
        return None
    years, sex, race = (int(group) for group in match.groups())
    group, gender = UTKFACE_ETHNICITIES[race], UTKFACE_GENDERS[sex]
    return PublicFace(path, own_split(path), group, gender, years)


def all_age_faces(path: str) -> PublicFace | None:
    """All-Age-Faces: number and age in the name, 01324A20.jpg; up to number 7380 women, then men.

    None for another name. Mostly East Asian faces, but no ethnicity is given.
    """
    match = _AAF.match(PurePosixPath(path).name)
    if match is None:
        return None
    number, years = int(match[1]), int(match[2])
    gender = "female" if number <= _AAF_LAST_WOMAN else "male"
    return PublicFace(path, own_split(path), gender=gender, age=years)


def fairface_tables(root: Path) -> list[Path]:
    """FairFace's label files: fairface_label_train.csv and fairface_label_val.csv.

    Raises UncoverError where there is neither.
    """
    files = sorted(root.glob(f"{FAIRFACE_LABELS}*.csv"), key=_split_order)
    if not files:
        raise UncoverError(f"{root} holds neither {FAIRFACE_LABELS}train.csv nor _val.csv")
    return files


def fairface(table: Path, columns: dict[str, str] | None = None) -> Iterator[PublicFace]:
    """The faces of one of FairFace's label files: columns file, race, gender, age.

    The seven labels are kept; an age range ("20-29", "more than 70") becomes its lower end, None
    where it is no range. The photos lie below the file's folder, or in the one folder there whose
    name starts with fairface-img-margin, as they are unpacked.

    columns: names of the four in this file, where they are others.

    Raises:
        UncoverError: no readable CSV, or without the columns for file and race.
    """
    called = {"file": "file", "race": "race", "gender": "gender", "age": "age", **(columns or {})}
    rows, prefix = Table(table), _photo_folder(table.parent)
    for needed in {"file", "race", *(columns or {})}:
        if called[needed] not in rows.columns:
            have = ", ".join(rows.columns) or "none"
            raise UncoverError(f"{table} has no column '{called[needed]}'; it has: {have}")
    split = table.stem.removeprefix(FAIRFACE_LABELS)
    for _, row in rows:
        years = re.search(r"\d+", row.get(called["age"], ""))
        yield PublicFace(
            str(PurePosixPath(prefix + row[called["file"]].strip())),
            split if split in SPLITS else None,
            ethnicity_label(row[called["race"]]),
            gender_label(row.get(called["gender"], "")),
            int(years.group()) if years else None,
        )


def _split_order(table: Path) -> int:
    split = table.stem.removeprefix(FAIRFACE_LABELS)
    return SPLITS.index(split) if split in SPLITS else len(SPLITS)


def _photo_folder(root: Path) -> str:
    """Where FairFace's folders train and val lie below `root`: "", or "NAME/" of the one folder
    fairface-img-margin... that its archive unpacks to.

    Raises UncoverError where there are two such folders and none of the plain ones.
    """
    inner = sorted(path.name for path in root.glob("fairface-img-margin*") if path.is_dir())
    if not inner or (root / "train").is_dir():
        return ""
    if len(inner) > 1:
        raise UncoverError(
            f"{root} holds {inner[0]} and {inner[1]}; name one of them as the source"
        )
    return f"{inner[0]}/"
