import sys

import cv2
import numpy as np
import pytest

from benchmark.models.adapters import make_adapter
from benchmark.models.models import paint
from uncover.errors import UncoverError

RNG = np.random.default_rng(0)
IMAGE = RNG.integers(0, 256, (48, 48, 3), dtype=np.uint8)
HOLE = np.zeros((48, 48), bool)
HOLE[20:40, 10:38] = True

PROGRAM = """
import sys, cv2
image, mask = cv2.imread(sys.argv[1]), cv2.imread(sys.argv[2], 0)
image[mask > 127] = (10, 20, 30)
image[0, 0] = 0
cv2.imwrite(sys.argv[3], image)
"""


def command(tmp_path, program: str, words: str = "{image} {mask} {out}") -> str:
    script = tmp_path / "fill.py"
    script.write_text(program)
    return f"cmd:{sys.executable} {script} {words}"


def test_command_gets_and_gives_rgb_and_keeps_known_pixels(tmp_path):
    model = make_adapter(f"mine={command(tmp_path, PROGRAM)}")
    assert model.name == "mine"
    result = paint(model, IMAGE, HOLE, "photo")
    assert (result[HOLE] == (30, 20, 10)).all()
    assert np.array_equal(result[~HOLE], IMAGE[~HOLE])


@pytest.mark.parametrize(
    ("program", "message"),
    [
        ("import sys; sys.exit('no weights')", "ended with exit status 1: no weights"),
        ("pass", "wrote no picture"),
    ],
)
def test_command_that_fails(tmp_path, program, message):
    with pytest.raises(UncoverError, match=message):
        paint(make_adapter(command(tmp_path, program)), IMAGE, HOLE, "photo")


def test_edited_program_is_another_model(tmp_path):
    first = make_adapter(command(tmp_path, PROGRAM)).fingerprint
    assert make_adapter(command(tmp_path, PROGRAM)).fingerprint == first
    assert make_adapter(command(tmp_path, PROGRAM + "\n")).fingerprint != first


@pytest.mark.parametrize(("function", "value"), [("grey", 128), ("tinted", None)])
def test_python_callable(function, value):
    model = make_adapter(f"python:tests.benchmark.stand_ins:{function}")
    result = paint(model, IMAGE, HOLE, "photo")
    expected = np.rint(IMAGE[~HOLE].mean(0)) if value is None else value
    assert (np.abs(result[HOLE] - expected) <= 1).all()
    assert np.array_equal(result[~HOLE], IMAGE[~HOLE])


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("fill.py", r"write \[NAME=\]dir:"),
        ("cmd:fill {image} {out}", r"must contain \{mask\}"),
        ("cmd:fill '{image} {mask} {out}", "No closing quotation"),
        ("python:no.such.module:f", "cannot be imported"),
        ("python:tests.benchmark.stand_ins:absent", "cannot be imported"),
        ("python:tests.benchmark.stand_ins:__name__", "is not callable"),
        ("onnx:absent.onnx", "there is no such file"),
        ("onnx:absent.onnx?size=3", "unknown option size"),
        ("onnx:absent.onnx?range=1", "write range=LOW,HIGH"),
    ],
)
def test_unusable_specs(spec, message):
    with pytest.raises(UncoverError, match=message):
        make_adapter(spec)


def onnx_file(path, inputs: int, size: int | None):
    """A model that fills with the constant 0.5 of its range's middle, by the mask."""
    onnx = pytest.importorskip("onnx")
    from onnx import TensorProto, helper

    side = [size, size] if size else ["h", "w"]
    if inputs == 2:
        nodes = [helper.make_node("Add", ["image", "mask"], ["out"])]
        given = [("image", 3), ("mask", 1)]
    else:
        starts = [helper.make_tensor(n, TensorProto.INT64, [1], [v]) for n, v in
                  (("a", 0), ("b", 3), ("c", 4), ("axis", 1))]  # fmt: skip
        nodes = [
            helper.make_node("Slice", ["x", "a", "b", "axis"], ["rgb"]),
            helper.make_node("Slice", ["x", "b", "c", "axis"], ["m"]),
            helper.make_node("Add", ["rgb", "m"], ["out"]),
        ]
        given = [("x", 4)]
    values = [helper.make_tensor_value_info(n, TensorProto.FLOAT, [1, c, *side]) for n, c in given]
    out = helper.make_tensor_value_info("out", TensorProto.FLOAT, [1, 3, *side])
    graph = helper.make_graph(nodes, "g", values, [out], starts if inputs == 1 else [])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, path)
    return path


@pytest.mark.parametrize("inputs", [1, 2])
@pytest.mark.parametrize("size", [None, 48, 24])
def test_onnx_file_fills_zero_plus_one_with_white(tmp_path, inputs, size):
    pytest.importorskip("onnxruntime")
    model = make_adapter(f"onnx:{onnx_file(tmp_path / 'm.onnx', inputs, size)}")
    result = paint(model, IMAGE, HOLE, "photo")
    inner = cv2.erode(HOLE.astype(np.uint8), np.ones((7, 7))).astype(bool)
    assert (result[inner] == 255).all()
    assert np.array_equal(result[~HOLE], IMAGE[~HOLE])
    assert model.weights_sha256 is not None


def test_file_that_is_no_onnx(tmp_path):
    pytest.importorskip("onnxruntime")
    (tmp_path / "m.onnx").write_bytes(b"nothing")
    with pytest.raises(UncoverError, match=r"m\.onnx does not load"):
        make_adapter(f"onnx:{tmp_path / 'm.onnx'}")
