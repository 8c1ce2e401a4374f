"""What a face is, once for all packages.

Landmarks, the mean face, head pose, the manifest of a data set, and drawn faces.
Training, benchmark and page take faces from here.
"""

import lazy_loader

# What others use is listed in __init__.pyi; a file is imported when a name of it is first used.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
