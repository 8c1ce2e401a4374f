"""Processes forked after the networks were used do their work, and do not wait for ever."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CODE = """
import multiprocessing
import numpy as np
import torch
from tests.uncover.fake_networks import draw_scene, make
import cv2

torch.set_num_threads(2)
cv2.setNumThreads(2)
box, wide = (60, 30, 140, 135), torch.rand(600, 600)
scene, uncoverer = draw_scene([box]), make([box])


class Network:
    config = uncoverer.generator.config

    def fill(self, crops, masks):
        (wide @ wide).sin().sum()
        cv2.warpAffine(np.zeros((3000, 3000, 3), np.uint8), np.eye(2, 3), (3000, 3000))
        return np.zeros_like(crops)


def work(queue):
    queue.put(len(uncoverer(scene).filled))


uncoverer.generator = Network()
print(len(uncoverer(scene).filled), flush=True)
fork = multiprocessing.get_context("fork")
queue = fork.SimpleQueue()
children = [fork.Process(target=work, args=(queue,)) for _ in range(2)]
for child in children:
    child.start()
for child in children:
    child.join(60)
    print(child.exitcode, flush=True)
    child.kill()
print(len(uncoverer(scene).filled), torch.get_num_threads(), flush=True)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_forked_processes_paint_and_the_parent_keeps_its_threads() -> None:
    done = subprocess.run(
        [sys.executable, "-c", CODE],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert done.stdout.split() == ["1", "0", "0", "1", "2"], done.stderr
