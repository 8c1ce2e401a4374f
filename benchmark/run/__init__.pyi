from .cache import Table as Table
from .evaluate import begin as begin
from .evaluate import shown_of as shown_of
from .options import add_face_arguments as add_face_arguments
from .run import Finished as Finished
