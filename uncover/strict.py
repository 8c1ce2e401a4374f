"""Turns JSON objects into frozen dataclasses, field by field, refusing whatever does not fit."""

from __future__ import annotations

import dataclasses
import json
import math
import types
from pathlib import Path
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from uncover.errors import WeightsError

T = TypeVar("T")

MAX_INTEGER = 2**40
_LATER = "added later"
MAX_ITEMS = 4096


def read_json(path: Path, limit: int = 2**20) -> dict[str, Any]:
    """Read a JSON object of at most `limit` bytes; a repeated key or a NaN is an error.

    Raises:
        WeightsError: one line, naming the file.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(limit + 1)
    except OSError as error:
        raise WeightsError(f"{path} cannot be read: {error.strerror}") from error
    if len(raw) > limit:
        raise WeightsError(f"{path} is larger than {limit} bytes: it is not a weights config")
    return parse_json(raw, str(path))


def parse_json(raw: bytes, where: str) -> dict[str, Any]:
    """Parse bytes that must hold one JSON object without repeated keys.

    Raises:
        WeightsError: one line that starts with `where`.
    """

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in pairs:
            if key in found:
                raise ValueError(f"key {key[:80]!r} appears twice")
            found[key] = value
        return found

    def refuse(constant: str) -> Any:
        raise ValueError(f"{constant} is not a number")

    try:
        value = json.loads(raw, object_pairs_hook=unique, parse_constant=refuse)
    except RecursionError as error:
        raise WeightsError(f"{where} is nested too deeply") from error
    except ValueError as error:
        raise WeightsError(f"{where} is not valid JSON: {one_line(error)}") from error
    if not isinstance(value, dict):
        raise WeightsError(f"{where} must hold a JSON object, it holds {_kind(value)}")
    return value


def added_later(before: Any) -> Any:
    """A dataclass field that older files lack: `before` is what they mean."""
    return dataclasses.field(default=before, metadata={_LATER: True})


def from_dict(cls: type[T], data: Any, where: str, *, complete: bool = False) -> T:
    """Build the dataclass `cls` from a JSON object.

    Args:
        cls: a dataclass whose fields are bool, int, float, str, Literal, tuples, dicts, optional
            values or dataclasses of those.
        data: the parsed JSON value.
        where: how errors name the object, such as "config.json components.generator.arch".
        complete: every field must be given, even one that has a default, unless it is
            `added_later`.

    Raises:
        WeightsError: unknown or missing key, or a value of the wrong type; one line.
    """
    if not isinstance(data, dict):
        raise WeightsError(f"{where} must be an object, it is {_kind(data)}")
    assert dataclasses.is_dataclass(cls)
    fields = {field.name: field for field in dataclasses.fields(cls) if field.init}
    unknown = sorted(set(data) - set(fields))
    if unknown:
        known = ", ".join(sorted(fields))
        raise WeightsError(f"{where}: unknown key {str(unknown[0])[:80]!r}; known here: {known}")
    hints = get_type_hints(cls)
    values: dict[str, Any] = {}
    for name, field in fields.items():
        if name in data:
            values[name] = _convert(hints[name], data[name], f"{where}.{name}", complete)
            continue
        optional = (
            field.default is not dataclasses.MISSING
            or field.default_factory is not dataclasses.MISSING
        )
        if not optional or (complete and not field.metadata.get(_LATER)):
            raise WeightsError(f"{where}: key {name!r} is missing")
    try:
        return cls(**values)
    except (ValueError, TypeError) as error:
        raise WeightsError(f"{where}: {one_line(error)}") from error


def to_dict(value: Any) -> Any:
    """The JSON form of a dataclass: tuples become lists, fields that are None are left out."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        pairs = ((f.name, getattr(value, f.name)) for f in dataclasses.fields(value) if f.init)
        return {name: to_dict(item) for name, item in pairs if item is not None}
    if isinstance(value, dict):
        return {str(key): to_dict(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [to_dict(item) for item in value]
    if isinstance(value, Path):
        return str(value)
    return value


def one_line(error: object, limit: int = 300) -> str:
    """The text of an error on one line of at most `limit` characters."""
    text = " ".join(str(error).split())
    return text if len(text) <= limit else text[: limit - 3] + "..."


def _kind(value: Any) -> str:
    names = {dict: "an object", list: "a list", str: "text", bool: "true/false"}
    names |= {type(None): "null", int: "an integer", float: "a number"}
    return names.get(type(value), type(value).__name__)


def _convert(hint: Any, value: Any, where: str, complete: bool) -> Any:
    origin, args = get_origin(hint), get_args(hint)
    if hint is Any:
        return value
    if origin in (Union, types.UnionType):
        if value is None and type(None) in args:
            return None
        inner = [arg for arg in args if arg is not type(None)]
        if len(inner) == 1:
            return _convert(inner[0], value, where, complete)
        for arg in inner:
            try:
                return _convert(arg, value, where, complete)
            except WeightsError:
                continue
        raise WeightsError(f"{where} has the wrong type: {_kind(value)}")
    if origin is Literal:
        if not any(value == arg and type(value) is type(arg) for arg in args):
            choices = ", ".join(repr(arg) for arg in args)
            raise WeightsError(f"{where} must be one of {choices}, it is {value!r:.80}")
        return value
    if dataclasses.is_dataclass(hint):
        return from_dict(hint, value, where, complete=complete)  # type: ignore[arg-type]
    if origin is tuple or hint is tuple:
        return _tuple(args, value, where, complete)
    if origin is dict or hint is dict:
        if not isinstance(value, dict):
            raise WeightsError(f"{where} must be an object, it is {_kind(value)}")
        inner_hint = args[1] if args else Any
        return {k: _convert(inner_hint, v, f"{where}.{k}", complete) for k, v in value.items()}
    return _scalar(hint, value, where)


def _tuple(args: tuple[Any, ...], value: Any, where: str, complete: bool) -> tuple[Any, ...]:
    if not isinstance(value, list):
        raise WeightsError(f"{where} must be a list, it is {_kind(value)}")
    if len(value) > MAX_ITEMS:
        raise WeightsError(f"{where} has {len(value)} items, {MAX_ITEMS} at most")
    if len(args) == 2 and args[1] is Ellipsis:
        args = (args[0],) * len(value)
    elif args and len(args) != len(value):
        raise WeightsError(f"{where} must have {len(args)} items, it has {len(value)}")
    elif not args:
        args = (Any,) * len(value)
    pairs = zip(args, value, strict=True)
    return tuple(_convert(a, v, f"{where}[{i}]", complete) for i, (a, v) in enumerate(pairs))


def _scalar(hint: Any, value: Any, where: str) -> Any:
    if hint is bool and isinstance(value, bool):
        return value
    if hint is str and isinstance(value, str):
        return value
    if hint in (int, float) and isinstance(value, int) and not isinstance(value, bool):
        if abs(value) > MAX_INTEGER:
            raise WeightsError(f"{where} is absurdly large")
        return hint(value)
    if hint is float and isinstance(value, float) and math.isfinite(value):
        return value
    wanted = {bool: "true or false", str: "text", int: "an integer", float: "a finite number"}
    raise WeightsError(f"{where} must be {wanted.get(hint, hint)}, it is {_kind(value)}")
