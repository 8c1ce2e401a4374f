"""The commands that are broken off, each on the smallest data that it takes.

A command works in a folder of its own: it reads `in`, and all that it writes goes to `work`.
"""

from __future__ import annotations

import json
import os
import shutil
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from tests.faults.files import contents
from tests.hub_server import TOKEN, HubServer, use_hub
from tests.uncover.cli_scene import BOX, SceneDetector
from tests.uncover.fake_networks import make
from tests.uncover.scale import scenes
from tests.uncover.standins import (
    SMALL,
    TinyConfig,
    TinyDetector,
    TinySegmenter,
    trained_tiny,
    use_tiny,
    use_tiny_finders,
)
from uncover.faces import write_drawn_faces

REPO = "me/uncover"


class Command(ABC):
    """One that needs nothing but its words.

    name: by which it is asked for. remote: whether what it makes does not lie in `work`.
    """

    name, remote = "", False

    def make(self, top: Path) -> None:
        """Write `top`/in, if it reads anything."""
        return

    def reset(self, top: Path) -> None:
        """Begin anew: an empty `work`."""
        shutil.rmtree(top / "work", ignore_errors=True)
        (top / "work" / "tmp").mkdir(parents=True)

    @abstractmethod
    def run(self) -> int:
        """Run it in the folder that is current, as a user would begin it or go on with it."""

    def close(self) -> None:
        """Let go of what serves it, if anything does."""
        return

    def found(self, top: Path) -> dict[str, Any]:
        """What it made, without what a clock told."""
        return contents(top / "work" / "out")


class Photos(Command):
    """`uncover FOLDER`."""

    name = "photos"

    def make(self, top: Path) -> None:
        for i in range(8):
            path = top / "in" / "ab"[i % 2] / f"{i}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(scenes.masked(i) if i != 3 else scenes.empty())

    def run(self) -> int:
        from uncover.commands import main
        from uncover.pipeline import Uncoverer

        made = make([BOX])
        made.detector = SceneDetector()
        with patch.object(Uncoverer, "from_pretrained", lambda *_, **__: made):
            return main(["in", "-o", "work/out", "--recursive", "--overwrite"])


class Scale(Photos):
    """`uncover scale`."""

    name = "scale"

    def run(self) -> int:
        from uncover.commands import main
        from uncover.scale import Work

        with patch.object(Work, "worker", lambda work: scenes.uncover(work.column)):
            return main(["scale", "in", "work/out", "--no-ray"])


class Prepare(Command):
    """`python -m training.prepare`, in chunks of two pictures."""

    name = "prepare"

    def make(self, top: Path) -> None:
        write_drawn_faces(top / "in", 10, seed=2, size=96)
        (top / "in" / "broken.png").write_bytes(b"no picture")

    def run(self) -> int:
        from training.prepare import command

        words = "in --format folder --out work/out --workers 1 --no-clean --shards 2"
        with patch.object(command, "CHUNK", 2):
            return command.main(words.split())


class Training(Command):
    """A loop with its smoke preset."""

    preset = ""
    more: tuple[str, ...] = ()

    def make(self, top: Path) -> None:
        write_drawn_faces(top / "in", 15, seed=2, size=96)

    @abstractmethod
    def main(self) -> Callable[[list[str]], int]:
        """The loop's command."""

    def run(self) -> int:
        out = Path("work/out")
        begun = any(out.glob("checkpoint*")) or any(out.glob("coarse/checkpoint*"))
        words = ["--data", "in", "--preset", self.preset, "--out", str(out), *self.more]
        return self.main()([*words, *(["--resume"] if begun else [])])


class Gan(Training):
    """`python -m training.gan`, both stages."""

    name, preset = "gan", "smoke"

    def main(self) -> Callable[[list[str]], int]:
        from training.gan.loop import main

        return main


class Segmenter(Training):
    """`python -m training.segmenter`."""

    name, preset = "segmenter", "segmenter-smoke"

    def main(self) -> Callable[[list[str]], int]:
        from training.segmenter.loop import main

        return main


class Detector(Training):
    """`python -m training.detector`."""

    name, preset = "detector", "detector-smoke"
    more = ("--set", "held_out=0.3", "--set", "held_out_closeups=0.4")

    def make(self, top: Path) -> None:
        from tests.training.drawn_scenes import write_drawn_scenes

        write_drawn_scenes(top / "in", "train", 8)
        write_drawn_scenes(top / "in", "real_masked", 5, seed=50)

    def main(self) -> Callable[[list[str]], int]:
        from training.detector.loop import main

        return main


class Benchmark(Command):
    """`python -m benchmark` of two stand-in models."""

    name = "benchmark"

    def run(self) -> int:
        from benchmark.__main__ import main

        os.environ["SOURCE_DATE_EPOCH"] = "0"
        words = "--drawn 6 --size 96 --lpips none --draws 100 --quiet --workers 1 --floor 10"
        models = ["--model", "grey=python:tests.benchmark.stand_ins:grey"]
        models += ["--model", "tinted=python:tests.benchmark.stand_ins:tinted"]
        judge = ["--features", "tests.benchmark.stand_ins:colours", "--slices", "pose"]
        return main([*words.split(), *models, *judge, "--out", "work/out", "--cache", "work/cache"])


class Publish(Command):
    """`python -m training.publish --dry-run`, over an older version."""

    name = "publish"

    def make(self, top: Path) -> None:
        import torch

        from training.gan.settings import GanSettings
        from training.run import to_dict
        from uncover.networks import Generator
        from uncover.weights import save_component

        for version in ("new", "old"):
            torch.manual_seed(len(version + version[0]))
            folder = top / "in" / version
            told = to_dict(GanSettings(images=64, generator=SMALL))
            notes = {"images": 64, "minutes": 1.5, "settings": told}
            save_component(folder / "weights", "generator", Generator(SMALL), SMALL, training=notes)
        for name, cls in (("detector", TinyDetector), ("segmenter", TinySegmenter)):
            config = TinyConfig()
            save_component(top / "in/find/weights", name, cls(), config, training={"images": 3})

    def prepared(self) -> pytest.MonkeyPatch:
        """Stand-ins for what is large."""
        changed = pytest.MonkeyPatch()
        use_tiny_finders(changed)
        changed.setenv("UNCOVER_WEIGHTS", "nowhere")
        return changed

    def run(self) -> int:
        from training.publish.command import main

        self.prepared()
        words = ["in/new", "in/find", "--repo", REPO, "--out", "work/out"]
        return main([*words, "--dry-run"])


class Served(Command):
    """One that talks to a stand-in for the Hub, which lives in the process that kills."""

    def __init__(self) -> None:
        self.address = ""
        self.server: HubServer | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {"address": self.address, "server": None}

    def serve(self) -> HubServer:
        """The Hub, started when it is wanted."""
        if self.server is None:
            self.server = HubServer().__enter__()
            self.address = self.server.url
        return self.server

    def close(self) -> None:
        """Stop the Hub."""
        if self.server is not None:
            self.server.__exit__(None, None, None)
            self.server = None


class Pull(Served):
    """`uncover weights pull --out`."""

    name = "pull"

    def make(self, top: Path) -> None:
        from uncover.weights import save_component

        for name in ("generator", "segmenter", "detector"):
            save_component(top / "in", name, trained_tiny(), TinyConfig())
        self.serve().add(REPO, {path.name: path.read_bytes() for path in (top / "in").iterdir()})

    def run(self) -> int:
        from uncover.commands.weights import main

        changed = pytest.MonkeyPatch()
        use_tiny(changed)
        use_hub(changed, Path("work/cache").absolute(), self.address, None)
        pulled = main(["weights", "pull", REPO, "--out", "work/out"])
        return pulled or main(["weights", "verify", "work/out"])


class Upload(Served, Publish):
    """`python -m training.publish`, onto a Hub that has an older version."""

    name, remote = "upload", True

    def reset(self, top: Path) -> None:
        super().reset(top)
        self.serve().repos.clear()
        self.serve().blobs.clear()
        self.serve().add(REPO, {"config.json": b"{}", "note.txt": b"older"})

    def run(self) -> int:
        from training.publish.command import main

        changed = self.prepared()
        use_hub(changed, Path("work/cache").absolute(), self.address, TOKEN)
        return main(["in/new", "in/find", "--repo", REPO, "--out", "work/out"])

    def found(self, top: Path) -> dict[str, Any]:
        """What is on the Hub; the older version is none of it."""
        files = self.serve().repo(REPO).files
        if files["config.json"] == b"{}":
            return {}
        return {n: json.loads(d) if n.endswith(".json") else d for n, d in files.items()}


ALL: tuple[type[Command], ...] = (
    Photos, Scale, Prepare, Gan, Segmenter, Detector, Benchmark, Publish, Upload, Pull,
)  # fmt: skip
COMMANDS = {each.name: each for each in ALL}
QUICK = ("photos", "scale", "prepare", "segmenter", "publish", "upload", "pull")
"""Those that take less than a second of CPU."""
