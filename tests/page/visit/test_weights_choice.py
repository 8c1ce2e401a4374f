"""Which weights the page starts with, as the environment asks, from a stand-in of the Hub."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from page import launch as app
from page.visit import chosen as choosing
from page.visit.chosen import Chosen, choose
from tests.hub_server import HubServer, use_hub
from tests.uncover.standins import TinyConfig, trained_tiny, use_tiny
from uncover.errors import WeightsError
from uncover.weights import wanted
from uncover.weights.components import save_component

NAME = "me/uncover"


def weights(folder: Path, seed: int) -> Path:
    """A folder of tiny weights."""
    for number, name in enumerate(("generator", "segmenter", "detector")):
        save_component(folder, name, trained_tiny(seed + number), TinyConfig())
    (folder / "README.md").write_text(f"# Card {seed}\n")
    return folder


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HubServer]:
    """A Hub with two versions of a repo, the first of them tagged v1."""
    use_tiny(monkeypatch)
    with HubServer() as running:
        use_hub(monkeypatch, tmp_path / "cache", running.url, token=None)
        for seed in (1, 2):
            made = weights(tmp_path / f"version{seed}", seed)
            repo = running.add(NAME, {path.name: path.read_bytes() for path in made.iterdir()})
            if seed == 1:
                repo.tags["v1"] = repo.refs["main"]
        yield running


@pytest.fixture
def embedded(tmp_path: Path) -> Path:
    return weights(tmp_path / "embedded", 9)


def started(embedded: Path, **environment: str) -> Chosen:
    """What the page runs with, given these variables."""
    return choose(*wanted(environment), device="cpu", embedded=embedded)


def card(chosen: Chosen) -> str:
    return (chosen.folder / "README.md").read_text().strip()


@pytest.mark.parametrize(
    ("environment", "title", "name"),
    [
        ({}, "# Card 9", "embedded"),
        ({"UNCOVER_WEIGHTS": NAME}, "# Card 2", NAME),
        ({"UNCOVER_WEIGHTS": f"{NAME}@v1"}, "# Card 1", f"{NAME}@v1"),
        ({"UNCOVER_WEIGHTS": NAME, "UNCOVER_REVISION": "v1"}, "# Card 1", f"{NAME}@v1"),
    ],
)
def test_the_environment_chooses(
    server: HubServer, embedded: Path, environment: dict[str, str], title: str, name: str
) -> None:
    chosen = started(embedded, **environment)
    assert card(chosen) == title
    assert chosen.name == name
    assert chosen.banner is None
    assert (chosen.link is not None) == bool(environment)


def test_a_folder_is_taken(server: HubServer, embedded: Path, tmp_path: Path) -> None:
    chosen = started(embedded, UNCOVER_WEIGHTS=str(tmp_path / "version1"))
    assert (card(chosen), chosen.name, chosen.banner) == ("# Card 1", "version1", None)


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("me/uncover@v7", "v7"),
        ("me/absent", "me/absent"),
        ("version1/empty", "version1/empty"),
        ("{tmp}/nowhere", "nowhere"),
        ("{tmp}/spoilt", "spoilt"),
    ],
)
def test_what_cannot_be_had_is_said_in_a_banner(
    server: HubServer, embedded: Path, tmp_path: Path, source: str, words: str
) -> None:
    spoilt = weights(tmp_path / "spoilt", 3) / "generator.safetensors"
    spoilt.write_bytes(spoilt.read_bytes()[:-1] + b"?")
    chosen = started(embedded, UNCOVER_WEIGHTS=source.format(tmp=tmp_path))
    assert card(chosen) == "# Card 9"
    assert chosen.banner is not None
    assert "embedded" in chosen.banner
    assert words in chosen.banner
    assert "\n" not in chosen.banner


def test_a_hub_that_does_not_answer_is_said_in_a_banner(
    server: HubServer, embedded: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    chosen = started(embedded, UNCOVER_WEIGHTS=NAME)
    assert card(chosen) == "# Card 9"
    assert NAME in str(chosen.banner)


def test_what_was_pulled_before_serves_while_the_hub_is_away(
    server: HubServer, embedded: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started(embedded, UNCOVER_WEIGHTS=NAME)
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    chosen = started(embedded, UNCOVER_WEIGHTS=NAME)
    assert card(chosen) == "# Card 2"
    assert chosen.banner


def test_the_banner_and_the_name_stand_on_the_page(
    server: HubServer, embedded: Path, tmp_path: Path
) -> None:
    page = app.build(started(embedded, UNCOVER_WEIGHTS=str(tmp_path / "<nowhere>")))
    shown = {block.elem_id: str(getattr(block, "value", "")) for block in page.blocks.values()}
    assert "&lt;nowhere&gt;" in shown["banner"]
    assert "embedded" in shown["loaded"]
    assert "CC-BY-NC-SA-4.0" in shown["loaded"]


def test_without_any_weights_it_ends_with_one_line(
    server: HubServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def refuse(*args: object, **options: object) -> Chosen:
        return choose(*args, embedded=tmp_path / "none")  # type: ignore[arg-type]

    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    monkeypatch.setattr(app, "choose", refuse)
    monkeypatch.setattr(app.signal, "signal", lambda *args: None)
    assert app.main([]) == 1
    said = capsys.readouterr().err
    assert said.startswith("error: ")
    assert said.count("\n") == 1


def test_unreachable_weights_fall_back_with_a_banner(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded: list[str] = []

    def load(source: str, **options: object) -> str:
        loaded.append(source)
        return "networks"

    def unreachable(source: str, revision: str | None, files: str) -> Path:
        raise WeightsError("the Hub cannot be reached")

    monkeypatch.setattr(choosing.Uncoverer, "from_pretrained", staticmethod(load))
    monkeypatch.setattr(choosing, "resolve", unreachable)
    chosen = choosing.choose("user/repo", "v1", embedded=tmp_path)
    assert loaded == [str(tmp_path)]
    assert "user/repo@v1" in str(chosen.banner)
    assert "cannot be reached" in str(chosen.banner)
    assert choosing.choose(None, embedded=tmp_path).banner is None
