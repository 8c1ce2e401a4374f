"""Drawn faces: nobody's, with exact landmarks, pose and labels; no data set is needed.

`head` is the relief, `paint` its colours, `face` puts both before a background.
Tests, `make train-smoke` and `make bench` run on them.
"""

import lazy_loader

# What others use is listed in __init__.pyi; a file is imported when a name of it is first used.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
