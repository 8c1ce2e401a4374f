"""What a benchmark says of weights: its metrics and results.json.

The benchmark writes results.json; publishing and the page read it here. Gives metrics with title,
direction and digits, the one reader, and values as text.
"""

import lazy_loader

# What others use is listed in __init__.pyi; a file is imported when a name of it is first used.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
