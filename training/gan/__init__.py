"""`python -m training.gan`: the generator against its two discriminators.

Coarse stage first, then the fine one; losses, networks and settings beside the loop.
Others take `train` and `GanSettings` from here.
"""

import lazy_loader

# What others use is listed in __init__.pyi; a file is imported when a name of it is first used.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
