from .cache import Table as Table
from .cache import digest as digest
from .options import add_face_arguments as add_face_arguments
from .run import Finished as Finished
