"""What a run remembers between two starts, once for all loops."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from training.run.checkpoint import (
    CheckpointError,
    load_checkpoint,
    restore_rng,
    rng_state,
    save_checkpoint,
)
from training.run.config import check_same, to_dict
from training.run.deepen import deepened
from uncover.atomic import recovered, write_atomically
from uncover.errors import UncoverError
from uncover.weights import CONFIG, load_component, save_component

OF_THE_MACHINE = ("threads", "workers")
"""Settings that may be others when a run goes on: they change its pace and nothing else."""


class Part(Protocol):
    """Whatever a checkpoint can hold: a network, an optimiser, critics with theirs."""

    def state_dict(self) -> dict[str, Any]:
        """All that `load_state_dict` needs."""

    def load_state_dict(self, state_dict: dict[str, Any]) -> object:
        """Go back to what `state_dict` gave."""


class RunState:
    """A run in a folder: network, average, optimiser, images seen, minutes.

    ``model`` has a ``config``; ``ema`` is its running average, which is what gets published.
    ``seen`` counts images over all processes, ``minutes`` what all starts took up to the last save.
    """

    def __init__(
        self,
        name: str | None,
        folder: Path,
        settings: Any,
        model: nn.Module,
        ema: nn.Module,
        optimizer: torch.optim.Optimizer,
        parts: Mapping[str, Part] | None = None,
        since: float | None = None,
    ) -> None:
        """name: of the component in RUN/weights, or None for a run that publishes none.
        settings: a dataclass, or what a run must not change as a dict. parts: what else the
        checkpoint holds, by name. since: when this start began, in `time.monotonic`; or now."""
        self.name, self.folder, self.settings = name, folder, settings
        self.model, self.ema, self.optimizer = model, ema, optimizer
        own: dict[str, Part] = {"model": model, "ema": ema, "optimizer": optimizer}
        self.parts = own | dict(parts or {})
        self.seen = 0
        self.minutes = 0.0
        self._clock = time.monotonic() if since is None else since

    @property
    def checkpoint(self) -> Path:
        """The folder of the state on disk."""
        return self.folder / "checkpoint"

    def begin(self, resume: bool, init: Path | None) -> None:
        """Read the checkpoint (``resume``), or only the averaged weights of another run, or of a
        weights folder.

        Raises:
            UncoverError: a run that is there already, is missing, or had other settings.
        """
        if recovered(self.checkpoint).exists() and not resume:
            raise UncoverError(f"{self.folder} holds a run: add --resume, or name another --out")
        if resume:
            self.restore()
        else:
            if init is not None:
                self._start_from(init)
            self.ema.load_state_dict(self.model.state_dict())
        self.write_settings()
        self._clock = time.monotonic()

    def restore(self) -> None:
        """Go back to what the checkpoint holds.

        Raises:
            UncoverError: there is none, or it has other settings or other parts.
        """
        state = load_checkpoint(self.checkpoint)
        if missing := {"settings", "seen", "minutes", "rng", *self.parts} - state.keys():
            lacks = ", ".join(sorted(missing))
            raise CheckpointError(f"checkpoint in {self.checkpoint} is another's: no {lacks} in it")
        check_same(_lasting(state["settings"]), _lasting(self._told()), self.folder)
        for name, part in self.parts.items():
            part.load_state_dict(state[name])
        restore_rng(state["rng"])
        self.seen, self.minutes = state["seen"], state["minutes"]

    def save(self, notes: dict[str, Any], **more: Any) -> None:
        """Write, with `notes` on how it was trained, the averaged network to RUN/weights, and then
        RUN/checkpoint: killed in between, the run goes on from before, and writes both again.

        more: kept in the checkpoint for whoever reads it.
        """
        now = time.monotonic()
        self.minutes += (now - self._clock) / 60
        self._clock = now
        counted = {"settings": self._told(), "seen": self.seen, "minutes": self.minutes}
        held = {name: part.state_dict() for name, part in self.parts.items()}
        if self.name is not None:
            done = {"images": self.seen, "minutes": round(self.minutes, 1)}
            self.write_weights({**done, "settings": self._told(), **notes})
        save_checkpoint(self.checkpoint, {**counted, **held, "rng": rng_state(), **more})

    def write_weights(self, training: dict[str, Any]) -> None:
        """RUN/weights: the averaged network, and how it was trained."""
        assert self.name is not None
        save_component(
            self.folder / "weights", self.name, self.ema, self.ema.config, training=training
        )

    def write_settings(self) -> None:
        """RUN/settings.json."""
        self.write_notes("settings", self._told())

    def write_notes(self, name: str, content: Any) -> None:
        """RUN/NAME.json, for people and for publishing."""
        text = json.dumps(content, indent=2)
        write_atomically(self.folder / f"{name}.json", text.encode())

    def _told(self) -> dict[str, Any]:
        return self.settings if isinstance(self.settings, dict) else to_dict(self.settings)

    def _start_from(self, init: Path) -> None:
        assert self.name is not None
        fit(self.model, initial_weights(init, self.name, self.model), init)


def _lasting(settings: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in settings.items() if k not in OF_THE_MACHINE}


def initial_weights(init: Path, name: str, network: nn.Module) -> dict[str, Tensor]:
    """What `network` starts from: the average in a run's checkpoint or, where there is none, the
    published weights of `name`.

    Of the latter, layers that `network` does not have (the generator's for other answers, the
    segmenter's that says whether there is a face) are left out. Blocks that only `network` has
    begin as the identity (`training.run.deepen`), and so does a coarse stage's `Look`;
    its guess begins anew. Raises UncoverError.
    """
    if (init / "checkpoint").is_dir():
        return deepened(load_checkpoint(init / "checkpoint")["ema"], network)
    if (init / CONFIG).is_file():
        known = network.state_dict()
        published = deepened(load_component(init, name).state_dict(), network)
        told = ("coarse.look.", "coarse.guess.")
        new = {key: value for key, value in known.items() if key.startswith(told)}
        return new | {key: value for key, value in published.items() if key in known}
    raise UncoverError(f"--init {init}: neither a run nor a weights folder")


def fit(module: nn.Module, state: dict[str, Tensor], source: Path) -> None:
    """Load the weights of another run. Raises UncoverError when its network has another shape."""
    try:
        module.load_state_dict(state)
    except RuntimeError as error:
        first = str(error).splitlines()[1].strip() if "\n" in str(error) else str(error)
        raise UncoverError(f"--init {source}: networks of another shape ({first})") from None
