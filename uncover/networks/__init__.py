"""The networks and what they are made of.

Detector, segmenter, generator, enlarger, and the parts of their work that need no PyTorch.
The weights' registry builds them by name.
"""

import lazy_loader

# What others use is listed in __init__.pyi; a file is imported when a name of it is first used.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
