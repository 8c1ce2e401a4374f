"""`python -m training.average RUN RUN`: the mean of two finished passes of one network.

A model between two fine-tuned ones often errs less than either ("model soups", Wortsman et al.,
2022). For a detector the background's bias can be shifted as well, which trades faces missed for
false alarms; choose it on validation photos.
"""

from __future__ import annotations

import sys
from pathlib import Path

import torch

from training.commands import command_parser, run_to_exit
from uncover.errors import UncoverError
from uncover.weights import load_component, save_component
from uncover.weights_config import read_config


def average(
    runs: tuple[Path, Path], name: str, out: Path, share: float, background: float = 0.0
) -> None:
    """Write ``out``/weights: ``share`` of the second run's network, the rest of the first's.

    ``background`` is added to the background's logit of a detector's head.

    Raises:
        UncoverError: runs that are missing or of different shapes, a share outside 0..1.
    """
    if not 0 <= share <= 1:
        raise UncoverError(f"--share must lie in 0..1, not {share:g}")
    first, second = (load_component(run / "weights", name) for run in runs)
    if first.config != second.config:
        raise UncoverError(f"{runs[0]} and {runs[1]} hold networks of different shapes")
    if background and name != "detector":
        raise UncoverError("--background is for detectors")
    other = second.state_dict()
    mixed = {
        key: value * (1 - share) + other[key] * share if value.is_floating_point() else value
        for key, value in first.state_dict().items()
    }
    first.load_state_dict(mixed)
    if background:
        with torch.no_grad():
            first.net.roi_heads.box_predictor.cls_score.bias[0] += background
    notes = [read_config(run / "weights").components[name].training for run in runs]
    training = {**notes[0], "finish": notes[1], "averaged": share}
    if background:
        training["background_bias"] = background
    save_component(out / "weights", name, first, first.config, training=training)


def main(argv: list[str] | None = None) -> int:
    """Entry point; returns the exit code."""
    parser = command_parser("training.average", __doc__)
    parser.add_argument("runs", type=Path, nargs=2, metavar="RUN", help="run folder")
    parser.add_argument("--name", default="detector", help="network to average")
    parser.add_argument("--out", type=Path, required=True, help="run folder to write")
    parser.add_argument("--share", type=float, default=0.5, help="of the second run, 0..1")
    parser.add_argument("--background", type=float, default=0.0, help="added to its logit")
    args = parser.parse_args(argv)
    runs = (args.runs[0], args.runs[1])
    return run_to_exit(lambda: average(runs, args.name, args.out, args.share, args.background))


if __name__ == "__main__":
    sys.exit(main())
