"""`python -m benchmark speed`: how long each step takes here, and where the time goes.

Every combination of backend, threads and photo runs in a process of its own, one after the other.
Run it on a machine that does nothing else.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from PIL import Image
from tqdm import tqdm

from benchmark.speed import clock, report
from benchmark.speed.scenes import SCENES, draw_scene
from benchmark.speed.worker import BACKENDS, COMPILE, EAGER, ONNX, OPENVINO
from uncover.atomic import write_atomically
from uncover.errors import UncoverError

IMPORT = (
    "import time; start = time.perf_counter(); import uncover; print(time.perf_counter() - start)"
)


def main(arguments: Sequence[str]) -> int:
    """Measure, print the table, write speed.json and speed.md; 1 if a combination failed.

    Raises:
        UncoverError: nothing could be measured or written.
    """
    options = parser().parse_args(arguments)
    backends, threads = _named(options.backend), _numbers(options.threads)
    if options.write_table is not None:
        report.check_page(options.write_table)
    results: dict[str, Any] = {
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": clock.machine(),
        "weights": options.weights or "default",
        "runs": options.runs,
        "matmul_gflops": {},
        "scenes": {},
        "networks": {"facts": {}, "times": []},
        "folder": [],
        "cold": {},
        "failures": [],
    }
    with tempfile.TemporaryDirectory(prefix="uncover-speed-") as scratch:
        photos = _photos(options, Path(scratch))
        asked = list(_asked(options, backends, threads, photos, Path(scratch)))
        for ask in tqdm(asked, "speed", unit="part", disable=options.quiet):
            try:
                _enter(results, ask, _answer(ask))
            except UncoverError as error:
                results["failures"].append(f"{_name(ask)}: {error}")
                print(f"warning: {_name(ask)} is left out: {error}", file=sys.stderr)
    text = report.markdown(results)
    try:
        options.out.mkdir(parents=True, exist_ok=True)
        write_atomically(
            options.out / "speed.json", (json.dumps(results, indent=1) + "\n").encode()
        )
        write_atomically(options.out / "speed.md", text.encode())
    except OSError as error:
        raise UncoverError(f"{options.out} cannot be written: {error.strerror}") from error
    if options.write_table is not None:
        report.write_table(options.write_table, results)
    print(report.short(results))
    print(f"report: {options.out / 'speed.md'}")
    return 1 if results["failures"] else 0


def parser() -> argparse.ArgumentParser:
    """All options with their help."""
    p = argparse.ArgumentParser(prog="python -m benchmark speed", description=__doc__)
    p.add_argument("--weights", help="folder or Hub repository (default: the embedded ones)")
    p.add_argument(
        "--backend", default="eager,compile,onnx", metavar="B[,B]",
        help=f"of {', '.join(BACKENDS)} (default: %(default)s)",
    )  # fmt: skip
    p.add_argument("--threads", default="1,2", metavar="N[,N]", help="default: %(default)s")
    p.add_argument("--runs", type=int, default=30, help="runs of everything (default: 30)")
    p.add_argument("--warmup", type=int, default=3, help="runs before that (default: 3)")
    p.add_argument(
        "--photo", type=Path, action="append", default=[], metavar="PHOTO",
        help="measure on this photo instead of the drawn scenes; may be given several times",
    )  # fmt: skip
    p.add_argument(
        "--networks", action=argparse.BooleanOptionalAction, default=True,
        help="the generator beside the original's and an FFC inpainter",
    )  # fmt: skip
    p.add_argument("--cold", type=int, default=5, metavar="N", help="cold starts (default: 5)")
    p.add_argument("--folder", type=int, default=60, metavar="N", help="photos in a folder run")
    p.add_argument("--out", type=Path, default=Path("results/speed"), metavar="DIR")
    p.add_argument("--write-table", type=Path, metavar="README", help="put the table into a page")
    p.add_argument("--quiet", action="store_true", help="no progress bar")
    return p


def _named(text: str) -> list[str]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    for name in names:
        if name not in BACKENDS:
            raise UncoverError(f"--backend {name}: choose of {', '.join(BACKENDS)}")
    if not names:
        raise UncoverError(f"--backend is empty: choose of {', '.join(BACKENDS)}")
    return names


def _numbers(text: str) -> list[int]:
    try:
        numbers = [int(word) for word in text.split(",")]
    except ValueError:
        raise UncoverError(f"--threads {text}: give whole numbers such as 1,2") from None
    if min(numbers) < 1:
        raise UncoverError(f"--threads {text}: give numbers from 1 on")
    return numbers


def _photos(options: argparse.Namespace, scratch: Path) -> dict[str, Path]:
    """Name -> file of each photo to measure on."""
    if options.photo:
        for photo in options.photo:
            if not photo.is_file():
                raise UncoverError(f"--photo {photo}: no such file")
        return {photo.name: photo for photo in options.photo}
    photos = {}
    for index, (name, scene) in enumerate(SCENES.items()):
        photos[name] = scratch / f"scene{index}.jpg"
        Image.fromarray(draw_scene(scene)).save(photos[name], quality=92)
    return photos


def _asked(
    options: argparse.Namespace,
    backends: list[str],
    threads: list[int],
    photos: dict[str, Path],
    scratch: Path,
) -> Iterator[dict[str, Any]]:
    """Every question to a worker, and what it is about.

    The ONNX files are made when their turn comes; the folder they lie in is asked for by name.
    """
    common = {"weights": options.weights, "runs": options.runs, "warmup": options.warmup}
    for count in threads:
        yield {"task": "matmul", "threads": count}
    for name, photo in photos.items():
        yield {
            "task": "flops",
            "scene": name,
            "photo": str(photo),
            "threads": max(threads),
        } | common
    if {ONNX, OPENVINO} & set(backends):
        folder = str(scratch / "onnx")
        exported = _answer({"task": "export", "weights": options.weights, "out": folder})["folder"]
    for backend in backends:
        for count in threads:
            about = common | {"backend": backend, "threads": count}
            for name, photo in photos.items():
                ask = about | {"task": "scene", "scene": name, "photo": str(photo)}
                yield ask | ({"weights": exported} if backend in (ONNX, OPENVINO) else {})
            if options.networks:
                yield about | {"task": "networks"}
    first = {"photo": str(next(iter(photos.values())))}
    for backend in backends:
        weights = exported if backend in (ONNX, OPENVINO) else options.weights
        about = first | {"backend": backend, "weights": weights}
        if options.folder and backend != COMPILE:
            count = {"threads": max(threads), "photos": options.folder, "runs": options.runs}
            yield about | {"task": "folder"} | count
        if options.cold and backend != COMPILE:
            yield about | {"task": "cold", "runs": options.cold, "out": str(scratch / "out.png")}


def _name(ask: dict[str, Any]) -> str:
    words = [str(ask[key]) for key in ("task", "backend", "scene") if key in ask]
    return ", ".join([*words, f"{ask['threads']} threads"] if "threads" in ask else words)


def _answer(ask: dict[str, Any]) -> dict[str, Any]:
    """What a worker in a process of its own says.

    Raises:
        UncoverError: it cannot; with its last line.
    """
    if ask["task"] == "cold":
        return cold_start(ask)
    environment = dict(os.environ)
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        if "threads" in ask:
            environment[name] = str(ask["threads"])
    words = [sys.executable, "-m", "benchmark.speed.worker", json.dumps(ask)]
    lines = _finished(words, environment).splitlines()
    return json.loads(lines[-1])


def cold_start(ask: dict[str, Any]) -> dict[str, Any]:
    """Seconds of `uncover PHOTO` from the command line, and of `import uncover`, each anew."""
    backend = "torch" if ask["backend"] == EAGER else ask["backend"]
    words = [sys.executable, "-m", "uncover", ask["photo"], "-o", ask["out"], "--backend", backend]
    words += ["--weights", ask["weights"]] if ask["weights"] else []
    whole = [clock.timed(lambda: _finished(words)) for _ in range(ask["runs"])]
    imports = [float(_finished([sys.executable, "-c", IMPORT])) for _ in range(ask["runs"])]
    return {"command": clock.summary(whole), "import": clock.summary(imports)}


def _finished(words: list[str], environment: dict[str, str] | None = None) -> str:
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise UncoverError(last.removeprefix("error: "))
    return done.stdout


def _enter(results: dict[str, Any], ask: dict[str, Any], answer: dict[str, Any]) -> None:
    """Put an answer where it belongs in the results."""
    if ask["task"] == "matmul":
        results["matmul_gflops"][str(ask["threads"])] = answer["gflops"]
    elif ask["task"] == "cold":
        results["cold"][ask["backend"]] = answer
    elif ask["task"] == "folder":
        row = {"backend": ask["backend"], "threads": ask["threads"]}
        results["folder"].append(row | answer)
    elif ask["task"] == "networks":
        results["networks"]["facts"] |= answer["facts"]
        for name, times in answer["times"].items():
            row = {"network": name, "backend": ask["backend"], "threads": ask["threads"]}
            results["networks"]["times"].append(row | times)
    else:
        scene = results["scenes"].setdefault(ask["scene"], {"flops": {}, "rows": []})
        if ask["task"] == "flops":
            scene["flops"] = answer["flops"]
        else:
            row = {"backend": ask["backend"], "threads": ask["threads"], "faces": answer["faces"]}
            scene["rows"].append(row | {"stages": answer["stages"]})
