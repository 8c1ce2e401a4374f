"""Pictures and words that explain a result.

Boxes and pairs of faces, other guesses, the summary, the card as HTML.
Visit and tabs take them from here.
"""

import lazy_loader

# What others use is listed in __init__.pyi; a file is imported when a name of it is first used.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
