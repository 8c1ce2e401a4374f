"""Which faces a photo shows, which of them wear a mask, and which pixels the mask covers.

The detector's finds are framed, judged and turned into tasks; straps are added.
The pipeline takes `FaceFinder` and `Task` from here.
"""

import lazy_loader

# What others use is listed in __init__.pyi; a file is imported when a name of it is first used.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
