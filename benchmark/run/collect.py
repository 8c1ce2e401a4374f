"""From the store's rows to each model's values: what needs all photos of a run at once.

C2ST's classifiers and the mouths' models are fitted here; every photo is judged by those that have
not seen it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from benchmark.features import FeatureScorer
from benchmark.metrics import (
    IdentityScorer,
    MouthModels,
    MouthScorer,
    cosines,
    fold_of,
    held_out_judgements,
    of_strangers,
)
from benchmark.models import FillModel
from benchmark.numbers import Measured
from benchmark.photos import Case
from benchmark.run.evaluate import TRUTH, Store
from benchmark.run.lineup import Lineup
from uncover.scores import TOO_FEW

C2STS = ("c2st", "c2st_structure")


def collect(
    cases: Sequence[Case],
    models: Sequence[FillModel],
    lineup: Lineup,
    store: Store,
    floor: int,
) -> tuple[list[Measured], np.ndarray | None]:
    """Read all values back from the store, in the order of the cases.

    Args:
        floor: photos that classifiers and mouth models need.

    Returns:
        Each model's values, and the bare faces' features (n, d) for FID and KID, or None.
    """
    ids = [case.id for case in cases]
    truth: dict[str, np.ndarray] = {}
    for scorer in lineup.scorers:
        if scorer.of_truth:
            truth[scorer.key] = store.table(TRUTH, scorer).get_or_nan(ids)
    store.release()  # the rows are copies
    mouths = _mouths(ids, lineup, truth, floor)
    measured = [_one(model, ids, lineup, store, truth, mouths, floor) for model in models]
    features = lineup.of_kind(FeatureScorer)
    real = features.split(truth[features.key])[0].copy() if features else None
    return measured, real


def _mouths(
    ids: list[str], lineup: Lineup, truth: dict[str, np.ndarray], floor: int
) -> tuple[np.ndarray, MouthModels] | None:
    """Which photos show a mouth, bool (n,), and the models of these; None of too few."""
    scorer = lineup.of_kind(MouthScorer)
    if scorer is None:
        return None
    there = _whole(truth[scorer.key], truth[scorer.key])
    if there.sum() < floor:
        return None
    return there, MouthModels(truth[scorer.key][there], fold_of(ids)[there])


def _one(
    model: FillModel,
    ids: list[str],
    lineup: Lineup,
    store: Store,
    truth: dict[str, np.ndarray],
    mouths: tuple[np.ndarray, MouthModels] | None,
    floor: int,
) -> Measured:
    folds = fold_of(ids)
    notes = dict(lineup.notes)
    columns: list[str] = []
    values: list[np.ndarray] = []
    for scorer in lineup.scorers:
        if scorer.columns:
            table = store.table(model.fingerprint, scorer)
            columns += scorer.columns
            values.append(table.get_or_nan(ids, len(scorer.columns)))
    found = np.concatenate(values, 1)
    filled = ~np.isnan(found).all(1)
    judged: dict[str, tuple[np.ndarray, np.ndarray]] = {}
    beside: dict[str, tuple[str, np.ndarray]] = {}
    whole = None
    if features := lineup.of_kind(FeatureScorer):
        bare = features.split(truth[features.key])
        fills = features.split(store.table(model.fingerprint, features).get_or_nan(ids))
        whole = fills[0].copy()
        for name, real, fake in zip(C2STS, bare[1:], fills[1:], strict=True):
            if real is None or fake is None:
                notes[name] = f"needs feature maps, which {features.name} does not give"
            elif (pair := _judge(real, fake, folds, floor)) is None:
                notes[name] = TOO_FEW
            else:
                judged[name] = pair
    if scorer := lineup.of_kind(MouthScorer):
        fake = store.table(model.fingerprint, scorer).get_or_nan(ids)
        if mouths is None or _whole(truth[scorer.key], fake).sum() < floor:
            notes["mouth"] = TOO_FEW
        else:
            there, shown = mouths
            bare_far, far = _spread(shown.real, there), _spread(shown.distances(fake[there]), there)
            columns.append("mouth")
            found = np.concatenate([found, far[:, None]], 1)
            beside["mouth"] = ("photos", bare_far)
    if scorer := lineup.of_kind(IdentityScorer):
        real = truth[scorer.key].astype(np.float64)
        fake = store.table(model.fingerprint, scorer).get_or_nan(ids)
        columns.append("identity")
        found = np.concatenate([found, cosines(real, fake)[:, None]], 1)
        beside["identity"] = ("strangers", of_strangers(real))
    store.release()
    return Measured(model.name, tuple(columns), found, whole, judged, beside, notes, filled)


def _judge(
    real: np.ndarray, fake: np.ndarray, folds: np.ndarray, floor: int
) -> tuple[np.ndarray, np.ndarray] | None:
    there = _whole(real, fake)
    if there.sum() < floor:
        return None
    pair = held_out_judgements(real[there], fake[there], folds[there])
    return _spread(pair[0], there), _spread(pair[1], there)


def _whole(real: np.ndarray, fake: np.ndarray) -> np.ndarray:
    """bool (n,): the photos whose bare face and fill both have rows."""
    if not fake.shape[1] or not real.shape[1]:
        return np.zeros(len(real), bool)
    return np.asarray(~np.isnan(real).any(1) & ~np.isnan(fake).any(1))


def _spread(values: np.ndarray, there: np.ndarray) -> np.ndarray:
    """Values of some photos (m,) at their places among all; NaN for the others."""
    found = np.full(len(there), np.nan)
    found[there] = values
    return found
