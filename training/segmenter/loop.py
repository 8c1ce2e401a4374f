"""`python -m training.segmenter`: trains the mask segmenter on faces with drawn masks.

--data names folders made by training.prepare and may be given several times. Train faces get a
new mask, a new frame and new light at every draw; the val faces are scored at every evaluation.
A folder made by training.pseudo may be among them: photos with real masks, to train on as well.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

from training.pseudo import is_pseudo_labelled, read_real_masks
from training.run import (
    Loop,
    LoopSettings,
    RunState,
    deadline,
    load_in_order,
    run_command,
    start_torch,
)
from training.segmenter.masked_crops import CropSettings, MaskedCrops
from training.segmenter.scores import draw_sheet, fixed_crops, score_segmenter
from uncover.errors import UncoverError
from uncover.faces import FaceRecord, read_manifest
from uncover.networks import MaskSegmenter, SegmenterConfig


@dataclass(frozen=True)
class SegmenterSettings(LoopSettings):
    """All settings of `python -m training.segmenter`; see `LoopSettings` for the others.

    missed: how much worse a missed mask pixel is than a false one. thin: how much more a pixel of
      a strap counts than one of the mask's body.
    overlap, points: weights of the overlap loss and of the points' loss beside cross entropy.
    """

    images: int = 14_000
    batch: int = 16
    rate: float = 2e-3
    weight_decay: float = 1e-4
    warmup: int = 600
    decay: float = 0.7
    clip: float = 1.0
    ema: float = 0.995
    missed: float = 1.6
    thin: float = 1.0
    overlap: float = 0.5
    points: float = 8.0
    eval_every: int = 3_500
    eval_faces: int = 100
    save_every: int = 1_750
    crops: CropSettings = field(default_factory=CropSettings)
    segmenter: SegmenterConfig = field(default_factory=SegmenterConfig)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.eval_faces < 1:
            raise ValueError("eval_faces must be positive")


def thin_parts(target: Tensor, share: float = 0.05) -> Tensor:
    """What an opening by a square of ``share`` of the side removes: straps. (B, 1, S, S), 0..1."""
    reach = max(1, round(share * target.shape[-1] / 2))
    kernel = 2 * reach + 1
    eroded = -F.max_pool2d(-target, kernel, stride=1, padding=reach)
    opened = F.max_pool2d(eroded, kernel, stride=1, padding=reach)
    return (target - opened).clamp(min=0)


def mask_loss(
    logits: Tensor, target: Tensor, valid: Tensor, missed: float, thin: float = 1.0
) -> Tensor:
    """Cross entropy per valid pixel; mask pixels weigh ``missed`` times as much as others, and
    those of straps ``thin`` times as much again."""
    weight = valid * (1 + (missed - 1) * target)
    if thin != 1:
        weight = weight * (1 + (thin - 1) * thin_parts(target))
    total = F.binary_cross_entropy_with_logits(logits, target, weight, reduction="sum")
    return total / valid.sum().clamp(min=1)


def overlap_loss(logits: Tensor, target: Tensor, valid: Tensor, missed: float) -> Tensor:
    """1 - Tversky index (Salehi et al., 2017), missed : false = ``missed`` : 1. Mean over B."""
    odds = (logits.sigmoid() * valid).flatten(1)
    truth = (target * valid).flatten(1)
    common = (odds * truth).sum(1)
    lost, false = (truth - odds * truth).sum(1), (odds - odds * truth).sum(1)
    weighted = (missed * lost + false) / (1 + missed) * 2
    return (1 - (2 * common + 64) / (2 * common + weighted + 64)).mean()


def points_loss(points: Tensor, truth: Tensor) -> Tensor:
    """Smooth L1 on the points (B, 5, 2) that lie in the crop, in units of its side. Scalar."""
    inside = ((truth > 0.0) & (truth < 1.0)).all(dim=2, keepdim=True).expand_as(truth)
    error = F.smooth_l1_loss(points, truth, reduction="none", beta=0.01)
    return (error * inside).sum() / inside.sum().clamp(min=1)


def read_faces(folders: list[Path]) -> tuple[list[FaceRecord], list[FaceRecord]]:
    """Train and val faces of prepared folders.

    Raises:
        UncoverError: no folder has a manifest, or none has faces to train on.
    """
    prepared = [folder for folder in folders if not is_pseudo_labelled(folder)]
    records = [record for folder in prepared for record in read_manifest(folder)]
    train_faces = [r for r in records if r.split == "train"]
    if not train_faces:
        raise UncoverError("no photo is in the train split of the data given")
    val = sorted((r for r in records if r.split == "val"), key=lambda r: r.sha256)
    return train_faces, val


def train(
    settings: SegmenterSettings,
    folders: list[Path],
    out: Path,
    *,
    resume: bool = False,
    init: Path | None = None,
    max_minutes: float | None = None,
) -> int:
    """Run (or continue) a training and return the number of images seen.

    Raises:
        UncoverError: anything a user can mend.
    """
    end = deadline(max_minutes)
    device = start_torch(settings)

    # Network, its running average, optimiser.
    model = MaskSegmenter(settings.segmenter).to(device)
    ema = MaskSegmenter(settings.segmenter).to(device).requires_grad_(False).eval()
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=settings.rate, weight_decay=settings.weight_decay
    )
    run = RunState("segmenter", out, settings, model, ema, optimizer)
    run.begin(resume, init)

    # Data: crop i is a function of (seed, i).
    faces, val = read_faces(folders)
    side = settings.segmenter.resolution
    real = [face for folder in folders for face in read_real_masks(folder)]
    draws = MaskedCrops(faces, side, settings.crops, settings.images, settings.seed, real)
    loader = load_in_order(draws, settings, run.seen)
    val_crops = fixed_crops(val[: settings.eval_faces], side)
    notes = {"faces": len(faces), "val_faces": len(val), "real_masks": len(real)}

    def evaluate(seen: int) -> dict[str, float] | None:
        if not val_crops:
            return None
        draw_sheet(out / "sheets" / f"{seen:09d}.jpg", ema, val_crops[:24])
        return score_segmenter(ema, val_crops)

    # The loop.
    with Loop(
        run, model.parameters(), log_every=20, notes=notes, evaluate=evaluate, deadline=end
    ) as loop:
        for images, masks, points, valid in loader:
            loop.set_rate()
            batch = images.to(device, non_blocking=True).float().div_(127.5).sub_(1)
            target = masks.to(device, non_blocking=True).float().div_(255)
            counts = valid.to(device, non_blocking=True).float()
            with torch.autocast(device.type, torch.bfloat16, enabled=settings.precision == "bf16"):
                logits, found = model(batch)[:2]
            logits = logits.float()
            terms = {
                "mask": mask_loss(logits, target, counts, settings.missed, settings.thin),
                "overlap": overlap_loss(logits, target, counts, settings.missed),
                "points": points_loss(found, points.to(device)),
            }
            loss = terms["mask"] + settings.overlap * terms["overlap"]
            loss = loss + settings.points * terms["points"]
            if not loop.step(loss, terms, len(images)):
                break
    return run.seen


def main(argv: list[str] | None = None) -> int:
    """Entry point; returns the exit code."""
    return run_command(
        "training.segmenter", __doc__ or "", SegmenterSettings, train, "segmenter-compact", argv
    )
