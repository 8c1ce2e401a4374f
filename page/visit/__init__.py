"""One visitor's photo, from upload to download.

What is kept between two clicks: files, weights chosen, masks put right by hand.
The tabs take a `Visit` through its steps.
"""

import lazy_loader

# What others use is listed in __init__.pyi; a file is imported when a name of it is first used.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
