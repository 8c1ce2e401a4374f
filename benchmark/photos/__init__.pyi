from .crops import face_crop as face_crop
from .datasets import DataSet as DataSet
from .readers import FORMATS as FORMATS
from .rendered import Case as Case
from .rendered import Cases as Cases
from .rendered import Rendered as Rendered
from .rendered import draw_cases as draw_cases
