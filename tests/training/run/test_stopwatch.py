"""Stages add up, pauses do not count, and a reading begins anew."""

from __future__ import annotations

import pytest
import torch

from training.run import stopwatch
from training.run.stopwatch import Stopwatch


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time, to be set by the test."""
    now = [100.0]
    monkeypatch.setattr(stopwatch.time, "perf_counter", lambda: now[0])
    return now


def test_stages_add_up_and_pauses_do_not_count(clock: list[float]) -> None:
    watch = Stopwatch(torch.device("cpu"))
    for _ in range(2):
        clock[0] += 1
        watch.lap("data")
        clock[0] += 3
        watch.lap("network")
        clock[0] += 50
        watch.skip()
    assert watch.seconds() == {"data": 2.0, "network": 6.0}
    assert watch.seconds() == {}


def test_rates_are_images_a_second_of_each_stage(clock: list[float]) -> None:
    watch = Stopwatch(torch.device("cpu"))
    clock[0] += 0.5
    watch.lap("data")
    clock[0] += 2
    watch.lap("network")
    assert watch.rates(8) == {"per_second_data": 16.0, "per_second_network": 4.0}
    clock[0] += 1
    watch.lap("data")  # what comes after a reading counts from it
    assert watch.rates(8) == {"per_second_data": 8.0}


def test_restart_forgets(clock: list[float]) -> None:
    watch = Stopwatch(torch.device("cpu"))
    clock[0] += 9
    watch.lap("data")
    clock[0] += 9
    watch.restart()
    clock[0] += 1
    watch.lap("data")
    assert watch.seconds() == {"data": 1.0}


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")
def test_the_gpu_tells_its_own_time() -> None:
    device = torch.device("cuda")
    watch = Stopwatch(device)
    matrix = torch.rand(2048, 2048, device=device)
    for _ in range(20):
        matrix = matrix @ matrix / 2048
    watch.lap("network")
    watch.lap("nothing")
    taken = watch.seconds()
    assert taken["network"] > taken["nothing"] >= 0
