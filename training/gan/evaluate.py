"""Validation scores of a generator on fixed crops and holes, and the sheet one looks at."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import nn
from torchmetrics.functional.image import structural_similarity_index_measure as ssim

from training.run import write_sheet
from uncover.images import tiled
from uncover.networks import to_network


@torch.no_grad()
def predict(model: nn.Module, images: np.ndarray, holes: np.ndarray, batch: int = 8) -> np.ndarray:
    """The filled crops, composited: uint8 (N, S, S, 3), known pixels untouched."""
    device = next(model.parameters()).device
    out = images.copy()
    for start in range(0, len(images), batch):
        part = slice(start, start + batch)
        known, hole = to_network(images[part], holes[part], device)
        painted = ((model(known, hole).float() + 1) * 127.5).round().clamp(0, 255).byte()
        painted_rgb = painted.permute(0, 2, 3, 1).cpu().numpy()
        out[part] = np.where(holes[part][..., None], painted_rgb, images[part])
    return out


@torch.no_grad()
def val_scores(
    images: np.ndarray, filled: np.ndarray, holes: np.ndarray, lpips: nn.Module | None
) -> dict[str, float]:
    """Mean hole PSNR in dB, whole-crop SSIM and, where a network is given, whole-crop LPIPS.

    images, filled: uint8 (N, S, S, 3). holes: bool (N, S, S).
    """
    psnr, similarity, distance = [], [], []
    for truth, guess, hole in zip(images, filled, holes, strict=True):
        error = (truth[hole].astype(np.float64) - guess[hole]) ** 2
        psnr.append(10 * np.log10(255**2 / max(float(error.mean()), 1e-3)))
        a, b = (torch.from_numpy(x).permute(2, 0, 1)[None].float() / 255 for x in (truth, guess))
        similarity.append(float(ssim(b, a, data_range=1.0)))
        if lpips is not None:
            device = next(lpips.parameters()).device
            distance.append(float(lpips((b * 2 - 1).to(device), (a * 2 - 1).to(device))))
    scores = {"psnr_hole": float(np.mean(psnr)), "ssim": float(np.mean(similarity))}
    if distance:
        scores["lpips"] = float(np.mean(distance))
    return scores


def draw_sheet(
    path: Path, images: np.ndarray, filled: np.ndarray, holes: np.ndarray, columns: int = 8
) -> None:
    """A contact sheet, hole over guess over truth of the first faces; for the run folder only."""
    shown = np.where(holes[..., None], np.uint8(128), images)
    faces = range(min(len(images), 3 * columns))
    tiles = [tiled([shown[i], filled[i], images[i]], columns=1) for i in faces]
    write_sheet(path, [np.pad(tile, ((0, 8), (0, 0), (0, 0))) for tile in tiles], columns)
