"""`python -m training.detector`: trains the mask detector.

--data may be given several times. In each folder, and in the folders directly in it, every COCO
file NAME.json beside a folder NAME/ gives labelled photos (a set called "test" is never touched),
and every manifest.csv made by training.prepare gives bare aligned faces, some of which get a mask
drawn on and are set into scenes of every scale. A fixed part of the labelled photos, chosen by
file name, is kept out of training and scored at every evaluation.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset
from torchvision.models.detection._utils import BalancedPositiveNegativeSampler

from training.data import LabelledPhoto, find_labelled_sets, find_prepared_faces
from training.detector.scenes import SceneComposer, SceneSettings, masked_face
from training.detector.scores import draw_sheet, score_detector
from training.run import (
    Loop,
    LoopSettings,
    RunState,
    deadline,
    load_in_order,
    run_command,
    start_torch,
)
from uncover.errors import UncoverError
from uncover.networks import DetectorConfig, MaskDetector


@dataclass(frozen=True)
class DetectorSettings(LoopSettings):
    """All settings of `python -m training.detector`; see `LoopSettings` for the others.

    backbone_rate: factor on the rate for the pretrained part.
    pretrained, frozen: start from ImageNet weights; keep them fixed up to stride 4.
    rois, positive_rois: how many proposals of a picture the head learns from, and the largest
      share of them that may be faces: few of them, and it is too sure of itself.
    held_out, held_out_closeups: share of the photos kept for evaluation, of scenes and of the sets
      named in `closeups` (photos of one large face each).
    """

    images: int = 12_000
    batch: int = 8
    rate: float = 6e-4
    backbone_rate: float = 0.5
    weight_decay: float = 1e-3
    warmup: int = 800
    decay: float = 0.6
    clip: float = 5.0
    ema: float = 0.998
    pretrained: bool = True
    frozen: bool = True
    rois: int = 96
    positive_rois: float = 0.33
    held_out: float = 0.1
    held_out_closeups: float = 0.2
    closeups: tuple[str, ...] = ("real_masked",)
    max_faces: int = 6_000
    eval_every: int = 4_000
    eval_photos: int = 60
    save_every: int = 1_000
    scenes: SceneSettings = field(default_factory=SceneSettings)
    detector: DetectorConfig = field(default_factory=DetectorConfig)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.eval_photos < 1:
            raise ValueError("eval_photos must be positive")


@dataclass(frozen=True)
class DetectorData:
    """What the folders hold: for training, and for evaluation."""

    scenes: list[LabelledPhoto]
    closeups: list[LabelledPhoto]
    faces: list[tuple[Path, np.ndarray]]
    val_scenes: list[LabelledPhoto]
    val_closeups: list[LabelledPhoto]
    val_bare: list[Path]


def find_data(folders: list[Path], settings: DetectorSettings) -> DetectorData:
    """Looks through the folders by the rule in this module's description.

    Raises:
        UncoverError: nothing usable, or a broken COCO file or manifest.
    """
    data = DetectorData([], [], [], [], [], [])
    for root in folders:
        for found in find_labelled_sets(root):
            close = found.name in settings.closeups
            rest, held = found.split(settings.held_out_closeups if close else settings.held_out)
            (data.closeups if close else data.scenes).extend(rest)
            (data.val_closeups if close else data.val_scenes).extend(held)
        for record in find_prepared_faces(root):
            if record.split == "train":
                data.faces.append((record.file, record.landmarks))
            elif record.split == "val":
                data.val_bare.append(record.file)
    if not data.scenes and not data.closeups:
        raise UncoverError("no labelled photos found: --data needs NAME.json beside a folder NAME")
    order = np.random.default_rng(settings.seed).permutation(len(data.faces))
    data.faces[:] = [data.faces[i] for i in order[: settings.max_faces]]
    return data


class SceneDraws(Dataset):
    """Pictures by number: ((3, S, S) uint8, target); S is the same for a whole batch."""

    def __init__(self, composer: SceneComposer, settings: DetectorSettings) -> None:
        self.composer, self.settings = composer, settings

    def __len__(self) -> int:
        return self.settings.images

    def __getitem__(self, index: int) -> tuple[Tensor, dict[str, Tensor]]:
        sizes, batch = self.settings.scenes.sizes, index // self.settings.batch
        size = sizes[np.random.default_rng((self.settings.seed, 1, batch)).integers(len(sizes))]
        tile = self.composer.compose(index, size)
        image = torch.from_numpy(np.ascontiguousarray(tile.image.transpose(2, 0, 1)))
        return image, {
            "boxes": torch.from_numpy(tile.boxes),
            "labels": torch.from_numpy(tile.labels),
        }


def as_lists(
    batch: list[tuple[Tensor, dict[str, Tensor]]],
) -> tuple[list[Tensor], list[dict[str, Tensor]]]:
    """A batch as torchvision's detectors want it."""
    return [image for image, _ in batch], [target for _, target in batch]


def train(
    settings: DetectorSettings,
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
    model = MaskDetector(settings.detector, pretrained_backbone=settings.pretrained and not resume)
    if settings.frozen:
        model.net.backbone.freeze_stem()
    sampler = BalancedPositiveNegativeSampler(settings.rois, settings.positive_rois)
    model.net.roi_heads.fg_bg_sampler = sampler
    ema = MaskDetector(settings.detector).requires_grad_(False).eval()
    model, ema = model.to(device), ema.to(device)
    slow = [p for p in model.net.backbone.body.parameters() if p.requires_grad]
    known = {id(p) for p in slow}
    fast = [p for p in model.parameters() if p.requires_grad and id(p) not in known]
    optimizer = torch.optim.AdamW(
        [
            {"params": fast, "factor": 1.0},
            {"params": slow, "factor": settings.backbone_rate},
        ],
        lr=settings.rate,
        weight_decay=settings.weight_decay,
    )
    run = RunState("detector", out, settings, model, ema, optimizer)
    run.begin(resume, init)

    # Data: picture i is a function of (seed, i).
    data = find_data(folders, settings)
    composer = SceneComposer(
        data.scenes, data.closeups, data.faces, masked_face, settings.scenes, settings.seed
    )
    loader = load_in_order(SceneDraws(composer, settings), settings, run.seen, as_lists)
    notes = {
        "scenes": len(data.scenes),
        "closeups": len(data.closeups),
        "faces": len(data.faces),
        "held_out_scenes": len(data.val_scenes),
        "held_out_closeups": len(data.val_closeups),
    }

    def evaluate(seen: int) -> dict[str, float]:
        sheet = data.val_scenes[:12] + data.val_closeups[:12]
        draw_sheet(out / "sheets" / f"{seen:09d}.jpg", ema, sheet)
        limit = settings.eval_photos
        return score_detector(
            ema, data.val_scenes[:limit], data.val_closeups[:limit], data.val_bare[:limit]
        )

    # The loop.
    with Loop(run, fast + slow, log_every=25, notes=notes, evaluate=evaluate, deadline=end) as loop:
        for images, targets in loader:
            loop.set_rate()
            batch = [image.to(device, non_blocking=True).float() / 255 for image in images]
            truth = [{k: v.to(device, non_blocking=True) for k, v in t.items()} for t in targets]
            with torch.autocast(device.type, torch.bfloat16, enabled=settings.precision == "bf16"):
                terms = model.net(batch, truth)
            loss = sum(terms.values(), torch.zeros((), device=device))
            if not loop.step(loss, terms, len(batch)):
                break
    return run.seen


def main(argv: list[str] | None = None) -> int:
    """Entry point; returns the exit code."""
    return run_command(
        "training.detector", __doc__ or "", DetectorSettings, train, "detector-compact", argv
    )
