"""`python -m training.pseudo`: masks on real photos by agreement of a segmenter with itself.

Labels for the next pass of the segmenter; what is doubtful is left out.
The segmenter's crops read them.
"""

import lazy_loader

# What others use is listed in __init__.pyi; a file is imported when a name of it is first used.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
