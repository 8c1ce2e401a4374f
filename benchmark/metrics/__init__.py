"""What is measured: one metric a module, each tested against reference values.

`known` lists every metric with its title and direction; `Scorer` is what a module gives a run.
Run, numbers and report take both from here.
"""

import lazy_loader

# What others use is listed in __init__.pyi; a file is imported when a name of it is first used.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
