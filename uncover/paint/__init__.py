"""From a task to painted pixels in the photo.

The generator's answers, the blend at the edge, grain and tone.
The pipeline takes `paint_task` and `answers` from here.
"""

import lazy_loader

# What others use is listed in __init__.pyi; a file is imported when a name of it is first used.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
