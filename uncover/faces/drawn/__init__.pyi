from .face import ETHNICITIES as ETHNICITIES
from .face import DrawnFace as DrawnFace
from .face import draw_face as draw_face
from .face import write_drawn_faces as write_drawn_faces
