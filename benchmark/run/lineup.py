"""Which models and metrics take part in a run."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from benchmark.metrics import Scorer
from benchmark.metrics.features import NONE, FeatureScorer, load_features
from benchmark.metrics.lpips import LpipsScorer
from benchmark.metrics.pixels import PixelScorer
from benchmark.models import FillModel, UncoverModel, baselines, make_adapter, weights_name
from benchmark.photos import datasets
from benchmark.run.options import Options
from uncover.errors import UncoverError

T = TypeVar("T")


def load_models(
    options: Options, align: bool, device: str
) -> tuple[list[FillModel], dict[str, str]]:
    """All models in the order given: weights, adapters, baselines.

    Returns:
        The models that load, and name -> reason for those that do not.

    Raises:
        UncoverError: a model is given twice.
    """
    models: list[FillModel] = []
    failures: dict[str, str] = {}
    for name, load in _loaders(options, align, device):
        if name in failures or any(m.name == name for m in models):
            raise UncoverError(f"two models are called {name}: name them apart with NAME=...")
        try:
            models.append(load())
        except UncoverError as error:
            failures[name] = str(error)
            print(f"warning: {name} is left out: {error}", file=sys.stderr)
    return models, failures


def _loaders(
    options: Options, align: bool, device: str
) -> list[tuple[str, Callable[[], FillModel]]]:
    loaders: list[tuple[str, Callable[[], FillModel]]] = []
    for text in options.weights:
        name, source = _named(text)

        def load(name: str = name, source: str = source) -> FillModel:
            return UncoverModel(name, None if source == "default" else source, device)

        loaders.append((name, load))
    for spec in options.models:
        model = make_adapter(spec)
        loaders.append((model.name, lambda model=model: model))
    faces: list[baselines.TrainFaces] = []

    def train_faces() -> baselines.TrainFaces:
        if not faces:
            data = _train_data(options)
            faces.append(baselines.learn(data, align, options.cache, options.quiet))
        return faces[0]

    makers: dict[str, Callable[[], FillModel]] = {
        "telea": baselines.Telea,
        "mean-face": lambda: baselines.MeanFace(train_faces()),
        "pca": lambda: baselines.Pca(train_faces()),
        "seed": lambda: _seed(options.seed_weights, device),
    }
    return loaders + [(name, makers[name]) for name in options.baselines]


def _named(text: str) -> tuple[str, str]:
    """NAME=SOURCE, or a source that names itself."""
    name, sign, source = text.partition("=")
    if sign and name and source and not Path(text).exists():
        return name, source
    return weights_name(text), text


def _seed(folder: Path, device: str) -> FillModel:
    if not folder.is_dir():
        raise UncoverError(
            f"the original's model is not in {folder}: train it with "
            "`python -m training.gan --preset seed` and give its weights as --seed-weights"
        )
    return UncoverModel("seed", str(folder), device)


def _train_data(options: Options) -> datasets.DataSet:
    if options.drawn is not None and options.train is None:
        return datasets.drawn(200, first=datasets.DRAWN_TRAIN_SEED)
    source = options.train or options.data
    if source is None:
        raise UncoverError("mean-face and pca need training photos: give --train DIR")
    try:
        return datasets.load(source, split="train", form=options.form)
    except UncoverError as error:
        if options.train is not None:
            try:  # a folder of nothing but training photos
                return datasets.load(options.train, form=options.form)
            except UncoverError:
                raise error from None
        raise UncoverError(f"mean-face and pca need training photos, but {error}") from error


def load_scorers(options: Options, device: str) -> list[Scorer]:
    """The metrics asked for; of several names the first that can be had here.

    Raises:
        UncoverError: what was asked for cannot be had.
    """
    scorers: list[Scorer] = [PixelScorer()]
    lpips = _first(options.lpips, "LPIPS", lambda net: LpipsScorer(net, device))
    features = _first(options.features, "features", lambda name: load_features(name, device))
    if lpips:
        scorers.append(lpips)
    if features:
        scorers.append(features)
    if options.identity:
        from benchmark.metrics.identity import IdentityScorer

        scorers.append(IdentityScorer())
    return scorers


def _first(asked: str, what: str, load: Callable[[str], T]) -> T | None:
    """The first of the names in `asked` that can be had; "none" is nothing, without an error.

    Raises:
        UncoverError: none of them can be had; says why for the last.
    """
    names = [name.strip() for name in asked.split(",")]
    for i, name in enumerate(names):
        if name == NONE:
            if i:
                print(f"note: {what} is left out", file=sys.stderr)
            return None
        try:
            found = load(name)
        except UncoverError as error:
            if i + 1 == len(names):
                raise
            print(f"note: {error}", file=sys.stderr)
            continue
        if i:
            print(f"note: {what} by {name}, not {names[0]}", file=sys.stderr)
        return found
    return None


def lpips_net(scorers: list[Scorer]) -> str:
    """The LPIPS network in use, or "none"."""
    return next((s.net for s in scorers if isinstance(s, LpipsScorer)), NONE)


def feature_scorer(scorers: list[Scorer]) -> FeatureScorer | None:
    """The scorer of set-level features, if any."""
    return next((s for s in scorers if isinstance(s, FeatureScorer)), None)


def pick_device(name: str) -> str:
    """Turn "auto" into "cuda" or "cpu".

    Raises:
        UncoverError: cuda was asked for and is not there.
    """
    import torch

    if name == "cuda" and not torch.cuda.is_available():
        raise UncoverError("--device cuda: PyTorch sees no CUDA device here")
    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    return name


def thread_count(options: Options, processes: int) -> int:
    """Threads of this process: its share of the cores, 16 at most."""
    if options.workers:
        return options.workers
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return max(1, min(16, (cores or 1) // processes))
