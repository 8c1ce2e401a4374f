"""The photos under test, their labels, crops and drawn masks.

Readers of face data sets, and manifests that name photos without holding them.
The run takes `DataSet` and `Cases` from here.
"""

import lazy_loader

# What others use is listed in __init__.pyi; a file is imported when a name of it is first used.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
