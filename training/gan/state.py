"""What a generator run remembers: networks, average, optimisers, and how many images it saw."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from torch import Tensor, nn

from training.gan.against import Against
from training.gan.networks import component_name
from training.gan.settings import GanSettings
from training.run import (
    check_same,
    initial_weights,
    load_checkpoint,
    restore_rng,
    rng_state,
    save_checkpoint,
    to_dict,
)
from uncover.errors import UncoverError
from uncover.weights import load_component, read_config, save_component


@dataclass
class GanState:
    """A run in `folder`: `g` learns, `ema` is its running average and what gets published.

    against: the critics on frozen features, if there are any.
    seen: images so far, over all processes. minutes: what earlier starts took.
    """

    folder: Path
    settings: GanSettings
    g: nn.Module
    ema: Any
    critics: nn.ModuleDict
    optim_g: torch.optim.Optimizer
    optim_d: torch.optim.Optimizer
    against: Against | None = None
    seen: int = 0
    minutes: float = 0.0
    started: float = field(default_factory=time.monotonic)

    @property
    def checkpoint(self) -> Path:
        """The folder of the state on disk."""
        return self.folder / "checkpoint"

    def restore(self) -> None:
        """Go back to what the checkpoint holds. Raises UncoverError for other settings or none."""
        state = load_checkpoint(self.checkpoint)
        check_same(_lasting(state["settings"]), _lasting(to_dict(self.settings)), self.folder)
        self.g.load_state_dict(state["g"])
        self.ema.load_state_dict(state["ema"])
        self.critics.load_state_dict(state["critics_flat"])
        self.optim_g.load_state_dict(state["optim_g"])
        self.optim_d.load_state_dict(state["optim_d"])
        if self.against is not None:
            self.against.restore(state["against"])
        restore_rng(state["rng"])
        self.seen = state["seen"]
        minutes = self.folder / "minutes.json"
        if minutes.exists():
            self.minutes = json.loads(minutes.read_text())["minutes"]

    def save(self, accelerator: Accelerator) -> None:
        """Write the checkpoint and RUN/weights; all processes call this, the first one writes.

        Raises UncoverError when the processes hold different weights.
        """
        prints = fingerprints(accelerator, [self.g, self.ema, *self.critics.values()])
        if not accelerator.is_main_process:
            return
        state: dict[str, Any] = {
            "settings": to_dict(self.settings),
            "seen": self.seen,
            "g": self.g.state_dict(),
            "ema": self.ema.state_dict(),
            "critics": {name: critic.state_dict() for name, critic in self.critics.items()},
            "critics_flat": self.critics.state_dict(),
            "optim_g": self.optim_g.state_dict(),
            "optim_d": self.optim_d.state_dict(),
            "rng": rng_state(),
            "fingerprints": prints,
        }
        if self.against is not None:
            state["against"] = self.against.state()
        save_checkpoint(self.checkpoint, state)
        minutes = self.minutes + (time.monotonic() - self.started) / 60
        text = json.dumps({"minutes": minutes, "seen": self.seen})
        (self.folder / "minutes.json").write_text(text)
        notes = {
            "images": self.seen,
            "minutes": round(minutes, 1),
            "settings": to_dict(self.settings),
        }
        name = component_name(self.settings)
        save_component(self.folder / "weights", name, self.ema, self.ema.config, training=notes)


def fingerprints(accelerator: Accelerator, modules: list[nn.Module]) -> list[float]:
    """Per process, the sum of squares of all parameters: equal numbers mean equal networks.

    Raises UncoverError when the processes hold different weights.
    """
    total = sum(p.detach().double().square().sum() for m in modules for p in m.parameters())
    each = accelerator.gather(torch.as_tensor(total).reshape(1)).tolist()
    if len(set(each)) > 1:
        raise UncoverError(f"the processes have drifted apart (sums of squares {each})")
    return each


def start_from(init: Path, settings: GanSettings, g: nn.Module, critics: nn.ModuleDict) -> None:
    """Take the networks of another run, or of published weights.

    Discriminators that a weights folder does not hold start from scratch. Raises UncoverError for
    networks of another shape; a generator with more blocks per level is not
    (`training.run.deepen`).
    """
    fit(g, initial_weights(init, component_name(settings), g), init)
    if (init / "checkpoint").is_dir():
        kept = load_checkpoint(init / "checkpoint")["critics"]
    else:
        published = read_config(init)
        kept = {
            name: load_component(init, f"discriminator_{name}", published).state_dict()
            for name in critics
            if f"discriminator_{name}" in published.components
        }
    for name, critic in critics.items():
        if name in kept:
            fit(critic, kept[name], init)
        else:
            print(f"{init} has no {name} discriminator: it starts from scratch", file=sys.stderr)


def learning_groups(g: nn.Module, settings: GanSettings) -> list[dict[str, Any]]:
    """The optimiser's groups: what learns, and each one's `share` of the rate.

    The coarse stage is a group of its own where it learns on beside the fine one (`coarse.tune`).
    """
    stage = getattr(g, "coarse", None)
    apart = list(stage.parameters()) if stage is not None and settings.coarse.images else []
    own = set(apart)
    groups = [{"params": [p for p in g.parameters() if p not in own], "share": 1.0}]
    if apart and settings.coarse.tune:
        groups.append({"params": apart, "share": settings.coarse.tune})
    return groups


def fit(module: nn.Module, state: dict[str, Tensor], source: Path) -> None:
    """Load the weights of another run. Raises UncoverError when its network has another shape."""
    try:
        module.load_state_dict(state)
    except RuntimeError as error:
        first = str(error).splitlines()[1].strip() if "\n" in str(error) else str(error)
        raise UncoverError(f"--init {source}: networks of another shape ({first})") from None


def _lasting(settings: dict[str, Any]) -> dict[str, Any]:
    """The settings that must not change within a run: all but those of the machine."""
    return {k: v for k, v in settings.items() if k not in ("threads", "workers")}
