"""What a generator run can be told; the presets are TOML files of the same shape."""

from __future__ import annotations

from dataclasses import dataclass, field

from training.data import AugmentSettings
from training.gan.discriminators import DiscriminatorConfig
from uncover.networks import GeneratorConfig


@dataclass(frozen=True)
class LossWeights:
    """Weight of each term; 0 switches a term off and saves its cost.

    known, hole: L1 (or L2) on known and on missing pixels. perceptual: LPIPS-squeeze of the
    composited crop, seen through a window of `window` pixels: in turn the whole hole, shrunk to
    it, and a part of the hole at its own resolution (0 = the whole crop, several times as dear).
    adversarial_global, adversarial_local: the two discriminators. matching: L1 between
    discriminator features. r1: gradient penalty, every `r1_every` steps. pixel: "l1" or "l2".
    features: critics on frozen features (`training.gan.feature_critics`), which see a window of
    the crop at its own resolution, 128 px wide; features_r1: gradient penalty of their pixel
    critic. whole: the same of a second set of critics, which sees the whole crop shrunk to 128 px:
    that the parts of a face go together; the two take turns. faithful: L1 to what the fine stage
    started from, on means of 4 x 4 pixels. layout: L1 to what the published generator of --init
    paints, on means of 8 x 8 pixels: where things lie stays as it was, what they look like is left
    to the other losses. mouth: what share of the critics' and discriminators' say counts in the
    mouth; L1 and LPIPS count there as elsewhere. Critics tear teeth that the coarse stage left
    open.
    """

    known: float = 2.0
    hole: float = 10.0
    perceptual: float = 1.5
    window: int = 128
    adversarial_global: float = 0.1
    adversarial_local: float = 0.1
    matching: float = 2.0
    r1: float = 0.0
    r1_every: int = 16
    pixel: str = "l1"
    features: float = 0.0
    features_r1: float = 2.0
    whole: float = 0.0
    faithful: float = 0.0
    layout: float = 0.0
    mouth: float = 1.0

    def __post_init__(self) -> None:
        if not 0 <= self.mouth <= 1:
            raise ValueError("losses.mouth must lie in 0..1")
        if self.pixel not in ("l1", "l2"):
            raise ValueError(f"losses.pixel must be l1 or l2, not {self.pixel!r}")
        if self.r1_every < 1:
            raise ValueError("losses.r1_every must be at least 1")


@dataclass(frozen=True)
class CoarseSettings:
    """How the generator's coarse stage is trained, before everything else.

    images: length of its run; 0 trains it together with the fine stage instead. batch, rate,
    warmup, decay, eval_every: as in GanSettings, for this stage. frozen: take the stage as
    --init has it, without a run of its own. tune: in the fine stage's run it learns on at this
    share of the rate, by that run's losses; 0 leaves it alone there. taught: share of its loss
    that compares it with what the stage of --init makes of moved views (`training.gan.teacher`).
    critics: weight of the critics on frozen features and on pixels, 0 for none
      (`training.gan.feature_critics`); they want a small `hole` (weight of L1 there), `beta` 0 and
      a `rate` of some 2e-4. rate_d: theirs. seen_at: side at which the features see a crop. r1:
      gradient penalty of the pixel critic, every `r1_every` steps.
    perceptual: weight of LPIPS to the truth, seen at the same side; of two answers to a crop, the
      nearer one's.
    asked: share of the draws in which a property of the look is told, each by itself. varied: share
      of a batch that is painted twice, with two latents; only the nearer one is held to the truth
      (Gupta et al. 2018, arXiv:1803.10892). spread: weight of their difference in the hole (compare
      Mao et al. 2019, arXiv:1903.05628), up to a mean difference of `spread_most` in -1..1.
    """

    images: int = 60_000
    batch: int = 16
    rate: float = 1e-3
    warmup: int = 500
    decay: float = 0.5
    eval_every: int = 4_000
    frozen: bool = False
    tune: float = 0.0
    taught: float = 0.0
    critics: float = 0.0
    hole: float = 1.0
    perceptual: float = 0.0
    known: float = 0.1
    beta: float = 0.9
    rate_d: float = 4e-4
    seen_at: int = 112
    r1: float = 2.0
    r1_every: int = 8
    asked: float = 0.5
    varied: float = 0.25
    spread: float = 0.0
    spread_most: float = 0.25
    ema: float = 0.998

    def __post_init__(self) -> None:
        if self.images < 0 or min(self.batch, self.eval_every) < 1 or not 0 < self.decay <= 1:
            raise ValueError("coarse.images, batch and eval_every must be positive, decay in 0..1")
        if self.tune < 0:
            raise ValueError("coarse.tune must not be negative")
        if not 0 <= self.taught < 1:
            raise ValueError("coarse.taught must be in 0..1, below 1")


@dataclass(frozen=True)
class GanSettings:
    """All settings of `python -m training.gan`.

    images: length of the run in images over all processes; the learning rate warms up over
      `warmup` of them, then stays, then falls linearly to zero over the last `decay` share.
    beta: the generator's first Adam coefficient.
    adversarial_from: share of the run after which the discriminators come in.
    from_truth: share of a batch in which the fine stage starts from the true small crop. Where
      losses.faithful is above 0, only these are held to the photo by L1 and LPIPS; the others start
      from what the coarse stage made of a drawn look.
    critics_in_turn: one discriminator a step instead of both, each with the weight of two.
    balance: 0 = photos as they are, 1 = every ethnicity x pose cell equally often. sharp, groups:
      the same for soft, middling and sharp photos within each cell, and for the seven groups.
      favour: factor on how often photos of an ethnicity, a pose bin or a sharpness bin are drawn,
      such as {"black": 2.0, "sharp": 3.0}. See `training.data.Balance`.
    composite: losses and discriminators see the prediction pasted into the known pixels; off for
      models that repaint the whole crop. follow: the discriminators are told where the hole is and
      the local one looks there; off = it looks at the middle of the crop. mask_aware: known
      patches of a fake count as real.
    mask_variety: rendered masks and painted shapes as holes; off = one plain jaw polygon.
    architecture: "unet" or "seed", the original's context encoder, whose bottleneck has
      `bottleneck` channels. eval_every, save_every: in images. eval_faces: size of the fixed
      validation part.
    """

    seed: int = 0
    images: int = 100_000
    batch: int = 8
    rate: float = 3e-4
    rate_d: float = 3e-4
    beta: float = 0.9
    warmup: int = 500
    decay: float = 0.4
    ema: float = 0.998
    adversarial_from: float = 0.3
    from_truth: float = 0.0
    critics_in_turn: bool = False
    balance: float = 0.5
    sharp: float = 0.0
    groups: float = 0.0
    favour: dict[str, float] = field(default_factory=dict)
    composite: bool = True
    follow: bool = True
    mask_aware: bool = True
    mask_variety: bool = True
    eval_every: int = 2_000
    eval_faces: int = 120
    save_every: int = 1_000
    workers: int = 0
    threads: int = 0
    precision: str = "no"
    channels_last: bool = True
    architecture: str = "unet"
    bottleneck: int = 4000
    coarse: CoarseSettings = field(default_factory=CoarseSettings)
    generator: GeneratorConfig = field(default_factory=GeneratorConfig)
    d_global: DiscriminatorConfig = field(default_factory=DiscriminatorConfig)
    d_local: DiscriminatorConfig = field(
        default_factory=lambda: DiscriminatorConfig(unshuffle=1, window=96)
    )
    losses: LossWeights = field(default_factory=LossWeights)
    augment: AugmentSettings = field(default_factory=AugmentSettings)

    def __post_init__(self) -> None:
        if self.precision not in ("no", "bf16", "fp16"):
            raise ValueError(f"precision must be no, bf16 or fp16, not {self.precision!r}")
        if self.architecture not in ("unet", "seed"):
            raise ValueError(f"architecture must be unet or seed, not {self.architecture!r}")
        if self.mask_aware and not self.follow:
            raise ValueError("mask_aware = true needs follow = true")
        if self.generator.latent and not self.generator.look:
            raise ValueError("generator.latent needs generator.look = true")
        if not 0 <= self.from_truth <= 1:
            raise ValueError("from_truth must lie in 0..1")
        if (self.from_truth or self.losses.faithful) and (
            self.architecture != "unet" or self.coarse.tune
        ):
            raise ValueError("from_truth and losses.faithful need a unet whose coarse.tune is 0")
        if not 0 <= self.adversarial_from <= 1 or not 0 < self.decay <= 1:
            raise ValueError("adversarial_from must lie in 0..1 and decay in 0..1")
        if min(self.images, self.batch, self.eval_every, self.save_every, self.eval_faces) < 1:
            raise ValueError("images, batch, eval_every, save_every, eval_faces must be positive")
