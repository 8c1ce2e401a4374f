"""Settings: presets load, unknown keys and wrong types do not."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import Literal

import pytest

from training.gan.settings import GanSettings
from training.run.config import (
    PRESETS,
    SettingsError,
    check_same,
    from_dict,
    load_settings,
    to_dict,
)


@dataclass(frozen=True)
class Inner:
    width: int = 1
    sizes: tuple[int, ...] = (1, 2)


@dataclass(frozen=True)
class Outer:
    rate: float = 0.1
    name: str = "x"
    mode: Literal["a", "b"] = "a"
    limit: int | None = None
    inner: Inner = field(default_factory=Inner)


def preset(tmp_path, text=""):
    path = tmp_path / "p.toml"
    path.write_text(text)
    return str(path)


@pytest.mark.parametrize("name", ["smoke", "compact", "gpu", "seed", "ablation"])
def test_generator_presets_load(name):
    settings = load_settings(GanSettings, name)
    assert from_dict(GanSettings, to_dict(settings)) == settings


def test_values_come_from_file_and_overrides(tmp_path):
    path = preset(tmp_path, "rate = 1\n[inner]\nsizes = [3]\n")
    loaded = load_settings(Outer, path, ["inner.width=5", "name=free text", "mode=b", "limit=7"])
    assert loaded == Outer(1.0, "free text", "b", 7, Inner(5, (3,)))


@pytest.mark.parametrize(
    ("text", "overrides", "culprit"),
    [
        ("speed = 1", [], "speed"),
        ("", ["inner.depth=1"], "inner.*depth"),
        ("", ["rate"], "key=value"),
        ("", ["rate=fast"], "rate"),
        ("", ["inner=3"], "inner"),
        ("", ["inner.width=true"], "inner.width"),
        ("", ["inner.sizes=3"], "inner.sizes"),
        ("", ["mode=c"], "mode"),
        ("", ["name.x=1", "name=2"], "name"),
        ("rate = ", [], "TOML"),
    ],
)
def test_mistakes_are_one_line(tmp_path, text, overrides, culprit):
    with pytest.raises(SettingsError, match=culprit) as caught:
        load_settings(Outer, preset(tmp_path, text), overrides)
    assert "\n" not in str(caught.value).strip()


def test_unknown_preset_names_the_known_ones():
    with pytest.raises(SettingsError, match="compact"):
        load_settings(GanSettings, "enormous")


def test_nonsense_values_are_refused():
    with pytest.raises(SettingsError, match="precision"):
        load_settings(GanSettings, "smoke", ["precision=int4"])


def test_every_preset_file_is_valid_toml():
    import tomllib

    for path in PRESETS.glob("*.toml"):
        assert tomllib.loads(path.read_text())


def test_a_run_goes_on_with_its_own_settings_and_the_error_names_the_others():
    saved = json.loads(json.dumps(to_dict(Outer())))
    check_same(saved, to_dict(Outer()), "run")
    changed = replace(Outer(), rate=0.2, inner=Inner(width=4))
    with pytest.raises(SettingsError) as caught:
        check_same(saved, to_dict(changed), "run")
    assert str(caught.value) == (
        "run was started with other settings: inner.width was 1, is 4; rate was 0.1, is 0.2"
    )
    del saved["name"]  # a setting that came later
    with pytest.raises(SettingsError, match="name was not there, is x"):
        check_same(saved, to_dict(Outer()), "run")
    many = {str(i): i for i in range(5)}
    with pytest.raises(SettingsError, match=r"and 2 more$"):
        check_same({}, many, "run")
