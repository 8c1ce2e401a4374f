"""The second tab behind the scenes: a mask drawn on a visitor's face and taken off again.

The truth lies beside the guess, with scores.
The tab takes `Trials` from here.
"""

import lazy_loader

# What others use is listed in __init__.pyi; a file is imported when a name of it is first used.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
