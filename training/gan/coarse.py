"""The coarse stage's loop: plain L1 on small crops, before the fine stage and the discriminators.

Crops are drawn at twice the stage's side and averaged down, so that what it sees is what the whole
generator shows it later. Runs inside `python -m training.gan`, which keeps the result frozen.
"""

from __future__ import annotations

import copy
import sys
import time
from pathlib import Path

import torch
from accelerate import Accelerator
from torch import Tensor

from training.data import TrainingData, evaluation_set
from training.gan import losses
from training.gan.evaluate import val_scores
from training.gan.networks import update_ema
from training.gan.settings import GanSettings
from training.gan.teacher import agreement, teach
from training.run import (
    RunLog,
    SettingsError,
    Stopwatch,
    catch_interrupt,
    check_same,
    crossed,
    load_checkpoint,
    restore_rng,
    rng_state,
    save_checkpoint,
    schedule,
    to_dict,
)
from uncover.networks import PATCH, CoarseStage, shrink, to_network

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
        stage.parameters(), lr=own.rate, betas=(settings.beta, 0.99), fused=True
    )
    relevant = {k: to_dict(settings)[k] for k in ("seed", "coarse", "generator", "augment")}
    relevant |= {"balance": settings.balance, "favour": settings.favour}
    if init is not None:
        relevant["init"] = str(init)
    seen, past_minutes, checkpoint = 0, 0.0, folder / "checkpoint"
    if checkpoint.exists():
        state = load_checkpoint(checkpoint)
        check_same(state["settings"], relevant, f"{folder}, the coarse stage,")
        stage.load_state_dict(state["stage"])
        ema.load_state_dict(state["ema"])
        if teacher is not None:
            teacher.load_state_dict(state["teacher"])
        optimizer.load_state_dict(state["optimizer"])
        restore_rng(state["rng"])
        seen, past_minutes = state["seen"], state["minutes"]
    if seen >= own.images:
        stage.load_state_dict(ema.state_dict())
        return True

    seed, drawn_at = settings.seed + 1, side * DRAWN_AT
    loader = data.loader(drawn_at, own.images, seed, own.batch, seen, settings, accelerator)
    val_images, val_holes = evaluation_set(data.val, side, seed=0)
    val_known, val_hole = to_network(val_images, val_holes, device)
    log, interrupted = RunLog(folder, active=main), catch_interrupt()
    network, optimizer = accelerator.prepare(stage, optimizer)
    clock, counted, total, steps = time.monotonic(), 0, torch.zeros((), device=device), 0
    watch = Stopwatch(device)

    for batch in loader:
        known, hole, truth, valid = small_batch(batch, device)
        watch.lap("data")
        factor = schedule(seen, own.images, own.warmup, own.decay)
        for group in optimizer.param_groups:
            group["lr"] = own.rate * factor
        with accelerator.autocast():
            painted, _ = network(known, hole)
        loss = losses.masked_l1(painted.float(), truth, hole * valid)
        total += loss.detach()
        if teacher is not None:
            with accelerator.autocast():
                taught = teach(teacher, known, hole)
            pulled = agreement(painted.float(), taught, hole * valid)
            loss = (1 - own.taught) * loss + own.taught * pulled
        loss = loss + 0.1 * losses.masked_l1(painted.float(), truth, (1 - hole) * valid)
        optimizer.zero_grad(set_to_none=True)
        accelerator.backward(loss)
        optimizer.step()

        seen += len(known) * world
        counted, steps = counted + len(known) * world, steps + 1
        update_ema(ema, stage, settings.ema, seen / own.batch)
        watch.lap("network")
        last = seen + own.batch > own.images
        if crossed(seen, own.batch, 40 * own.batch) or last:
            now = time.monotonic()
            rates = {"rate": own.rate * factor, "per_second": counted / (now - clock)}
            rates |= watch.rates(counted)
            log.write("train", seen, {"hole": float(total) / steps, **rates})
            clock, counted, total, steps = now, 0, torch.zeros_like(total), 0
        if main and (crossed(seen, own.batch, own.eval_every) or last):
            paused = time.monotonic()
            with torch.no_grad():
                parts = zip(val_known.split(16), val_hole.split(16), strict=True)
                small = torch.cat([ema(k, h)[0] for k, h in parts])
            guess = ((small + 1) * 127.5).round().clamp(0, 255).byte()
            filled = guess.permute(0, 2, 3, 1).cpu().numpy()
            filled[~val_holes] = val_images[~val_holes]
            log.write("val", seen, val_scores(val_images, filled, val_holes, None))
            clock += time.monotonic() - paused
            watch.skip()
        late = max_minutes is not None and time.monotonic() - started > 60 * max_minutes
        stop = any_process(accelerator, late or interrupted())
        if main and (stop or last or crossed(seen, own.batch, own.eval_every)):
            state = {
                "settings": relevant,
                "seen": own.images if last else seen,
                "minutes": past_minutes + (time.monotonic() - started) / 60,
                "stage": stage.state_dict(),
                "ema": ema.state_dict(),
                "optimizer": optimizer.optimizer.state_dict(),
                "rng": rng_state(),
            }
            if teacher is not None:
                state["teacher"] = teacher.state_dict()
            save_checkpoint(checkpoint, state)
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
    truth = torch.nn.functional.avg_pool2d(image, DRAWN_AT)
    return known, hole, truth, -torch.nn.functional.max_pool2d(-valid, DRAWN_AT)


def any_process(accelerator: Accelerator, flag: bool) -> bool:
    """Whether any of the processes says so."""
    if accelerator.num_processes == 1:
        return flag
    tensor = torch.tensor([int(flag)], device=accelerator.device)
    return bool(accelerator.reduce(tensor, "sum").item())
