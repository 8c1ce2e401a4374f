"""The `uncover` command.

Photos in and out, batches with results, and `uncover weights` and `uncover export`.
`main` is the entry point; others use `Job` and `run_batch`.
"""

import lazy_loader

# What others use is listed in __init__.pyi; a file is imported when a name of it is first used.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
