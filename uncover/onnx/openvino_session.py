"""OpenVINO behind the one method of an onnxruntime session that the networks use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from uncover.errors import WeightsError
from uncover.strict import one_line


class OpenVinoSession:
    """An ONNX network compiled for this machine's CPU, in float32.

    Args:
        model: the bytes of an ONNX file.
        threads: cores to use; None for all.

    Raises:
        WeightsError: OpenVINO is missing or cannot use the network.
    """

    def __init__(self, model: bytes, threads: int | None = None) -> None:
        try:
            import openvino
        except ImportError as error:
            raise WeightsError(
                "openvino is not installed: python -m pip install openvino"
            ) from error
        options: dict[str, str | int] = {
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_PRECISION_HINT": "f32",
        }
        if threads is not None:
            options["INFERENCE_NUM_THREADS"] = threads
        core = openvino.Core()
        try:
            self.compiled = core.compile_model(core.read_model(model=model), "CPU", options)
        except RuntimeError as error:
            raise WeightsError(f"OpenVINO cannot use the network: {one_line(error)}") from error

    def run(self, names: Sequence[str], inputs: Mapping[str, np.ndarray]) -> list[np.ndarray]:
        """The outputs of those names; may be called from several threads."""
        found = self.compiled.create_infer_request().infer(dict(inputs))
        return [np.array(found[name]) for name in names]
