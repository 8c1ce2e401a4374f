from .adapters import make_adapter as make_adapter
from .kept import check_comparable as check_comparable
from .kept import keep as keep
from .models import FillModel as FillModel
from .models import Shown as Shown
from .models import UncoverModel as UncoverModel
from .models import paint as paint
from .models import weights_name as weights_name
