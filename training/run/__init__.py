"""What every training loop shares.

Settings from TOML and `--set`, checkpoints, the log, the stopwatch, the command line.
The loops take all of it from here.
"""

import lazy_loader

# What others use is listed in __init__.pyi; a file is imported when a name of it is first used.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
