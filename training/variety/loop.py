"""`python -m training.variety`: gives a finished generator several answers to one face.

Trains `uncover.networks.variety` as the decoder of a conditional variational autoencoder (Kingma
& Welling 2014, arXiv:1312.6114; Sohn, Lee & Yan 2015): an encoder sees the true face and says in
a few noisy numbers what the known pixels leave open; the decoder must paint the truth from them,
on crops of a quarter of the size. The less the numbers may say (`kl`), the more each stands for
something that another face could have as well. The encoder is not kept. Everything else in the
generator is frozen, so the best guess stays what it was, byte for byte.

--init names the generator: weights, or the run that made them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from accelerate import Accelerator
from torch import Tensor, nn

from training.data import AugmentSettings, Source, evaluation_set, open_data
from training.gan import DRAWN_AT, build_lpips, losses, small_batch
from training.run import (
    Loop,
    LoopSettings,
    RunState,
    deadline,
    run_command,
    start_torch,
    write_sheet,
)
from uncover.errors import UncoverError
from uncover.networks import PATCH, Generator, shrink, to_network
from uncover.weights import load_component, read_config, save_component

WIDTHS = (32, 64, 96, 128)  # of the encoder


@dataclass(frozen=True)
class VarietySettings(LoopSettings):
    """All settings of `python -m training.variety`; see `LoopSettings` for the others.

    latent, width: of the layers to train, as `GeneratorConfig`'s latent and variety_width.
    kl: weight of the Kullback-Leibler divergence from a standard normal, in nats, beside the L1
      error on missing pixels. It and the noise on what the encoder says come in over the second
      half of the first `kl_warmup` images: with either from the start the decoder never learns to
      listen.
    free: nats that each number may say at no cost (Kingma et al. 2016, arXiv:1606.04934).
    balance, sharp, groups, favour, mask_variety, augment: which faces and holes are drawn, as for
      `training.gan`.
    """

    images: int = 40_000
    batch: int = 16
    rate: float = 1e-3
    weight_decay: float = 0.0
    warmup: int = 800
    decay: float = 0.6
    ema: float = 0.995
    eval_every: int = 8_000
    eval_faces: int = 32
    save_every: int = 4_000
    latent: int = 16
    width: int = 64
    kl: float = 1e-4
    kl_warmup: int = 6_000
    free: float = 0.5
    balance: float = 0.5
    sharp: float = 0.0
    groups: float = 0.0
    favour: dict[str, float] = field(default_factory=dict)
    mask_variety: bool = True
    augment: AugmentSettings = field(default_factory=AugmentSettings)

    def __post_init__(self) -> None:
        super().__post_init__()
        if min(self.latent, self.width, self.eval_faces) < 1 or min(self.kl, self.free) < 0:
            raise ValueError("latent, width, eval_faces must be positive, kl and free not negative")


class Autoencoder(nn.Module):
    """A generator whose variety learns, and the encoder that teaches it."""

    def __init__(self, generator: Generator) -> None:
        super().__init__()
        self.generator, self.config = generator, generator.config
        widths = (7, *WIDTHS)
        pairs = list(zip(widths, WIDTHS, strict=False))
        self.layers = nn.ModuleList(nn.Conv2d(a, b, 4, stride=2, padding=1) for a, b in pairs)
        self.norms = nn.ModuleList(nn.GroupNorm(8, b) for b in WIDTHS)
        left = self.config.resolution // PATCH >> len(WIDTHS)
        if left < 1:
            raise UncoverError(f"a generator of {self.config.resolution} px is too small for this")
        self.told = nn.Linear(WIDTHS[-1] * left**2, 2 * self.config.latent)
        with torch.no_grad():  # the log variances: little noise at first
            self.told.bias[self.config.latent :] = -3.0

    def learning(self) -> list[nn.Parameter]:
        """What is trained; everything else is frozen."""
        self.generator.requires_grad_(False).eval()
        assert self.generator.variety is not None
        self.generator.variety.requires_grad_(True)
        return [p for p in self.parameters() if p.requires_grad]

    def train(self, mode: bool = True) -> Autoencoder:
        """As for any module, but what is frozen keeps the statistics of its norms as well."""
        super().train(mode)
        self.generator.eval()
        return self

    def tell(self, truth: Tensor, small: Tensor, hole: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log variance, (B, latent) each, of what the true crop (B, 3, s, s) says."""
        h = torch.cat([truth * hole, small * hole, hole], dim=1)
        for layer, norm in zip(self.layers, self.norms, strict=True):
            h = F.silu(norm(layer(h)))
        mean, log_variance = self.told(h.flatten(1)).chunk(2, dim=1)
        return mean, log_variance.clamp(-8, 2)

    def forward(
        self, known: Tensor, hole: Tensor, truth: Tensor, noise: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """The small crop painted from what the encoder tells, with `noise` (B, latent) or without,
        and the divergence of each number in nats, (latent,), mean over B."""
        coarse, variety = self.generator.coarse, self.generator.variety
        assert coarse is not None
        assert variety is not None
        with torch.no_grad():
            base, h = coarse.begin(known, hole)
            small, _ = coarse.paint(base, h)
        mean, log_variance = self.tell(truth, small, hole)
        z = mean if noise is None else mean + noise * (log_variance / 2).exp()
        painted, _ = coarse.paint(base, h + variety(h, small, hole, z))
        divergence = 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance)
        return painted, divergence.mean(0)


class VarietyRun(RunState):
    """A run whose weights are the whole generator's."""

    base_training: dict[str, Any]

    def write_weights(self, training: dict[str, Any]) -> None:
        """RUN/weights: the generator alone; what made it stays told beside what this run did."""
        network = self.ema.generator
        told = {**self.base_training, "variety": training}
        save_component(self.folder / "weights", "generator", network, network.config, training=told)


def with_variety(folder: Path, settings: VarietySettings) -> tuple[Generator, dict[str, Any]]:
    """The generator of `folder`, with new layers for a latent vector; and how it was trained.

    Raises:
        UncoverError: no such weights, or a generator without a coarse stage.
    """
    folder = folder / "weights" if (folder / "weights").is_dir() else folder
    found = load_component(folder, "generator")
    if not isinstance(found, Generator) or found.coarse is None:
        raise UncoverError(f"--init {folder}: this generator has no coarse stage to vary")
    config = replace(found.config, latent=settings.latent, variety_width=settings.width)
    network = Generator(config)
    new = {k: v for k, v in network.state_dict().items() if k.startswith("variety.")}
    old = {k: v for k, v in found.state_dict().items() if not k.startswith("variety.")}
    network.load_state_dict(old | new, strict=True)
    return network, dict(read_config(folder).components["generator"].training or {})


def train(
    settings: VarietySettings,
    data: Sequence[Source],
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
    if init is None:
        raise UncoverError("--init is needed, also with --resume: the generator to start from")

    # Networks, their running average, optimiser.
    generator, told = with_variety(init, settings)
    model = Autoencoder(generator).to(device)
    ema = Autoencoder(Generator(generator.config)).to(device).requires_grad_(False).eval()
    learning = model.learning()
    optimizer = torch.optim.AdamW(
        learning, lr=settings.rate, betas=(0.9, 0.99), weight_decay=settings.weight_decay
    )
    run = VarietyRun("generator", out, settings, model, ema, optimizer)
    run.base_training = told
    run.begin(resume, None)

    # Data: draw i is a function of (seed, i).
    side = generator.config.resolution // PATCH
    faces = open_data(data, generator.config.resolution, settings.eval_faces, progress=True)
    loader = faces.loader(
        side * DRAWN_AT, settings.images, settings.seed, settings.batch, run.seen, settings,
        Accelerator(cpu=device.type == "cpu"),
    )  # fmt: skip
    images, holes = evaluation_set(faces.val, generator.config.resolution, seed=0)
    lpips = build_lpips(required=False)

    def evaluate(seen: int) -> dict[str, float] | None:
        sheet = out / "sheets" / f"{seen:09d}.jpg"
        scores = told_and_untold(ema, images, holes, device)
        return scores | sample_spread(ema.generator, images, holes, lpips, sheet)

    # The loop.
    notes = dict(faces.summary)
    with Loop(run, learning, log_every=40, notes=notes, evaluate=evaluate, deadline=end) as loop:
        for batch in loader:
            loop.set_rate()
            known, hole, truth, valid = small_batch(batch, device)
            share = min(1.0, max(0.0, 2 * run.seen / max(1, settings.kl_warmup) - 1))
            drawn = torch.Generator().manual_seed(hash((settings.seed, run.seen)) % 2**63)
            noise = torch.randn(len(known), settings.latent, generator=drawn).to(device)
            with torch.autocast(device.type, torch.bfloat16, enabled=settings.precision == "bf16"):
                painted, divergence = model(known, hole, truth, share * noise)
            terms = {
                "hole": losses.masked_l1(painted.float(), truth, hole * valid),
                "nats": divergence.float().sum(),
            }
            cost = divergence.float().clamp(min=settings.free).sum()
            loss = terms["hole"] + settings.kl * share * cost
            if not loop.step(loss, terms, len(known)):
                break
    return run.seen


@torch.no_grad()
def told_and_untold(
    model: Autoencoder, images: np.ndarray, holes: np.ndarray, device: torch.device
) -> dict[str, float]:
    """Error on the missing pixels of the small crops, L1 in units of -1..1: of the best guess, of
    what the encoder's mean paints, and of a random answer.

    images: uint8 (N, S, S, 3). holes: bool (N, S, S).
    """
    known, hole = shrink(*to_network(images, holes, device), PATCH)
    truth = F.avg_pool2d(to_network(images, np.zeros_like(holes), device)[0], PATCH)
    coarse, variety = model.generator.coarse, model.generator.variety
    base, h = coarse.begin(known, hole)
    small, _ = coarse.paint(base, h)
    fixed = torch.Generator().manual_seed(0)
    z = torch.randn(len(known), model.config.latent, generator=fixed).to(device)
    drawn, _ = coarse.paint(base, h + variety(h, small, hole, z))
    told, _ = model(known, hole, truth, None)
    painted = {"best": small, "told": told, "drawn": drawn}
    return {k: float(losses.masked_l1(v, truth, hole)) for k, v in painted.items()}


@torch.no_grad()
def sample_spread(
    model: Generator,
    images: np.ndarray,
    holes: np.ndarray,
    lpips: nn.Module | None,
    sheet: Path,
    faces: int = 16,
    count: int = 4,
) -> dict[str, float]:
    """Mean LPIPS between the pasted samples of a crop, all pairs, and a sheet of the samples.

    images: uint8 (N, S, S, 3). holes: bool (N, S, S). The first sample is the best guess.
    """
    images, holes = images[:faces], holes[:faces]
    parts = [slice(start, start + 4) for start in range(0, len(images), 4)]
    filled = np.concatenate([model.sample(images[p], holes[p], count) for p in parts], axis=1)
    filled = np.where(holes[None, ..., None], filled, images[None])
    columns = min(8, len(images))
    write_sheet(sheet, [tile for each in (*filled, images) for tile in each[:columns]], columns)
    if lpips is None:
        return {}
    planes = torch.from_numpy(filled).movedim(-1, 2)
    apart = [
        float(lpips(planes[i].float() / 127.5 - 1, planes[j].float() / 127.5 - 1).mean())
        for i in range(count)
        for j in range(i)
    ]
    return {"spread": float(np.mean(apart))}


def main(argv: list[str] | None = None) -> int:
    """Entry point; returns the exit code."""
    return run_command(
        "training.variety", __doc__ or "", VarietySettings, train, "variety", argv, faces=True
    )
