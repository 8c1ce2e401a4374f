"""`python -m training.pack`: a prepared folder as WebDataset shards.

For data too large for memory, or on another machine.
`training.data` reads them back.
"""

import lazy_loader

# What others use is listed in __init__.pyi; a file is imported when a name of it is first used.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
