from .batch import run_all as run_all
from .photos import main as main
from .places import plan as plan
