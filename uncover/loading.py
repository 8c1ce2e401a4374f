"""The networks of the pipeline, from wherever their weights lie."""

from __future__ import annotations

from typing import Any

from uncover.errors import UncoverError


def load_networks(
    source: str | None, revision: str | None, device: str, local_files_only: bool, backend: str
) -> tuple[Any, Any, Any, Any]:
    """Detector, segmenter, generator and enlarger, ready for use; the arguments of
    `Uncoverer.from_pretrained`. The enlarger is None where the weights have none.

    Raises:
        WeightsError: the weights cannot be found, trusted or loaded.
        UncoverError: no such device or backend.
    """
    if device not in ("auto", "cpu", "cuda"):
        raise UncoverError(f"device must be auto, cpu or cuda, not {device!r}")
    if backend not in ("torch", "onnx", "openvino"):
        raise UncoverError(f"backend must be torch, onnx or openvino, not {backend!r}")
    if backend != "torch":
        from uncover.onnx import load

        if device == "cuda":
            raise UncoverError(f"the {backend} backend runs on the CPU: leave out --device cuda")
        runtime: Any = backend
        return load(source, revision, local_files_only, runtime=runtime)
    import torch

    from uncover.networks import import_torchvision
    from uncover.weights import load_bundle

    import_torchvision()
    from uncover.networks import fold

    if device == "cuda" and not torch.cuda.is_available():
        raise UncoverError("PyTorch sees no CUDA device here: use --device cpu or auto")
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    bundle = load_bundle(source, revision=revision, local_files_only=local_files_only)
    networks = (bundle.detector, bundle.segmenter, bundle.generator)
    detector, segmenter, generator = (network.to(device).eval() for network in networks)
    enlarger = bundle.enlarger
    if enlarger is not None:
        enlarger = fold(enlarger.to(device).eval())
    return detector, fold(segmenter), fold(generator), enlarger
