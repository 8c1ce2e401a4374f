"""`python -m training.presence`: teaches a trained segmenter to say whether a crop shows a face.

A detector also finds masks on a table, sunglasses and collars. What it finds in labelled photos,
wrong and right, what it finds in drawn textures, and faces and empty places with drawn masks are
framed as in use; one linear layer on the segmenter's frozen features learns to tell them apart.
--data as for `training.detector`: folders with labelled photos, and folders made by
training.prepare. Photos that the detector's training keeps apart are kept apart here too; the
threshold is chosen on them.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F

from training.data import find_labelled_sets, find_prepared_faces
from training.presence.examples import Example, from_drawn, from_labelled, from_textures
from training.run import command_parser, run_to_exit
from uncover.errors import UncoverError
from uncover.find import believed
from uncover.networks import MaskSegmenter
from uncover.weights import load_component, read_config, save_component


@dataclass(frozen=True)
class Fit:
    """The linear layer, and on the held-out finds the detector was sure of (score 0.5 and more):
    faces: how many; lost: share of them the threshold gives up; false, removed: the same of finds
    that are no face."""

    weight: np.ndarray
    bias: float
    threshold: float
    faces: int
    lost: float
    false: int
    removed: float


def fit(examples: Sequence[Example], lost: float, decay: float = 3e-2) -> Fit:
    """Logistic regression with both classes of equal weight, and the threshold that gives up the
    share `lost` of the held-out faces.

    Raises:
        UncoverError: no face or nothing else to learn from, or no held-out face that the
            detector is sure of to choose by.
    """
    features = torch.from_numpy(np.stack([e.features for e in examples]).astype(np.float32))
    face = torch.tensor([e.face for e in examples])
    held = torch.tensor([e.held_out for e in examples])
    score = np.array([e.score for e in examples])
    use, sure = ~held, held & torch.from_numpy(score >= 0.5)
    if not (face & use).any() or not (~face & use).any() or not (face & sure).any():
        raise UncoverError("there must be faces, finds that are none, and photos to choose by")
    middle, spread = features[use].mean(0), features[use].std(0) + 1e-3
    x, y = (features[use] - middle) / spread, face[use].float()
    weights = torch.where(face[use], 1 / y.mean(), 1 / (1 - y.mean()))
    w = torch.zeros(x.shape[1], requires_grad=True)
    b = torch.zeros(1, requires_grad=True)
    solver = torch.optim.LBFGS([w, b], max_iter=100, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        solver.zero_grad()
        error = F.binary_cross_entropy_with_logits(x @ w + b, y, weight=weights)
        total = error + decay * w.square().sum()
        total.backward()
        return total

    solver.step(loss)
    weight = (w / spread).detach()
    bias = float(b.detach() - (weight * middle).sum())
    presence = torch.sigmoid(features @ weight + bias).numpy()
    belief = np.array([believed(p, s) for p, s in zip(presence, score, strict=True)])
    good, bad = belief[(sure & face).numpy()], belief[(sure & ~face).numpy()]
    threshold = float(np.clip(np.quantile(good, lost), 0.01, 0.99))
    return Fit(
        weight.numpy(), bias, threshold, len(good), float((good < threshold).mean()),
        len(bad), float((bad < threshold).mean()) if len(bad) else 0.0,
    )  # fmt: skip


def train(
    folders: Sequence[Path], base: Path, out: Path, faces: int, lost: float, seed: int
) -> Fit:
    """Write OUT/weights with the segmenter of `base` and the new layer.

    Raises:
        UncoverError: data or weights that are missing or broken.
    """
    started = time.monotonic()
    detector, old = (load_component(base, name).eval() for name in ("detector", "segmenter"))
    photos = [p for root in folders for found in find_labelled_sets(root) for p in found.photos]
    records = [
        record
        for root in folders
        for record in find_prepared_faces(root)
        if record.split == "train"
    ]
    if not photos or not records:
        missing = "labelled photos" if records else "prepared faces"
        raise UncoverError(f"no {missing} found in --data")
    rng = np.random.default_rng(seed)
    chosen = [records[i] for i in rng.permutation(len(records))[:faces]]
    examples = [
        *from_labelled(photos, detector, old),
        *from_drawn(chosen, old, rng),
        *from_textures(chosen, detector, old, rng),
    ]
    found = fit(examples, lost)
    network = MaskSegmenter(dataclasses.replace(old.config, presence=found.threshold))
    state = old.state_dict() | {
        "presence.weight": torch.from_numpy(found.weight)[None],
        "presence.bias": torch.tensor([found.bias]),
    }
    network.load_state_dict(state, strict=True)
    held_out = dataclasses.asdict(found)
    del held_out["weight"], held_out["bias"]
    notes = {
        "examples": len(examples),
        "faces": sum(e.face for e in examples),
        "minutes": round((time.monotonic() - started) / 60, 1),
        "held_out": held_out,
    }
    training = {**(read_config(base).components["segmenter"].training or {}), "presence": notes}
    save_component(out / "weights", "segmenter", network.eval(), network.config, training=training)
    return found


def main(argv: list[str] | None = None) -> int:
    """Entry point; returns the exit code."""
    parser = command_parser("training.presence", __doc__)
    parser.add_argument("--data", type=Path, action="append", required=True, metavar="DIR")
    parser.add_argument("--base", type=Path, required=True, help="weights: detector, segmenter")
    parser.add_argument("--out", type=Path, required=True, help="run folder to write")
    parser.add_argument("--faces", type=int, default=1500, help="prepared faces to draw masks on")
    parser.add_argument("--lost", type=float, default=0.01, help="share of true faces given up")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args(argv)

    def work() -> None:
        if not 0 < args.lost < 0.5 or args.faces < 1:
            raise UncoverError("--lost must lie in 0..0.5 and --faces be positive")
        if (args.out / "weights").exists():
            raise UncoverError(f"{args.out} holds a run: name another --out")
        found = train(
            args.data, args.base, args.out, faces=args.faces, lost=args.lost, seed=args.seed
        )
        print(
            f"held out: {found.lost:.1%} of {found.faces} faces given up, {found.removed:.1%} of "
            f"{found.false} other finds removed; threshold {found.threshold:.2f}"
        )

    return run_to_exit(work)
