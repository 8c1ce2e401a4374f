"""Validation scores of a generator on fixed crops and holes, and the sheet one looks at."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import nn

from training.run import write_sheet
from uncover.images import psnr, ssim_map, tiled
from uncover.networks import to_network, to_pixels


@torch.no_grad()
def predict(model: nn.Module, images: np.ndarray, holes: np.ndarray, batch: int = 8) -> np.ndarray:
    """The filled crops, composited: uint8 (N, S, S, 3), known pixels untouched."""
    device = next(model.parameters()).device
    out = images.copy()
    for start in range(0, len(images), batch):
        part = slice(start, start + batch)
        known, hole = to_network(images[part], holes[part], device)
        painted = to_pixels(model(known, hole))
        out[part] = np.where(holes[part][..., None], painted, images[part])
    return out


@torch.no_grad()
def val_scores(
    images: np.ndarray, filled: np.ndarray, holes: np.ndarray, lpips: nn.Module | None
) -> dict[str, float]:
    """Mean hole PSNR in dB, whole-crop SSIM and, where a network is given, whole-crop LPIPS.

    images, filled: uint8 (N, S, S, 3). holes: bool (N, S, S).
    """
    decibels, similarity, distance = [], [], []
    for truth, guess, hole in zip(images, filled, holes, strict=True):
        decibels.append(psnr(guess[hole], truth[hole]))
        similarity.append(float(ssim_map(guess, truth).mean()))
        if lpips is not None:
            device = next(lpips.parameters()).device
            pair = torch.from_numpy(np.stack([guess, truth])).permute(0, 3, 1, 2).to(device)
            a, b = (pair.float() / 127.5 - 1).split(1)
            distance.append(float(lpips(a, b)))
    scores = {"psnr_hole": float(np.mean(decibels)), "ssim": float(np.mean(similarity))}
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
