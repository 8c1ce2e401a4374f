from .engine import run as run
from .engine import run_with_ray as run_with_ray
from .shards import find_shards as find_shards
from .together import Together as Together
from .work import Work as Work
from .worker import Uncover as Uncover
