"""`python -m tests.training.gan.runs_in_turn RUN + RUN ...`: runs of `training.gan`, one by one.

Each RUN is what that command takes. One start for all: it takes longer than a short run does.
The processes stay connected between the runs. A second connection would look for its peers under
the keys of the first, and now and then would find one that has gone.
"""

from __future__ import annotations

import sys
from unittest.mock import patch

import torch.distributed
from accelerate.state import AcceleratorState, PartialState

from training.gan.loop import main

BETWEEN = "+"


def all_in_turn(arguments: list[str]) -> int:
    """The first exit code that is not 0, or 0."""
    with patch.object(PartialState, "destroy_process_group"):
        while arguments:
            end = arguments.index(BETWEEN) if BETWEEN in arguments else len(arguments)
            if code := main(arguments[:end]):
                return code
            arguments = arguments[end + 1 :]
            AcceleratorState._reset_state(reset_partial_state=True)  # as in a new process
    torch.distributed.destroy_process_group()
    return 0


if __name__ == "__main__":
    sys.exit(all_in_turn(sys.argv[1:]))
