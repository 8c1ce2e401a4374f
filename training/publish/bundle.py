"""Merges the weights of finished runs into one folder that can be published."""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from training.gan import DiscriminatorConfig, PatchDiscriminator, critics_in
from training.run import from_dict, load_checkpoint
from uncover.errors import UncoverError, WeightsError
from uncover.revision import git_revision
from uncover.weights import (
    ADDED,
    CONFIG,
    INFERENCE,
    Component,
    WeightsConfig,
    check_files,
    load_bundle,
    read_config,
    save_component,
    write_config,
)


def merge_runs(
    runs: Sequence[Path], folder: Path, *, base: Path | None, discriminators: bool
) -> WeightsConfig:
    """Put the networks of `runs` into `folder`; what they lack for inference comes from `base`.

    Args:
        runs: run folders, each with RUN/weights/. folder: empty; it is filled.
        base: a weights folder or None.
        discriminators: also take the discriminators out of the runs' checkpoints.

    Raises:
        UncoverError: a run has no weights, two runs have the same network, or one is missing.
    """
    folder.mkdir(parents=True, exist_ok=True)
    origin: dict[str, Path] = {}
    components: dict[str, Component] = {}
    data: dict[str, Any] = {}
    for run in runs:
        config = _run_config(run)
        for name, component in config.components.items():
            if name in origin:
                raise UncoverError(f"{run} and {origin[name]} both hold a {name}: name one of them")
            origin[name] = run
            components[name] = _annotated(component, run)
            _take(run / "weights", folder, component)
            if summary := _read_json(run / "data.json"):
                data[name] = summary
    if base is not None:
        kept = read_config(base)
        for name in (*INFERENCE, *ADDED):
            if name not in components and name in kept.components:
                check_files(base, kept, (kept.components[name].file,))
                components[name] = dataclasses.replace(kept.components[name], onnx=None)
                _take(base, folder, kept.components[name])
                if name in (kept.data or {}):
                    data[name] = (kept.data or {})[name]
    missing = [name for name in INFERENCE if name not in components]
    if missing:
        raise UncoverError(f"no {missing[0]} in the runs given: add its run, or name --base DIR")
    ordered = {name: components[name] for name in (*INFERENCE, *components)}
    config = WeightsConfig(components=ordered, git=git_revision(), data=data or None)
    write_config(folder, config)
    if discriminators:
        _add_discriminators(runs, folder)
    return read_config(folder)


def check_bundle(folder: Path) -> str:
    """Load everything strictly and paint one drawn face; returns what was done, in one line.

    Raises:
        UncoverError: a network does not load, or the fill is not a sensible picture.
    """
    from uncover.faces import draw_face
    from uncover.networks import to_network
    from uncover.pipeline import Uncoverer

    bundle = load_bundle(folder)
    networks = bundle.detector, bundle.segmenter, bundle.generator
    painter = Uncoverer(*networks, enlarger=bundle.enlarger)
    face = draw_face(0, 256)
    hole = np.zeros(face.image.shape[:2], dtype=bool)
    hole[128:230, 64:192] = True
    filled = np.asarray(painter.fill(face.image, hole).image)
    if filled.shape != face.image.shape or not np.array_equal(filled[~hole], face.image[~hole]):
        raise WeightsError("the fill changed pixels outside the mask: these weights do not fit")
    side = bundle.generator.config.resolution
    hidden = np.zeros((1, side, side), dtype=bool)
    hidden[:, side // 2 :] = True
    with torch.no_grad():
        inputs = to_network(draw_face(1, side).image[None], hidden)
        raw = [bundle.generator(*inputs)]
        if bundle.enlarger is not None:
            raw.append(bundle.enlarger(*inputs))
    reach = max(float(x.abs().max()) for x in raw)
    if not reach < 4 or not all(x.isfinite().all() for x in raw):
        raise WeightsError(f"the fill is no picture: values reach {reach:.3g} where 1 is white")
    bundle.segmenter.segment(face.image[None])
    painter(face.image)
    return f"{len(bundle.config['components'])} networks load strictly, a fill and a photo run"


def _run_config(run: Path) -> WeightsConfig:
    if not run.is_dir():
        raise UncoverError(f"no run folder {run}")
    weights = run / "weights"
    if not (weights / CONFIG).is_file():
        raise UncoverError(f"{run} is not a finished run: it has no weights/{CONFIG}")
    config = read_config(weights)
    if not config.components:
        raise UncoverError(f"{run} is not a finished run: its weights/{CONFIG} lists no networks")
    check_files(weights, config)
    for name, component in config.components.items():
        if not component.training:
            raise UncoverError(f"{run}: its {name} does not say how it was trained")
    return config


def _annotated(component: Component, run: Path) -> Component:
    """The component with its run's last validation scores among its training notes."""
    scores: dict[str, Any] = {}
    log = run / "log.jsonl"
    if log.is_file():
        for line in log.read_text("utf-8").splitlines():
            try:
                row = json.loads(line)
            except ValueError:
                continue  # a run that was killed can leave half a line
            if isinstance(row, dict) and row.get("kind") == "val":
                scores = {k: v for k, v in row.items() if k not in ("kind", "images")}
    if not scores:
        return component
    return dataclasses.replace(component, training={**component.training, "val": scores})


def _take(source: Path, folder: Path, component: Component) -> None:
    shutil.copyfile(source / component.file, folder / component.file)


def _add_discriminators(runs: Sequence[Path], folder: Path) -> None:
    added = 0
    for run in runs:
        if not (run / "checkpoint").is_dir():
            continue
        state = load_checkpoint(run / "checkpoint")
        for part, tensors in critics_in(state).items():
            config = from_dict(DiscriminatorConfig, state["settings"][f"d_{part}"])
            critic = PatchDiscriminator(config)
            critic.load_state_dict(tensors, strict=True)
            notes = {"images": state["seen"]}
            save_component(folder, f"discriminator_{part}", critic, config, training=notes)
            added += 1
    if not added:
        raise UncoverError("no run has discriminators in its checkpoint: leave the option out")


def _read_json(path: Path) -> dict[str, Any] | None:
    if not path.is_file():
        return None
    try:
        found = json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise UncoverError(f"{path} is not valid JSON: {error}") from error
    return found if isinstance(found, dict) else None
