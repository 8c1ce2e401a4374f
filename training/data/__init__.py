"""From prepared faces to draws: crop, hole, valid pixels.

Faces in memory or in shards, balanced sampling, heads that turn, holes, camera faults, COCO boxes.
The loops open their data with `open_data`.
"""

import lazy_loader

# What others use is listed in __init__.pyi; a file is imported when a name of it is first used.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
