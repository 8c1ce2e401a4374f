"""The compiler stays out until somebody wants it, and is then the real one."""

from __future__ import annotations

import subprocess
import sys

CODE = """
import sys, threading
from uncover.networks.lean_import import import_torchvision
if {threads}:
    threading.Thread(target=threading.Event().wait, daemon=True).start()
import_torchvision()
loaded = "torch._dynamo" in sys.modules
import torch
from torchvision.ops import nms, roi_align
boxes = torch.tensor([[0.0, 0.0, 8.0, 8.0], [1.0, 1.0, 8.0, 8.0]])
assert nms(boxes, torch.tensor([0.9, 0.8]), 0.5).tolist() == [0]
assert roi_align(torch.ones(1, 2, 9, 9), [boxes], 3).shape == (2, 2, 3, 3)
import torch._dynamo.utils
function = sys.modules["torchvision.ops.roi_align"].is_compile_supported
assert function("cpu") == torch._dynamo.utils.is_compile_supported("cpu")
assert torch._dynamo.optimize and torch._dynamo.__file__
print(loaded)
"""


def loaded(threads: bool) -> str:
    words = [sys.executable, "-c", CODE.format(threads=threads)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_torchvision_comes_without_the_compiler() -> None:
    assert loaded(threads=False) == "False"


def test_beside_other_threads_it_is_an_ordinary_import() -> None:
    assert loaded(threads=True) == "True"


def test_filling_a_photo_never_loads_the_compiler() -> None:
    code = (
        "import sys; from uncover import Uncoverer; from uncover.faces.drawn import draw_face; "
        "import numpy as np; uncoverer = Uncoverer.from_pretrained(device='cpu'); "
        "photo = draw_face(1, 300).image; mask = np.zeros((300, 300), bool); "
        "mask[160:240, 100:200] = True; uncoverer(photo); uncoverer.fill(photo, mask); "
        "print('torch._dynamo' in sys.modules or 'sympy' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "False", done.stderr
