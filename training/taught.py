"""`python -m training.taught WEIGHTS RUN --out FOLDER`: what a coarse stage was taught, added on.

A coarse stage is tuned beside the fine stage for the eye, and can be taught by views of itself as
it was before (`coarse.taught`). Both begin with the same weights, so what the second changed can be
added to what the first made of them ("task arithmetic", Ilharco et al. 2022, arXiv:2212.04089): the
generator keeps its fine stage and gets most of both. Go on from there with `training.gan --init`.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from training.checkpoint import load_checkpoint
from training.commands import command_parser, run_to_exit
from uncover.errors import UncoverError
from uncover.generator import Generator
from uncover.weights import load_component, save_component
from uncover.weights_config import read_config


def add_taught(weights: Path, run: Path, out: Path, share: float = 1.0) -> None:
    """Write `out`: the weights folder `weights`, its generator's coarse stage changed by `share`
    of what the stage in `run` learned from its teacher.

    Raises:
        UncoverError: no such weights or run, a run without a teacher, networks of other shapes, or
            an `out` that exists.
    """
    if out.exists():
        raise UncoverError(f"{out} exists: name another --out")
    generator = load_component(weights, "generator")
    if not isinstance(generator, Generator) or generator.coarse is None:
        raise UncoverError(f"{weights}: this generator has no coarse stage")
    state = load_checkpoint(run / "coarse" / "checkpoint")
    if "teacher" not in state:
        raise UncoverError(f"{run}: its coarse stage had no teacher (coarse.taught)")
    began, learned, tuned = state["teacher"], state["ema"], generator.coarse.state_dict()
    shapes = [{k: tuple(v.shape) for k, v in each.items()} for each in (tuned, began)]
    if shapes[0] != shapes[1]:
        raise UncoverError(f"{weights} and {run} hold coarse stages of different shapes")
    generator.coarse.load_state_dict(
        {
            key: value + share * (learned[key] - began[key]) if value.is_floating_point() else value
            for key, value in tuned.items()
        }
    )
    told = dict(read_config(weights).components["generator"].training or {})
    told["taught"] = {"images": state["seen"], "minutes": state["minutes"], "share": share}
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=f".{out.name}-") as folder:
        copy = Path(folder) / "weights"
        shutil.copytree(weights, copy)
        save_component(copy, "generator", generator, generator.config, training=told)
        copy.rename(out)


def main(argv: list[str] | None = None) -> int:
    """Entry point; returns the exit code."""
    parser = command_parser("training.taught", __doc__)
    parser.add_argument("weights", type=Path, metavar="WEIGHTS", help="weights folder, tuned")
    parser.add_argument("run", type=Path, metavar="RUN", help="run whose coarse stage was taught")
    parser.add_argument("--out", type=Path, required=True, help="weights folder to write")
    parser.add_argument("--share", type=float, default=1.0, help="of what was learned")
    args = parser.parse_args(argv)
    return run_to_exit(lambda: add_taught(args.weights, args.run, args.out, args.share))


if __name__ == "__main__":
    sys.exit(main())
