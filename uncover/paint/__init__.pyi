from .compositing import BLENDS as BLENDS
from .compositing import Blend as Blend
from .compositing import match_colours as match_colours
from .compositing import paste as paste
from .painting import paint_task as paint_task
from .samples import answers as answers
from .samples import check_samples as check_samples
from .samples import is_varied as is_varied
