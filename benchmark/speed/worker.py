"""One measurement in a process of its own: its threads, its memory, nothing left from another.

`python -m benchmark.speed.worker '{"task": ...}'` prints one line of JSON; `TASKS` are what it can
be asked. `benchmark.speed.command` starts it.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmark.speed import clock, stages
from uncover.errors import UncoverError
from uncover.pipeline import Uncoverer

EAGER, COMPILE, ONNX, OPENVINO = "eager", "compile", "onnx", "openvino"
BACKENDS = (EAGER, COMPILE, ONNX, OPENVINO)


def load(backend: str, threads: int, weights: str | None) -> Uncoverer:
    """The pipeline on one of `BACKENDS`.

    Raises:
        UncoverError: the weights or the backend cannot be had.
    """
    if backend in (ONNX, OPENVINO):
        from uncover.onnx import backend as onnx_backend

        runtime: Any = backend
        clock.set_threads(threads)
        *networks, enlarger = onnx_backend.load(weights, threads=threads, runtime=runtime)
        return Uncoverer(*networks, enlarger=enlarger)
    uncoverer = Uncoverer.from_pretrained(weights, device="cpu")
    clock.set_threads(threads)
    if backend == COMPILE:
        networks: Any = uncoverer
        for part in (networks.generator, networks.segmenter, networks.detector.net.backbone):
            part.compile(dynamic=False)
    return uncoverer


def scene(ask: dict[str, Any]) -> dict[str, Any]:
    """Stages of one photo on one backend."""
    uncoverer = load(ask["backend"], ask["threads"], ask["weights"])
    return stages.measure(uncoverer, Path(ask["photo"]), ask["runs"], ask["warmup"])


def flops(ask: dict[str, Any]) -> dict[str, Any]:
    """Operations of each stage of one photo."""
    uncoverer = load(EAGER, ask["threads"], ask["weights"])
    return {"flops": stages.count_flops(uncoverer, Path(ask["photo"]))}


def networks(ask: dict[str, Any]) -> dict[str, Any]:
    """The generator beside two others on one backend; eager also counts their operations."""
    from benchmark.speed import networks

    backend, threads = ask["backend"], ask["threads"]
    painters = networks.build(load(EAGER, threads, ask["weights"]).generator)
    facts = networks.describe(painters) if backend == EAGER else {}
    if backend == COMPILE:
        for network in painters.values():
            network.compile(dynamic=False)
    elif backend != EAGER:
        painters = networks.as_onnx(painters, threads, backend)
    return {"times": networks.measure(painters, ask["runs"], ask["warmup"]), "facts": facts}


def folder(ask: dict[str, Any]) -> dict[str, Any]:
    """A folder of copies of one photo from file to file, beside computing them alone."""
    import shutil
    import statistics
    import tempfile

    from uncover.commands import plan, run_all
    from uncover.images import read_image

    uncoverer = load(ask["backend"], ask["threads"], ask["weights"])
    source, count = Path(ask["photo"]), ask["photos"]
    photo = read_image(source)
    uncoverer(photo)
    alone = statistics.median(clock.timed(lambda: uncoverer(photo)) for _ in range(ask["runs"]))
    with tempfile.TemporaryDirectory(prefix="uncover-speed-") as scratch:
        inputs = Path(scratch) / "in"
        inputs.mkdir()
        for i in range(count):
            shutil.copyfile(source, inputs / f"{i:05d}{source.suffix}")
        jobs, _ = plan([inputs], Path(scratch) / "out")
        peaks = []
        start = time.perf_counter()
        clock.reset_peak()
        for done, outcome in enumerate(run_all(jobs, uncoverer), start=1):
            if outcome.status == "failed":
                raise UncoverError(outcome.message)
            if done in (max(1, count // 4), count):
                peaks.append(clock.peak_mb())
        each = (time.perf_counter() - start) / count
    return {
        "photos": count,
        "alone_ms": round(1000 * alone, 3),
        "each_ms": round(1000 * each, 3),
        "rate_share": round(alone / each, 4),
        "peak_mb_early": round(peaks[0], 1),
        "peak_mb": round(peaks[-1], 1),
    }


def matmul(ask: dict[str, Any]) -> dict[str, Any]:
    """The machine's float32 matrix product rate."""
    import torch

    torch.set_num_threads(ask["threads"])
    return {"gflops": round(clock.matmul_gflops(), 1)}


def export(ask: dict[str, Any]) -> dict[str, Any]:
    """The weights' folder, or one with their ONNX files in `ask["out"]` where they have none."""
    from uncover.onnx import export as write
    from uncover.weights import INFERENCE, read_config, resolve

    folder = resolve(ask["weights"])
    components = read_config(folder).components
    if all(components[name].onnx is not None for name in INFERENCE if name in components):
        return {"folder": str(folder)}
    write(folder, Path(ask["out"]))
    return {"folder": ask["out"]}


TASKS: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    task.__name__: task for task in (scene, flops, networks, folder, matmul, export)
}


def main(words: list[str]) -> int:
    """Do one task; 1 and an `error:` line when it cannot be done."""
    ask = json.loads(words[0])
    try:
        answer = TASKS[ask["task"]](ask)
    except UncoverError as error:
        print(f"error: {' '.join(str(error).split())}", file=sys.stderr)
        return 1
    print(json.dumps(answer))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
