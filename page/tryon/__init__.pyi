from .trial import Trials as Trials
from .trial import saved_pair as saved_pair
from .tryon import make_style as make_style
