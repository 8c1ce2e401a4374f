"""`python -m training.segmenter`: trains the mask segmenter on faces with drawn masks.

--data names folders made by training.prepare and may be given several times. Train faces get a
new mask, a new frame and new light at every draw; the val faces are scored at every evaluation.
A folder made by training.pseudo may be among them: photos with real masks, to train on as well.
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.utils.data import DataLoader
from tqdm import tqdm

from training.masked_crops import CropSettings, MaskedCrops
from training.networks import update_ema
from training.pseudo import is_pseudo_labelled, read_real_masks
from training.runlog import RunLog
from training.runs import RunState, catch_interrupt, crossed, run_command, schedule
from training.segmenter_scores import fixed_crops, score_segmenter, write_sheet
from uncover.errors import UncoverError
from uncover.records import FaceRecord, read_manifest
from uncover.segmenter import MaskSegmenter, SegmenterConfig


@dataclass(frozen=True)
class SegmenterSettings:
    """All settings of `python -m training.segmenter`.

    images: length of the run; the rate warms up over `warmup` images and falls to zero over the
      last `decay` share. missed: how much worse a missed mask pixel is than a false one. thin: how
      much more a pixel of a strap counts than one of the mask's body.
    overlap, points: weights of the overlap loss and of the points' loss beside cross entropy.
    """

    seed: int = 0
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
    workers: int = 0
    threads: int = 0
    precision: str = "no"
    crops: CropSettings = field(default_factory=CropSettings)
    segmenter: SegmenterConfig = field(default_factory=SegmenterConfig)

    def __post_init__(self) -> None:
        if self.precision not in ("no", "bf16"):
            raise ValueError(f"precision must be no or bf16, not {self.precision!r}")
        if min(self.images, self.batch, self.eval_every, self.eval_faces, self.save_every) < 1:
            raise ValueError("images, batch, eval_every, eval_faces, save_every must be positive")
        if not 0 < self.decay <= 1:
            raise ValueError("decay must lie in 0..1")


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
    started = time.monotonic()
    if settings.threads:
        torch.set_num_threads(settings.threads)
    torch.manual_seed(settings.seed)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")

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
    loader = DataLoader(
        draws,
        batch_size=settings.batch,
        sampler=range(run.seen, settings.images),
        num_workers=settings.workers,
        pin_memory=device.type == "cuda",
        drop_last=True,
        persistent_workers=settings.workers > 0,
        generator=torch.Generator(),  # or else starting it would advance the global one
    )
    val_crops = fixed_crops(val[: settings.eval_faces], side)
    log = RunLog(out)
    interrupted = catch_interrupt()
    bar = tqdm(total=settings.images, initial=run.seen, unit="image", disable=None)

    # The loop.
    sums: dict[str, float] = {}
    counted, clock = 0, time.monotonic()
    model.train()
    for images, masks, points, valid in loader:
        factor = schedule(run.seen, settings.images, settings.warmup, settings.decay)
        for group in optimizer.param_groups:
            group["lr"] = settings.rate * factor
        batch = images.to(device, non_blocking=True).float().div_(127.5).sub_(1)
        target = masks.to(device, non_blocking=True).float().div_(255)
        counts = valid.to(device, non_blocking=True).float()
        with torch.autocast(device.type, torch.bfloat16, enabled=settings.precision == "bf16"):
            logits, found = model(batch)
        logits = logits.float()
        terms = {
            "mask": mask_loss(logits, target, counts, settings.missed, settings.thin),
            "overlap": overlap_loss(logits, target, counts, settings.missed),
            "points": points_loss(found, points.to(device)),
        }
        loss = terms["mask"] + settings.overlap * terms["overlap"]
        loss = loss + settings.points * terms["points"]
        if not torch.isfinite(loss):
            raise UncoverError(f"the loss is not a number after {run.seen} images: lower the rate")
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), settings.clip)
        optimizer.step()

        run.seen += len(images)
        counted += len(images)
        bar.update(len(images))
        update_ema(ema, model, settings.ema, run.seen / settings.batch)
        for name, value in terms.items():
            sums[name] = sums.get(name, 0.0) + float(value.detach()) * len(images)

        last = run.seen + settings.batch > settings.images
        if crossed(run.seen, settings.batch, 20 * settings.batch) or last:
            values = {name: value / counted for name, value in sums.items()}
            values["per_second"] = counted / (time.monotonic() - clock)
            log.write("train", run.seen, values)
            sums, counted, clock = {}, 0, time.monotonic()
        late = max_minutes is not None and time.monotonic() - started > 60 * max_minutes
        stop = late or interrupted()
        if crossed(run.seen, settings.batch, settings.save_every) or last or stop:
            run.save({"faces": len(faces), "val_faces": len(val), "real_masks": len(real)})
        if crossed(run.seen, settings.batch, settings.eval_every) or last:
            if val_crops:
                log.write("val", run.seen, score_segmenter(ema, val_crops))
                write_sheet(out / "sheets" / f"{run.seen:09d}.jpg", ema, val_crops[:24])
            sums, counted, clock = {}, 0, time.monotonic()
        if stop and not last:
            print(f"stopped after {run.seen} images; go on with --resume", file=sys.stderr)
            break
    bar.close()
    log.close()
    return run.seen


def main(argv: list[str] | None = None) -> int:
    """Entry point; returns the exit code."""
    return run_command(
        "training.segmenter", __doc__ or "", SegmenterSettings, train, "segmenter-compact", argv
    )


if __name__ == "__main__":
    sys.exit(main())
