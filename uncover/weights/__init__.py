"""Where weights come from, and how they are checked, loaded and saved.

A folder, a Hub repository or the embedded default: config.json, safetensors, cache.
Others load with `load_bundle` or `load_component` and save with `save_component`.
"""

import lazy_loader

# What others use is listed in __init__.pyi; a file is imported when a name of it is first used.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
