"""Data sets larger than one machine's patience: batches over photos, shards, parts, Ray Data.

`Uncover` does batches of rows anywhere; `run` does folders, WebDataset tars and Parquet files.
Others take those two and `Plan` from here.
"""

import lazy_loader

# What others use is listed in __init__.pyi; a file is imported when a name of it is first used.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
