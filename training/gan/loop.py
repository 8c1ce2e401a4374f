"""`python -m training.gan`: trains the generator against the two discriminators.

The loop reads from top to bottom. Every draw, step and score is a function of the settings, so a
resumed run continues bit-exactly on a CPU. Several processes: `accelerate launch -m training.gan`.
"""

from __future__ import annotations

import sys
import time
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import torch
import torch.nn.functional as F
from accelerate import Accelerator
from torch import Tensor, nn

from training.data import Source, evaluation_set, open_data
from training.gan import losses
from training.gan.against import Against
from training.gan.coarse import any_process, drawn_look, told_properties, train_coarse
from training.gan.discriminators import (
    PatchDiscriminator,
    cut_windows,
    hole_windows,
    native_windows,
)
from training.gan.evaluate import draw_sheet, predict, val_scores
from training.gan.networks import (
    build_generator,
    build_lpips,
    component_name,
    fingerprints,
    learning_groups,
    start_from,
    teacher_of,
)
from training.gan.pair import DiscriminatorPair, Seen
from training.gan.settings import GanSettings
from training.gan.stages import BothStages, Painting, faithful, guess_loss, same_layout
from training.run import (
    RunLog,
    RunState,
    SettingsError,
    Stopwatch,
    catch_interrupt,
    crossed,
    run_command,
    schedule,
    update_ema,
)
from uncover.atomic import recovered
from uncover.errors import UncoverError
from uncover.faces import look_size

SEEN = 128  # side of the window that critics on frozen features see


def train(
    settings: GanSettings,
    data: list[Source],
    out: Path,
    *,
    resume: bool = False,
    init: Path | None = None,
    max_minutes: float | None = None,
) -> int:
    """Run (or continue) a training and return the number of images seen.

    data: folders made by training.prepare, or folders or URLs of shards. out: the run folder. init:
    another run folder whose weights (not schedule) both stages start from. Raises UncoverError for
    anything a user can mend.
    """
    started = time.monotonic()
    if settings.threads:
        torch.set_num_threads(settings.threads)
    torch.manual_seed(settings.seed)
    accelerator = Accelerator(mixed_precision=settings.precision)
    world, main = accelerator.num_processes, accelerator.is_main_process
    rank, device, weights = accelerator.process_index, accelerator.device, settings.losses
    checkpoint = out / "checkpoint"
    begun = any(recovered(each).exists() for each in (checkpoint, out / "coarse" / "checkpoint"))
    if begun and not resume:
        raise UncoverError(f"{out} holds a run: continue it with --resume, or name another --out")

    # Networks, the averaged copy of the generator, optimisers.
    g, ema = build_generator(settings), build_generator(settings)
    layout = torch.channels_last if settings.channels_last else torch.contiguous_format
    lpips = None
    if weights.perceptual:
        lpips = build_lpips().to(device, memory_format=layout)
    # Scores use LPIPS where its network is at hand, whether or not it is a loss.
    judge = lpips if lpips is not None else build_lpips(required=False)

    side = settings.generator.resolution
    faces = open_data(data, side, settings.eval_faces, progress=main)
    critics = nn.ModuleDict()
    if weights.adversarial_global or weights.matching:
        critics["global"] = PatchDiscriminator(settings.d_global)
    if weights.adversarial_local:
        critics["local"] = PatchDiscriminator(settings.d_local)
    if init is not None:
        start_from(init, settings, g, critics)
    stage = getattr(g, "coarse", None)
    if stage is not None and settings.coarse.images:
        if settings.coarse.frozen:
            if init is None and not checkpoint.exists():
                raise SettingsError("coarse.frozen needs --init RUN: a run to take the stage from")
        elif not checkpoint.exists() and not train_coarse(
            stage, settings, faces, out / "coarse", accelerator, max_minutes, init
        ):
            return 0
        stage.requires_grad_(settings.coarse.tune > 0).eval()
    ema.load_state_dict(g.state_dict())
    ema.requires_grad_(False).eval().to(device)
    g, critics = g.to(memory_format=layout), critics.to(memory_format=layout)
    optim_g = torch.optim.Adam(
        learning_groups(g, settings), lr=settings.rate, betas=(settings.beta, 0.99)
    )
    optim_d = torch.optim.Adam(
        critics.parameters() if len(critics) else [nn.Parameter(torch.zeros(1))],
        lr=settings.rate_d,
        betas=(0.0, 0.99),
    )

    teacher = teacher_of(out, init, main).to(device) if weights.layout else None

    # Stages that learn together, told how faces shall look.
    together = bool(settings.coarse.tune) and getattr(stage, "look", None) is not None
    against: dict[str, Against] = {}
    pace = settings.batch * world
    for name in ("features", "whole"):
        if not getattr(weights, name):
            continue
        rates = {"rate": settings.rate_d, "r1": weights.features_r1, "r1_every": weights.r1_every}
        heard = look_size(0) if together else 0
        against[name] = Against(device, seen_at=SEEN, told=heard, batch=pace, **rates)

    # State: images seen, or what a checkpoint holds.
    parts = {"critics": critics, "optim_d": optim_d}
    parts |= {f"against_{name}": each for name, each in against.items()}
    run = RunState(component_name(settings), out, settings, g, ema, optim_g, parts, since=started)
    if resume and (checkpoint.exists() or not begun):
        run.restore()
    # Where the fine stage starts from is asked for by losses, or drawn.
    begun_from = settings.architecture == "unet" and bool(settings.from_truth or weights.faithful)
    learning = BothStages(g) if together else Painting(g) if begun_from else g
    network, optim_g = accelerator.prepare(learning, optim_g)
    optim_d = accelerator.prepare(optim_d)
    pair = DiscriminatorPair(critics, optim_d, settings, accelerator)

    # Data: every draw is a function of (seed, number); numbers are dealt to the processes.
    seen = run.seen
    loader = faces.loader(
        side, settings.images, settings.seed, settings.batch, seen, settings, accelerator
    )
    val_images, val_holes = evaluation_set(faces.val, side, seed=0)
    log, interrupted = RunLog(out, active=main), catch_interrupt()
    if main:
        run.write_settings()
        run.write_notes("data", faces.summary)

    def evaluate() -> None:
        if not main:
            return
        filled = predict(ema, val_images, val_holes)
        log.write("val", seen, val_scores(val_images, filled, val_holes, judge))
        sheet = out / "sheets" / f"{seen:09d}.png"
        draw_sheet(sheet, val_images, filled, val_holes)

    sums: defaultdict[str, list[Tensor]] = defaultdict(list)
    counted, clock, watch = 0, time.monotonic(), Stopwatch(device)

    # The loop.
    for batch in loader:
        real = batch["image"].to(device, non_blocking=True).float().div_(127.5).sub_(1)
        hole = batch["hole"].to(device, non_blocking=True).float()
        valid = batch["valid"].to(device, non_blocking=True).float()
        real, known = real.contiguous(memory_format=layout), real * (1 - hole)
        watch.lap("data")
        factor = schedule(seen, settings.images, settings.warmup, settings.decay)
        for group in optim_g.param_groups:
            group["lr"] = settings.rate * factor * group.get("share", 1.0)
        for group in optim_d.param_groups:
            group["lr"] = settings.rate_d * factor
        terms: dict[str, Tensor] = {}

        true = round(settings.from_truth * len(real)) if begun_from else len(real)
        look = None
        if together or begun_from:
            look = drawn_look(batch["look"].to(device), g.coarse, settings.coarse, seen)
        with accelerator.autocast():
            if together:
                painted, guess = network(known, hole, look)
            elif begun_from:
                painted, base = network(known, hole, look, real, true)
            else:
                painted = network(known, hole)
            if teacher is not None:
                with torch.no_grad():
                    taught = teacher(known, hole)
        painted, hole = painted.float(), hole * valid  # beyond the photo there is no truth
        pasted = painted * hole + real * (1 - hole) if settings.composite else painted
        told = hole if settings.follow else torch.zeros_like(hole)
        judged = pasted  # what the critics judge; of the mouth they may have less to say
        if weights.mouth < 1:
            mouth = batch["mouth"].to(device, non_blocking=True).float() / 255
            judged = losses.heard_less(pasted, mouth, weights.mouth)
        watch.lap("generator")

        shown = Seen(real, judged, told, valid)
        if pair.acts(seen):
            terms |= pair.learn(replace(shown, pasted=pasted.detach()), seen)
            watch.lap("discriminators")

        # Generator.
        pixel = losses.masked_l1 if weights.pixel == "l1" else losses.masked_l2
        terms["known"] = pixel(painted, real, (1 - hole) * valid)
        terms["hole"] = pixel(painted[:true], real[:true], hole[:true])
        loss_g = weights.known * terms["known"] + weights.hole * terms["hole"]
        if together:
            terms["guess"] = guess_loss(guess, batch["look"].to(device))
            loss_g = loss_g + terms["guess"]
        if weights.faithful:
            terms["faithful"] = faithful(painted, base.float(), hole)
            loss_g = loss_g + weights.faithful * terms["faithful"]
        if teacher is not None:
            terms["layout"] = same_layout(painted, taught.float(), hole)
            loss_g = loss_g + weights.layout * terms["layout"]
        if weights.perceptual and true:
            compared = [(each * valid)[:true] for each in (pasted, real)]
            if weights.window and (seen // settings.batch) % 2:
                compared = native_windows(compared, hole[:true], weights.window, seed=seen + rank)
            elif weights.window:
                windows = hole_windows(hole[:true], margin=1.15)
                compared = [cut_windows(x, windows, weights.window) for x in compared]
            terms["perceptual"] = losses.perceptual(lpips, *compared)
            loss_g = loss_g + weights.perceptual * terms["perceptual"]
        if against:  # they learn from what was painted, then judge it; in turn where two sets are
            turn, round_ = (seen // pace) % len(against), seen // pace // len(against)
            name = list(against)[turn]
            views = [real * valid, judged * valid, hole]
            if name == "whole":
                views = [F.interpolate(view, size=SEEN, mode="area") for view in views]
            else:
                views = native_windows(views, hole, SEEN, seed=seen + rank)
            with accelerator.autocast():
                learned_from = [views[0], views[1].detach(), views[2]]
                asked = told_properties(look) if together else None
                terms[f"d_{name}"] = against[name].learn(
                    *learned_from, asked, round_ * pace, factor
                )
                terms[f"g_{name}"] = against[name].judge(*views[1:], asked)
            loss_g = loss_g + getattr(weights, name) * terms[f"g_{name}"]
        if pair.acts(seen):
            said, by_name = pair.judge(shown, seen)
            loss_g, terms = loss_g + said, terms | by_name
        watch.lap("losses")
        optim_g.zero_grad(set_to_none=True)
        if not torch.isfinite(loss_g):
            raise UncoverError(f"the loss is not a number after {seen} images: lower the rate")
        accelerator.backward(loss_g)
        optim_g.step()

        seen = run.seen = seen + real.shape[0] * world
        counted += real.shape[0] * world
        update_ema(ema, g, settings.ema, seen / settings.batch)
        for name, value in terms.items():
            sums[name].append(value.detach())
        watch.lap("backward")

        last = seen + settings.batch > settings.images
        if crossed(seen, settings.batch, 20 * settings.batch) or last:
            now = time.monotonic()
            values = {k: float(torch.stack(v).mean()) for k, v in sums.items()}
            values |= {"rate": settings.rate * factor, "per_second": counted / (now - clock)}
            log.write("train", seen, values | watch.rates(counted))
            counted, clock = 0, now
            sums.clear()
        if crossed(seen, settings.batch, settings.eval_every) or last:
            evaluate()
            clock, counted = time.monotonic(), 0
            sums.clear()
            watch.restart()
        late = max_minutes is not None and time.monotonic() - started > 60 * max_minutes
        stop = any_process(accelerator, late or interrupted())
        if crossed(seen, settings.batch, settings.save_every) or last or stop:
            prints = fingerprints(accelerator, [g, ema, *critics.values()])
            if main:
                run.save({}, fingerprints=prints)
            watch.skip()
        if stop:
            if main:
                print(f"stopped after {seen} images; go on with --resume", file=sys.stderr)
            break
    log.close()
    accelerator.wait_for_everyone()
    accelerator.end_training()
    return seen


def main(argv: list[str] | None = None) -> int:
    """Entry point; returns the exit code."""
    return run_command("training.gan", __doc__, GanSettings, train, "compact", argv, faces=True)
