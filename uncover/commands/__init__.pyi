from .batch import run_all as run_all
from .jobs import plan as plan
from .photos import main as main
