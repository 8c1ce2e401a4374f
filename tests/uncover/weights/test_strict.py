from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest

from uncover.errors import WeightsError
from uncover.strict import added_later, from_dict, parse_json, read_json, to_dict


@dataclass(frozen=True)
class Inner:
    scale: float = 1.0


@dataclass(frozen=True)
class Outer:
    count: int
    kind: Literal["a", "b"]
    widths: tuple[int, ...] = (1, 2)
    pair: tuple[float, float] = (0.0, 1.0)
    on: bool = False
    inner: Inner = Inner()
    note: str | None = None

    def __post_init__(self) -> None:
        if self.count < 0:
            raise ValueError("count must not be negative")


GOOD = {"count": 3, "kind": "a", "widths": [4, 5], "inner": {"scale": 2}, "on": True}


def test_round_trip() -> None:
    value = from_dict(Outer, GOOD, "config")
    assert value == Outer(3, "a", (4, 5), on=True, inner=Inner(2.0))
    assert from_dict(Outer, to_dict(value), "config") == value


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"extra": 1}, "unknown key 'extra'"),
        ({"count": None}, "config.count must be an integer"),
        ({"count": True}, "config.count must be an integer"),
        ({"count": 1.5}, "config.count must be an integer"),
        ({"count": 10**30}, "absurdly large"),
        ({"count": -1}, "count must not be negative"),
        ({"kind": "c"}, "must be one of 'a', 'b'"),
        ({"widths": 4}, "config.widths must be a list"),
        ({"widths": ["4"]}, r"config.widths\[0\] must be an integer"),
        ({"widths": [0] * 5000}, "4096 at most"),
        ({"pair": [1]}, "must have 2 items"),
        ({"pair": [1, float("inf")]}, "a finite number"),
        ({"on": 1}, "true or false"),
        ({"inner": {"scale": "x"}}, "config.inner.scale must be a finite number"),
        ({"inner": {"other": 1}}, "config.inner: unknown key 'other'"),
        ({"note": 3}, "config.note must be text"),
    ],
)
def test_each_wrong_field_is_named(change: dict, message: str) -> None:
    with pytest.raises(WeightsError, match=message) as caught:
        from_dict(Outer, {**GOOD, **change}, "config")
    assert "\n" not in str(caught.value)


def test_a_field_added_later_may_be_missing_where_no_other_may() -> None:
    @dataclass(frozen=True)
    class Grown:
        width: int = 1
        mirrored: bool = added_later(False)

    assert from_dict(Grown, {"width": 2}, "config", complete=True) == Grown(2, False)
    assert to_dict(Grown(2)) == {"width": 2, "mirrored": False}
    with pytest.raises(WeightsError, match="key 'width' is missing"):
        from_dict(Grown, {"mirrored": True}, "config", complete=True)


def test_missing_keys() -> None:
    with pytest.raises(WeightsError, match="key 'count' is missing"):
        from_dict(Outer, {"kind": "a"}, "config")
    assert from_dict(Outer, {"kind": "a", "count": 1}, "config").widths == (1, 2)
    with pytest.raises(WeightsError, match="key 'widths' is missing"):
        from_dict(Outer, {"kind": "a", "count": 1}, "config", complete=True)


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"[]", "must hold a JSON object"),
        (b'{"a": 1, "a": 2}', "appears twice"),
        (b'{"a": NaN}', "NaN is not a number"),
        (b"{", "not valid JSON"),
        (b"\xff\xfe\x00", "not valid JSON"),
        (b'{"a":' * 200_000, "nested too deeply"),
    ],
)
def test_bad_json_is_one_line(raw: bytes, message: str) -> None:
    with pytest.raises(WeightsError, match=message) as caught:
        parse_json(raw, "file")
    assert "\n" not in str(caught.value)


def test_huge_json_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_bytes(b" " * 2000 + b"{}")
    with pytest.raises(WeightsError, match="larger than 1000 bytes"):
        read_json(path, limit=1000)
    with pytest.raises(WeightsError, match="cannot be read"):
        read_json(tmp_path / "none.json")
