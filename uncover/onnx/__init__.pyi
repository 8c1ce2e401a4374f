from .backend import OnnxGenerator as OnnxGenerator
from .backend import PainterSettings as PainterSettings
from .backend import load as load
from .backend import open_session as open_session
from .exporting import export as export
