from .command import RealMask as RealMask
from .command import is_pseudo_labelled as is_pseudo_labelled
from .command import read_real_masks as read_real_masks
