"""The networks of a generator run: built, begun from others, averaged, and held to agree."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from torch import Tensor, nn

from training.gan.settings import GanSettings
from training.run import SettingsError, fit, initial_weights, load_checkpoint, to_dict
from uncover.errors import UncoverError
from uncover.images import load_lpips
from uncover.networks import ContextEncoder, ContextEncoderConfig, Generator
from uncover.weights import CONFIG, load_component, read_config, registry, save_component


def build_generator(settings: GanSettings) -> Any:
    """The generator the settings ask for, freshly initialised."""
    if settings.architecture == "seed":
        return ContextEncoder(
            ContextEncoderConfig(settings.generator.resolution, settings.bottleneck)
        )
    return Generator(settings.generator)


def component_name(settings: GanSettings) -> str:
    """Under which name the generator is saved in a weights folder."""
    return "generator" if settings.architecture == "unet" else "seed_generator"


def build_lpips(required: bool = True) -> Any:
    """LPIPS with SqueezeNet 1.1, frozen; None when its weights are not there and not required.

    Raises UncoverError, when required, if the ImageNet weights are neither cached nor reachable.
    """
    try:
        return load_lpips("squeeze")
    except UncoverError as error:
        if not required:
            return None
        raise UncoverError(f"{error}, or use --set losses.perceptual=0") from None


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
    try:
        fit(g, initial_weights(init, component_name(settings), g), init)
    except UncoverError as error:
        other = ", ".join(f"{key}={value}" for key, value in _differing(init, settings).items())
        if not other:
            raise
        raise UncoverError(
            f"--init {init}: networks of another shape; its generator has {other}: "
            "take its preset, or --set generator.KEY=VALUE"
        ) from error
    if (init / "checkpoint").is_dir():
        kept = critics_in(load_checkpoint(init / "checkpoint"))
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


def _differing(init: Path, settings: GanSettings) -> dict[str, Any]:
    """What of a published generator's shape the settings ask for otherwise; {} where unknown."""
    if (init / "checkpoint").is_dir() or not (init / CONFIG).is_file():
        return {}
    component = read_config(init).components.get("generator")
    asked = to_dict(settings.generator)
    arch = component.arch if component is not None else {}
    return {key: value for key, value in arch.items() if asked.get(key) != value}


def critics_in(state: dict[str, Any]) -> dict[str, dict[str, Tensor]]:
    """The discriminators that a run's checkpoint holds: name -> its tensors."""
    found: dict[str, dict[str, Tensor]] = {}
    for key, tensor in state.get("critics", {}).items():
        name, _, rest = key.partition(".")
        found.setdefault(name, {})[rest] = tensor
    return found


def teacher_of(out: Path, init: Path | None, main: bool) -> nn.Module:
    """The generator of published weights, frozen: what `losses.layout` holds a run to.

    init: their folder; None goes on with the copy in OUT/teacher, which the main process keeps, so
    that a resumed run needs nothing else. Raises SettingsError when there is neither.
    """
    source = out / "teacher" if init is None else init
    if not (source / CONFIG).is_file():
        raise SettingsError("losses.layout needs --init WEIGHTS: a folder of published weights")
    network = load_component(source, "generator")
    if init is not None and main:
        save_component(out / "teacher", "generator", network, network.config)
    return network.float().eval().requires_grad_(False)


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


registry.REGISTRY.setdefault(
    "seed_generator",
    registry.Spec("uncover.networks.context_encoder", "ContextEncoder", "ContextEncoderConfig"),
)
