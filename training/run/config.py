"""Typed settings: frozen dataclasses filled from a TOML preset and `--set key=value`.

An unknown key, a value of the wrong type and a preset that does not exist are errors. The
settings of a run are saved in its checkpoint and in the published config.
"""

from __future__ import annotations

import json
import tomllib
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar

from uncover import strict
from uncover.errors import UncoverError, WeightsError

PRESETS = Path(__file__).resolve().parents[1] / "presets"

T = TypeVar("T")


class SettingsError(UncoverError):
    """A preset or an override that does not fit the settings."""


def load_settings(cls: type[T], preset: str, overrides: typing.Sequence[str] = ()) -> T:
    """Settings of type `cls` from presets/`preset`.toml (or a path to a .toml file).

    overrides: "key=value" strings with dotted keys, value in TOML syntax (bare words are taken
    as strings). Raises SettingsError with one line naming the culprit.
    """
    path = Path(preset) if preset.endswith(".toml") else PRESETS / f"{preset}.toml"
    if not path.is_file():
        names = ", ".join(sorted(p.stem for p in PRESETS.glob("*.toml")))
        raise SettingsError(f"no preset {preset!r}; there are: {names}, or give a .toml file")
    try:
        values = tomllib.loads(path.read_text())
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path}: not valid TOML: {error}") from None
    for override in overrides:
        key, equals, text = override.partition("=")
        if not equals or not key.strip():
            raise SettingsError(f"--set {override!r}: write it as key=value")
        _assign(values, key.strip().split("."), _parse(text.strip()), override)
    return from_dict(cls, values)


def from_dict(cls: type[T], values: dict[str, Any]) -> T:
    """An instance of dataclass `cls` from nested dicts.

    Raises:
        SettingsError: an unknown key or a value of the wrong type; one line.
    """
    try:
        return strict.from_dict(cls, values, "settings")
    except WeightsError as error:
        raise SettingsError(str(error)) from None


def to_dict(settings: Any) -> dict[str, Any]:
    """The settings as nested plain dicts and lists, ready for JSON."""
    return strict.to_dict(settings)


def check_same(saved: dict[str, Any], settings: dict[str, Any], run: Path | str) -> None:
    """Raise SettingsError unless a run goes on with the settings that it was started with.

    saved: from the run's checkpoint. settings: as `to_dict` gives them, or a part of that. The
    error names what differs, so that it can be set as it was.
    """
    before, now = (dict(_flat(json.loads(json.dumps(each)))) for each in (saved, settings))
    missing = "not there"
    differing = [
        f"{key} was {before.get(key, missing)}, is {now.get(key, missing)}"
        for key in sorted(before.keys() | now.keys())
        if before.get(key, missing) != now.get(key, missing)
    ]
    if differing:
        more = f" and {len(differing) - 3} more" if len(differing) > 3 else ""
        raise SettingsError(
            f"{run} was started with other settings: {'; '.join(differing[:3])}{more}"
        )


def _flat(values: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in values.items():
        if isinstance(value, dict) and value:
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value


def _parse(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _assign(values: dict[str, Any], keys: list[str], value: Any, override: str) -> None:
    for key in keys[:-1]:
        values = values.setdefault(key, {})
        if not isinstance(values, dict):
            raise SettingsError(f"--set {override!r}: {key!r} has no settings inside it")
    values[keys[-1]] = value
