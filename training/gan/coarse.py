"""The coarse stage's loop: small crops, before the fine stage and its discriminators.

By L1 alone it learns the mean of all faces that fit. With `coarse.critics` it has to please critics
on frozen features and on pixels, and commits to one face.

Crops are drawn at twice the stage's side and averaged down, so that what it sees is what the whole
generator shows it later. Runs inside `python -m training.gan`, which keeps the result frozen.
"""

from __future__ import annotations

import copy
import sys
import time
from collections import defaultdict
from pathlib import Path

import torch
import torch.nn.functional as F
from accelerate import Accelerator
from torch import Tensor

from training.data import TrainingData, evaluation_set
from training.gan import losses
from training.gan.against import Against
from training.gan.evaluate import draw_sheet, val_scores
from training.gan.networks import build_lpips
from training.gan.settings import CoarseSettings, GanSettings
from training.gan.stages import LearningStage, guess_loss
from training.gan.teacher import agreement, teach
from training.run import (
    Part,
    RunLog,
    RunState,
    SettingsError,
    Stopwatch,
    catch_interrupt,
    crossed,
    schedule,
    to_dict,
    update_ema,
)
from uncover.atomic import recovered
from uncover.faces import look_size
from uncover.networks import PATCH, CoarseStage, look_vector, shrink, to_network, to_pixels

DRAWN_AT = 2  # crops are drawn at this multiple of the stage's side


def train_coarse(
    stage: CoarseStage,
    settings: GanSettings,
    data: TrainingData,
    folder: Path,
    accelerator: Accelerator,
    max_minutes: float | None = None,
    init: Path | None = None,
) -> bool:
    """Train `stage` in place, or go on with what `folder` holds; True when it is finished.

    The finished stage carries the averaged weights. init: the run that `stage` was loaded from, if
    any; with `coarse.taught` it teaches. Raises UncoverError for other settings.
    """
    own, side = settings.coarse, settings.generator.resolution // PATCH
    if own.taught and init is None:
        raise SettingsError("coarse.taught needs --init: weights that have something to teach")
    started, world = time.monotonic(), accelerator.num_processes
    main, device = accelerator.is_main_process, accelerator.device
    stage.to(device)
    ema = copy.deepcopy(stage).requires_grad_(False).eval()
    teacher = copy.deepcopy(ema) if own.taught else None
    # Fused takes parameters and its own state by memory order: both are contiguous here.
    optimizer = torch.optim.Adam(
        stage.parameters(), lr=own.rate, betas=(own.beta, 0.99), fused=True
    )
    against = None
    if own.critics:
        told = 0 if stage.look is None else look_size(0)
        rates = {"rate": own.rate_d, "r1": own.r1, "r1_every": own.r1_every, "batch": own.batch}
        against = Against(device, seen_at=own.seen_at, told=told, **rates)
    lpips = None
    if own.perceptual:
        lpips = build_lpips().to(device, memory_format=torch.channels_last)
    relevant = {k: to_dict(settings)[k] for k in ("seed", "coarse", "generator", "augment")}
    relevant |= {k: to_dict(settings)[k] for k in ("balance", "sharp", "groups", "favour")}
    if init is not None:
        relevant["init"] = str(init)
    parts: dict[str, Part] = {}
    if against is not None:
        parts["critics"] = against
    if teacher is not None:
        parts["teacher"] = teacher
    run = RunState(None, folder, relevant, stage, ema, optimizer, parts, since=started)
    if recovered(run.checkpoint).exists():
        run.restore()
    seen = run.seen
    if seen >= own.images:
        stage.load_state_dict(ema.state_dict())
        return True

    seed, drawn_at = settings.seed + 1, side * DRAWN_AT
    loader = data.loader(drawn_at, own.images, seed, own.batch, seen, settings, accelerator)
    val_images, val_holes = evaluation_set(data.val, side, seed=0)
    val_known, val_hole = to_network(val_images, val_holes, device)
    log, interrupted = RunLog(folder, active=main), catch_interrupt()
    network, optimizer = accelerator.prepare(LearningStage(stage), optimizer)
    clock, counted, steps = time.monotonic(), 0, 0
    sums: defaultdict[str, float] = defaultdict(float)
    watch = Stopwatch(device)

    for batch in loader:
        known, hole, truth, valid = small_batch(batch, device)
        watch.lap("data")
        factor = schedule(seen, own.images, own.warmup, own.decay)
        for group in optimizer.param_groups:
            group["lr"] = own.rate * factor
        terms: dict[str, Tensor] = {}
        look = drawn_look(batch["look"].to(device), stage, own, seen)
        twice = round(own.varied * len(known)) if own.spread and stage.look is not None else 0
        if twice:  # the first crops a second time, with another latent
            other = drawn_look(batch["look"].to(device), stage, own, seen + 1, look)[:twice]
            look = torch.cat([look, other])
            known, hole, truth, valid = (
                torch.cat([each, each[:twice]]) for each in (known, hole, truth, valid)
            )
        with accelerator.autocast():
            painted, guess = network(known, hole, look)
        painted, asked = painted.float(), hole * valid
        error = each_l1(painted, truth, asked)
        if twice:
            error = nearer(error, twice)
            apart = each_l1(painted[:twice], painted[-twice:], asked[:twice])
            terms["apart"] = apart.mean()
            terms["spread"] = (own.spread_most - apart).clamp(min=0).mean()
        terms["hole"] = error.mean()
        loss = own.hole * terms["hole"] + own.spread * terms.get("spread", torch.zeros(()))
        if teacher is not None:
            with accelerator.autocast():
                taught = teach(teacher, known, hole)
            pulled = agreement(painted, taught, asked)
            loss = (1 - own.taught) * loss + own.taught * pulled
        loss = loss + own.known * losses.masked_l1(painted, truth, (1 - hole) * valid)
        if guess is not None:
            drawn = len(batch["image"])
            terms["guess"] = guess_loss(guess[:drawn], batch["look"].to(device))
            loss = loss + terms["guess"]
        real, fake = truth * valid, (painted * asked + truth * (1 - asked)) * valid
        if lpips is not None:
            pair = [F.interpolate(x, size=own.seen_at, mode="bilinear") for x in (fake, real)]
            with accelerator.autocast():
                distance = lpips(*pair).float().flatten()
            terms["perceptual"] = nearer(distance, twice).mean()
            loss = loss + own.perceptual * terms["perceptual"]
        if against is not None:
            told = told_properties(look)
            with accelerator.autocast():
                terms["d"] = against.learn(real, fake.detach(), asked, told, seen, factor)
                terms["g"] = against.judge(fake, asked, told)
            loss = loss + own.critics * terms["g"]
        optimizer.zero_grad(set_to_none=True)
        accelerator.backward(loss)
        optimizer.step()

        drawn = len(batch["image"]) * world
        seen, counted, steps = seen + drawn, counted + drawn, steps + 1
        for name, value in terms.items():
            sums[name] += float(value.detach())
        update_ema(ema, stage, own.ema, seen / own.batch)
        watch.lap("network")
        last = seen + own.batch > own.images
        if crossed(seen, own.batch, 40 * own.batch) or last:
            now = time.monotonic()
            rates = {"rate": own.rate * factor, "per_second": counted / (now - clock)}
            rates |= watch.rates(counted)
            log.write("train", seen, {k: v / steps for k, v in sums.items()} | rates)
            clock, counted, steps = now, 0, 0
            sums.clear()
        if main and (crossed(seen, own.batch, own.eval_every) or last):
            paused = time.monotonic()
            with torch.no_grad():
                chunks = zip(val_known.split(16), val_hole.split(16), strict=True)
                small = torch.cat([ema(k, h)[0] for k, h in chunks])
            filled = to_pixels(small)
            filled[~val_holes] = val_images[~val_holes]
            log.write("val", seen, val_scores(val_images, filled, val_holes, None))
            draw_sheet(folder / "sheets" / f"{seen:09d}.png", val_images, filled, val_holes)
            clock += time.monotonic() - paused
            watch.skip()
        late = max_minutes is not None and time.monotonic() - started > 60 * max_minutes
        stop = any_process(accelerator, late or interrupted())
        if main and (stop or last or crossed(seen, own.batch, own.eval_every)):
            run.seen = own.images if last else seen
            run.save({})
            watch.skip()
        if last:
            break
        if stop:
            if main:
                print(f"stopped at {seen} coarse images; go on with --resume", file=sys.stderr)
            log.close()
            return False
    log.close()
    accelerator.wait_for_everyone()
    stage.load_state_dict(ema.state_dict())
    return True


def small_batch(
    batch: dict[str, Tensor], device: torch.device
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """What the stage sees of crops drawn at `DRAWN_AT` times its side: the known pixels
    (B, 3, side, side) in -1..1, the hole (B, 1, ...), the true crop, and where it lies in a photo.
    """
    image = batch["image"].to(device, non_blocking=True).float().div_(127.5).sub_(1)
    mask, valid = (batch[k].to(device, non_blocking=True).float() for k in ("hole", "valid"))
    known, hole = shrink(image * (1 - mask), mask, DRAWN_AT)
    truth = F.avg_pool2d(image, DRAWN_AT)
    return known, hole, truth, -F.max_pool2d(-valid, DRAWN_AT)


def each_l1(a: Tensor, b: Tensor, mask: Tensor) -> Tensor:
    """(B,): mean absolute difference of each crop over the pixels of its mask."""
    difference = (a - b).abs().mean(1, keepdim=True) * mask
    return difference.sum((1, 2, 3)) / mask.sum((1, 2, 3)).clamp(min=1)


def nearer(error: Tensor, twice: int) -> Tensor:
    """(B,) from errors (B + twice,) of which the last are second answers to the first crops: of two
    answers, the smaller error."""
    if not twice:
        return error
    return torch.cat([torch.minimum(error[:twice], error[-twice:]), error[twice:-twice]])


def drawn_look(
    properties: Tensor,
    stage: CoarseStage,
    own: CoarseSettings,
    number: int,
    like: Tensor | None = None,
) -> Tensor | None:
    """Look vectors of a batch: each property told in a share `asked` of the crops, and a latent
    that is zero, the best guess, for a third of them. None for a stage that takes no look.

    properties: (B, 3). number: fixes the draw. like: take its properties, with a new latent.
    """
    if stage.look is None:
        return None
    drawn = torch.Generator().manual_seed(number)
    count, latent = len(properties), stage.look.latent
    told = torch.rand(count, properties.shape[1], generator=drawn) < own.asked
    z = torch.randn(count, latent, generator=drawn)
    if like is not None:
        return torch.cat([like[:, : like.shape[1] - latent], z.to(like.device)], dim=1)
    z = z * (torch.arange(count) % 3 > 0).float()[:, None]
    device = properties.device
    known = torch.where(told.to(device), properties, torch.nan)
    return look_vector(known, z.to(device))


def told_properties(look: Tensor | None) -> Tensor | None:
    """The part of look vectors that critics hear: what was asked for, without the latent."""
    return None if look is None else look[:, : look_size(0)]


def any_process(accelerator: Accelerator, flag: bool) -> bool:
    """Whether any of the processes says so."""
    if accelerator.num_processes == 1:
        return flag
    tensor = torch.tensor([int(flag)], device=accelerator.device)
    return bool(accelerator.reduce(tensor, "sum").item())
