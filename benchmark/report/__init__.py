"""Numbers for people: tables, charts, sheets, report.md, the card's part.

Only reads results; nothing is measured here.
The run writes them at its end.
"""

import lazy_loader

# What others use is listed in __init__.pyi; a file is imported when a name of it is first used.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
