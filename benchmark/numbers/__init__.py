"""From values of photos to numbers of slices, with intervals.

Bootstrap, slices, gaps, the form of results.json, per_photo.csv.
Run and report take them from here.
"""

import lazy_loader

# What others use is listed in __init__.pyi; a file is imported when a name of it is first used.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
