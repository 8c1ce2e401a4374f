from .drawn import DrawnTrial as DrawnTrial
from .drawn import drawn_trials as drawn_trials
from .trial import Trials as Trials
from .trial import saved_strip as saved_strip
from .tryon import make_style as make_style
