"""Networks that look at pictures for the metrics, found where packages and caches keep them.

Feature rows for FID, KID and C2ST, and the face mesh for mouths.
Metrics, run and report take them from here.
"""

import lazy_loader

# What others use is listed in __init__.pyi; a file is imported when a name of it is first used.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
