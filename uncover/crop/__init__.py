"""The square frame of a face, and what of it is painted.

A similarity transform between photo and crop, refined by five points; patches of photo pixels.
Others take `FaceCrop` and `Patch` from here.
"""

import lazy_loader

# What others use is listed in __init__.pyi; a file is imported when a name of it is first used.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
