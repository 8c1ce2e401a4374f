from .command import pack as pack
from .command import shrunk as shrunk
