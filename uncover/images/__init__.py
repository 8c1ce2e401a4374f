"""Picture files in and out, and the photo in memory.

EXIF orientation, colour profile, alpha, the size limit, and the note in a written picture.
Others read with `read_image`, hold a `Photo`, and write with `write_image`.
"""

import lazy_loader

# What others use is listed in __init__.pyi; a file is imported when a name of it is first used.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
