"""`python -m training.enlarger`: teaches `uncover.networks.Enlarger` on a finished generator.

--init names the generator: weights, or the run that made them; where the weights hold an enlarger
of the same shape, the run starts from that. --data names folders made by training.prepare, of which
only faces with enough photo pixels count.

The generator is frozen. Half of every batch starts from the true crop, shrunk and enlarged again:
there the photo is the one right answer, and L1 and LPIPS may ask for it. The other half starts from
the generator's own answer: there critics judge the result, and an L1 on means of 4 x 4 pixels holds
it to what was painted. The stage sees windows of the crop at its own resolution, no whole crops:
detail is a local matter, and a step costs a seventh.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from training.data import AugmentSettings, evaluation_set, store_face
from training.enlarger.draws import LargeFaceDraws, large_faces
from training.enlarger.scores import detail_scores, draw_sheet, enlarged_answers
from training.gan import (
    Against,
    CoarseSettings,
    build_lpips,
    drawn_look,
    faithful,
    losses,
    native_windows,
)
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
from uncover.networks import ENLARGED, Enlarger, EnlargerConfig, Generator, fold
from uncover.weights import load_component, read_config

SEEN = 128  # side of the window that the critics see
LOOKS = CoarseSettings()  # how often the answers are told a look


@dataclass(frozen=True)
class EnlargerSettings(LoopSettings):
    """All settings of `python -m training.enlarger`; see `LoopSettings` for the others.

    beta: the first Adam coefficient. rate_d, r1, r1_every: the critics' rate, and the gradient
      penalty of their pixel critic, every so many steps (`training.gan.against`).
    from_truth: share of a batch that starts from the true crop. least: photo pixels along a side of
      a face's crop, fewer do not count. held_out: share of the train split that is only looked at.
    window: side of what the stage sees of a crop. views: windows of each draw.
    known, hole, perceptual, faithful, critics: weights of L1 on known pixels, L1 and LPIPS to the
      truth where that was begun from, L1 on small pixels to the answer where that was, and of what
      the critics say.
    mask_variety, augment: which holes and crops are drawn, as for `training.gan`.
    """

    images: int = 40_000
    batch: int = 4
    rate: float = 2e-4
    weight_decay: float = 0.0
    warmup: int = 200
    decay: float = 0.3
    clip: float = 10.0
    ema: float = 0.998
    eval_every: int = 2_000
    eval_faces: int = 16
    save_every: int = 500
    beta: float = 0.0
    rate_d: float = 4e-4
    r1: float = 2.0
    r1_every: int = 8
    from_truth: float = 0.5
    least: float = 280.0
    held_out: float = 0.05
    window: int = 192
    views: int = 2
    known: float = 1.0
    hole: float = 2.0
    perceptual: float = 1.5
    faithful: float = 10.0
    critics: float = 0.5
    mask_variety: bool = True
    augment: AugmentSettings = field(default_factory=AugmentSettings)
    enlarger: EnlargerConfig = field(default_factory=EnlargerConfig)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.from_truth <= 1:
            raise ValueError("from_truth must lie in 0..1")
        if min(self.eval_faces, self.views, self.r1_every) < 1:
            raise ValueError("eval_faces, views and r1_every must be positive")
        multiple = 4 * 2 ** (len(self.enlarger.widths) - 1)
        if self.window < multiple or self.window % multiple:
            raise ValueError(f"window must be a multiple of {multiple}, not {self.window}")


class Enlarging:
    """The frozen generator and what the stage is shown of a draw."""

    def __init__(self, generator: Generator, settings: EnlargerSettings) -> None:
        self.generator, self.settings = generator, settings

    @torch.no_grad()
    def begun(self, model: Enlarger, batch: dict[str, Tensor], number: int) -> list[Tensor]:
        """Photo, what the stage starts from, hole, and where there is truth in the hole, in windows
        (B * views, C, window, window); those that start from the truth come first.

        batch: of `LargeFaceDraws`. number: fixes what is drawn.
        """
        s, device = self.settings, next(model.parameters()).device
        real = batch["image"].to(device, non_blocking=True).float().div_(127.5).sub_(1)
        hole, valid = (batch[k].to(device, non_blocking=True).float() for k in ("hole", "valid"))
        true = self.true(len(real))
        answer = F.avg_pool2d(real, ENLARGED)
        if true < len(real):
            small_hole = F.max_pool2d(hole[true:], ENLARGED)
            look = None
            if self.generator.told:
                properties = batch["look"][true:].to(device)
                look = drawn_look(properties, self.generator.coarse, LOOKS, number)
            known = answer[true:] * (1 - small_hole)
            answer[true:] = self.generator(known, small_hole, look=look).float()
        base, asked = model.start(answer, real, hole), hole * valid
        views = [
            native_windows([real, base, hole, asked], asked, s.window, number + view)
            for view in range(s.views)
        ]
        return [
            torch.cat(
                [each[k][part] for part in (slice(true), slice(true, None)) for each in views]
            )
            for k in range(4)
        ]

    def true(self, count: int) -> int:
        """How many of so many crops start from the truth."""
        return round(self.settings.from_truth * count)


def frozen_generator(init: Path | None, config: EnlargerConfig) -> tuple[Generator, Path]:
    """The generator to enlarge, folded, and its weights folder.

    Raises UncoverError: none was named, or it is of another kind or size.
    """
    if init is None:
        raise UncoverError("--init is needed, also with --resume: the generator to enlarge")
    folder = init / "weights" if (init / "weights").is_dir() else init
    found = load_component(folder, "generator")
    if not isinstance(found, Generator):
        raise UncoverError(f"--init {init}: its generator is of another kind")
    if found.config.resolution * ENLARGED != config.resolution:
        raise UncoverError(
            f"--init {init}: its generator paints {found.config.resolution} px; set "
            f"enlarger.resolution={found.config.resolution * ENLARGED}"
        )
    fold(found.requires_grad_(False).eval())
    return found, folder


def start_model(folder: Path, config: EnlargerConfig) -> Enlarger:
    """The enlarger that a weights folder holds, if it is of this shape, or else a new one."""
    model = Enlarger(config)
    component = read_config(folder).components.get("enlarger")
    if component is not None:
        found = load_component(folder, "enlarger")
        if isinstance(found, Enlarger) and found.config == config:
            model.load_state_dict(found.state_dict())
    return model


def train(
    settings: EnlargerSettings,
    folders: list[Path],
    out: Path,
    *,
    resume: bool = False,
    init: Path | None = None,
    max_minutes: float | None = None,
) -> int:
    """Run (or continue) a training and return the number of crops seen.

    Raises:
        UncoverError: anything a user can mend.
    """
    end = deadline(max_minutes)
    device = start_torch(settings)

    # Networks, the enlarger's running average, critics, optimisers.
    generator, folder = frozen_generator(init, settings.enlarger)
    layout = {"memory_format": torch.channels_last}
    generator.to(device, **layout)
    model = start_model(folder, settings.enlarger).to(device, **layout)
    ema = Enlarger(settings.enlarger).to(device, **layout).requires_grad_(False).eval()
    optimizer = torch.optim.Adam(model.parameters(), lr=settings.rate, betas=(settings.beta, 0.99))
    against = None
    if settings.critics:
        rates = {"rate": settings.rate_d, "r1": settings.r1, "r1_every": settings.r1_every}
        against = Against(device, seen_at=SEEN, told=0, batch=settings.batch, **rates)
    lpips = build_lpips().to(device, **layout) if settings.perceptual else None
    parts = {} if against is None else {"against": against}
    run = RunState("enlarger", out, settings, model, ema, optimizer, parts)
    run.begin(resume, None)

    # Data: draw i is a function of (seed, i).
    faces, val = large_faces(folders, settings.least, settings.held_out)
    side = settings.enlarger.resolution
    draws = LargeFaceDraws(
        faces, side, settings.images, settings.seed, settings.augment, settings.mask_variety
    )
    loader = load_in_order(draws, settings, run.seen)
    shown = [store_face(record, side) for record in val[: settings.eval_faces]]
    images, holes = evaluation_set(shown, side, seed=0)
    notes = {"faces": len(faces), "sources": [folder.name for folder in folders]}

    def evaluate(seen: int) -> dict[str, float] | None:
        plain, fine = enlarged_answers(generator, ema, images, holes)
        draw_sheet(out / "sheets" / f"{seen:09d}.jpg", images, plain, fine)
        return detail_scores(images, plain, fine, holes)

    # The loop.
    begin = Enlarging(generator, settings)
    half = settings.precision == "bf16"
    mixed = partial(torch.autocast, device.type, torch.bfloat16, enabled=half)
    with Loop(
        run, model.parameters(), log_every=20, notes=notes, evaluate=evaluate, deadline=end
    ) as loop:
        for batch in loader:
            factor = loop.set_rate()
            count = len(batch["image"])
            true = begin.true(count) * settings.views
            with mixed():
                real, base, hole, asked = begin.begun(model, batch, run.seen)
                painted = model(base, hole)
            painted = painted.float()
            pasted = painted * asked + real * (1 - asked)
            terms = {"known": losses.masked_l1(painted, real, 1 - hole)}
            loss = settings.known * terms["known"]
            if true:
                terms["hole"] = losses.masked_l1(painted[:true], real[:true], asked[:true])
                loss = loss + settings.hole * terms["hole"]
            if true and lpips is not None:
                with mixed():
                    terms["perceptual"] = losses.perceptual(lpips, pasted[:true], real[:true])
                loss = loss + settings.perceptual * terms["perceptual"]
            if true < len(real):
                terms["faithful"] = faithful(painted[true:], base[true:].float(), asked[true:])
                loss = loss + settings.faithful * terms["faithful"]
            if against is not None:  # learn from what was painted, then judge it
                views = native_windows([real, pasted, asked], asked, SEEN, run.seen)
                with mixed():
                    shown_to = [views[0], views[1].detach(), views[2], None, run.seen, factor]
                    terms["d"] = against.learn(*shown_to)
                    terms["g"] = against.judge(views[1], views[2], None)
                loss = loss + settings.critics * terms["g"]
            if not loop.step(loss, terms, count):
                break
    return run.seen


def main(argv: list[str] | None = None) -> int:
    """Entry point; returns the exit code."""
    return run_command(
        "training.enlarger", __doc__ or "", EnlargerSettings, train, "enlarger", argv
    )
