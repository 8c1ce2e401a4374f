"""The tabs of the page: layout and event wiring.

Each tab is one file; what they share is in `parts`.
`page/launch.py` builds the page of them.
"""

import lazy_loader

# What others use is listed in __init__.pyi; a file is imported when a name of it is first used.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
