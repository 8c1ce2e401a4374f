"""One benchmark run, from the command line to its files.

Options, which models and metrics take part, filling, keeping values; and comparing two runs.
`python -m benchmark` starts here.
"""

import lazy_loader

# What others use is listed in __init__.pyi; a file is imported when a name of it is first used.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
