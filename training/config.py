"""Typed settings: frozen dataclasses filled from a TOML preset and `--set key=value`.

An unknown key, a value of the wrong type and a preset that does not exist are errors. The
settings of a run are saved in its checkpoint and in the published config.
"""

from __future__ import annotations

import dataclasses
import tomllib
import types
import typing
from pathlib import Path
from typing import Any, TypeVar

from uncover.errors import UncoverError

PRESETS = Path(__file__).parent / "presets"

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


def from_dict(cls: type[T], values: dict[str, Any], where: str = "") -> T:
    """An instance of dataclass `cls` from nested dicts; unknown keys and wrong types raise."""
    hints = typing.get_type_hints(cls)
    names = {field.name for field in dataclasses.fields(cls)}  # type: ignore[arg-type]
    for key in values:
        if key not in names:
            near = ", ".join(sorted(names))
            raise SettingsError(f"unknown setting {where + key!r}; known here: {near}")
    arguments = {k: _convert(hints[k], v, where + k) for k, v in values.items()}
    try:
        return cls(**arguments)
    except (TypeError, ValueError) as error:
        raise SettingsError(
            f"settings{' ' + where.rstrip('.') if where else ''}: {error}"
        ) from None


def to_dict(settings: Any) -> dict[str, Any]:
    """The settings as nested plain dicts and lists, ready for JSON."""
    return _plain(dataclasses.asdict(settings))


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    return value


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


def _convert(hint: Any, value: Any, where: str) -> Any:
    origin = typing.get_origin(hint)
    if origin in (typing.Union, types.UnionType):
        if value is None and type(None) in typing.get_args(hint):
            return None
        inner = [h for h in typing.get_args(hint) if h is not type(None)]
        return _convert(inner[0], value, where)
    if origin is tuple:
        if not isinstance(value, (list, tuple)):
            raise SettingsError(f"{where} must be a list, not {value!r}")
        inner_hints = typing.get_args(hint)
        if len(inner_hints) == 2 and inner_hints[1] is Ellipsis:
            return tuple(_convert(inner_hints[0], v, where) for v in value)
        if len(inner_hints) != len(value):
            raise SettingsError(f"{where} must have {len(inner_hints)} values, not {len(value)}")
        return tuple(_convert(h, v, where) for h, v in zip(inner_hints, value, strict=True))
    if origin is typing.Literal:
        if value not in typing.get_args(hint):
            choices = ", ".join(map(str, typing.get_args(hint)))
            raise SettingsError(f"{where} must be one of {choices}, not {value!r}")
        return value
    if dataclasses.is_dataclass(hint):
        if not isinstance(value, dict):
            raise SettingsError(f"{where} holds settings of its own, not {value!r}")
        return from_dict(hint, value, where + ".")  # type: ignore[arg-type]
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, hint) or (hint is int and isinstance(value, bool)):
        raise SettingsError(f"{where} must be of type {hint.__name__}, not {value!r}")
    return value
