from .files import FORMATS as FORMATS
from .files import ImageLike as ImageLike
from .files import MaskLike as MaskLike
from .files import read_image as read_image
from .files import read_mask as read_mask
from .files import write_image as write_image
from .photo import Photo as Photo
