"""How far the painted face is, to a face recogniser, from the face that was hidden: a limit.

What lies under a mask cannot be known, so agreement is not a goal, and disagreement is the proof
that a painted face must not be used to identify anyone. The number is dlib's 128-d descriptor
distance; dlib's authors call two photos the same person below 0.6.
"""

from __future__ import annotations

import importlib.util
import threading
from pathlib import Path

import numpy as np

from uncover.errors import UncoverError

MODEL = "dlib_face_recognition_resnet_model_v1.dat"


class IdentityScorer:
    """Distance between the descriptors of fill and bare face, both in the bare face's frame."""

    key = "identity-dlib-1"
    columns = ("identity_distance",)

    def __init__(self) -> None:
        """Load dlib's recogniser.

        Raises:
            UncoverError: dlib or its model file is not installed.
        """
        spec = importlib.util.find_spec("face_recognition_models")
        folders = list(spec.submodule_search_locations or []) if spec else []
        files = [f for folder in folders if (f := Path(folder) / "models" / MODEL).is_file()]
        try:
            import dlib
        except ImportError as error:
            raise UncoverError("--identity needs dlib: pip install dlib-bin") from error
        if not files:
            raise UncoverError("--identity needs: pip install face-recognition-models")
        self.model = dlib.face_recognition_model_v1(str(files[0]))
        self.lock = threading.Lock()

    def score(self, truth: np.ndarray, hole: np.ndarray, fills: list[np.ndarray]) -> np.ndarray:
        """float64 (len(fills), 1); see `Scorer`."""
        target = self._descriptor(truth)
        distances = [[np.linalg.norm(self._descriptor(fill) - target)] for fill in fills]
        return np.array(distances, np.float64)

    def _descriptor(self, face: np.ndarray) -> np.ndarray:
        import cv2

        chip = cv2.resize(face, (150, 150), interpolation=cv2.INTER_AREA)
        with self.lock:
            return np.array(self.model.compute_face_descriptor(chip))
