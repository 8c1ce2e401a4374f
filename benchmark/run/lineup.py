"""Which models and metrics take part in a run."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from benchmark.features import NONE, FeatureScorer, load_features
from benchmark.metrics import IdentityScorer, LpipsScorer, MouthScorer, PixelScorer, Scorer
from benchmark.models import FillModel, UncoverModel, baselines, make_adapter, weights_name
from benchmark.photos import datasets
from benchmark.run.options import Options
from uncover.errors import UncoverError
from uncover.scores import METRICS

S, T = TypeVar("S"), TypeVar("T")


def load_models(options: Options, device: str) -> tuple[list[FillModel], dict[str, str]]:
    """All models in the order given: weights, adapters, baselines.

    Returns:
        The models that load, and name -> reason for those that do not.

    Raises:
        UncoverError: a model is given twice.
    """
    models: list[FillModel] = []
    failures: dict[str, str] = {}
    for name, load in _loaders(options, device):
        if name in failures or any(m.name == name for m in models):
            raise UncoverError(f"two models are called {name}: name them apart with NAME=...")
        try:
            models.append(load())
        except UncoverError as error:
            failures[name] = str(error)
            print(f"warning: {name} is left out: {error}", file=sys.stderr)
    return models, failures


def _loaders(options: Options, device: str) -> list[tuple[str, Callable[[], FillModel]]]:
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
            faces.append(baselines.learn(data, options.cache, options.quiet))
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


@dataclass(frozen=True, eq=False)
class Lineup:
    """The metrics of a run. notes: metric -> why it is not there."""

    scorers: list[Scorer]
    notes: dict[str, str]

    def of_kind(self, kind: type[S]) -> S | None:
        """The scorer of a class, if it takes part."""
        return next((s for s in self.scorers if isinstance(s, kind)), None)

    @property
    def features(self) -> str:
        """The name of the features in use, or "none"."""
        scorer = self.of_kind(FeatureScorer)
        return scorer.name if scorer else NONE

    @property
    def lpips_net(self) -> str:
        """The LPIPS network in use, or "none"."""
        scorer = self.of_kind(LpipsScorer)
        return scorer.net if scorer else NONE


def load_scorers(options: Options, device: str) -> Lineup:
    """The metrics asked for; of several names the first that can be had here.

    Raises:
        UncoverError: what was asked for cannot be had.
    """
    scorers: list[Scorer] = [PixelScorer()]
    notes: dict[str, str] = {}
    lpips = _first(options.lpips, METRICS["lpips"].title, lambda net: LpipsScorer(net, device))
    features = _first(options.features, "features", lambda name: load_features(name, device))
    if lpips:
        scorers.append(lpips)
    if features:
        scorers.append(features)
    else:
        notes |= dict.fromkeys(("c2st", "c2st_structure"), "without features")
    scorers.append(MouthScorer())
    try:
        scorers.append(IdentityScorer())
    except UncoverError as error:
        if options.identity:
            raise
        notes["identity"] = str(error)
        print(f"note: {error}", file=sys.stderr)
    return Lineup(scorers, notes)


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
