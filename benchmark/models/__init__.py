"""What is under test: anything that paints a hole in a face crop.

Our weights, other programs, baselines, and numbers kept from before.
The run takes `Model` from here.
"""

import lazy_loader

# What others use is listed in __init__.pyi; a file is imported when a name of it is first used.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
