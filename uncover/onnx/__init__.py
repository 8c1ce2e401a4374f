"""The networks as ONNX files.

Export, and the same methods by onnxruntime or OpenVINO, without PyTorch.
`uncover export onnx` and the backends "onnx" and "openvino" use it.
"""

import lazy_loader

# What others use is listed in __init__.pyi; a file is imported when a name of it is first used.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
