from .coarse import DRAWN_AT as DRAWN_AT
from .coarse import small_batch as small_batch
from .discriminators import DiscriminatorConfig as DiscriminatorConfig
from .discriminators import PatchDiscriminator as PatchDiscriminator
from .loop import main as main
from .networks import build_lpips as build_lpips
from .networks import update_ema as update_ema
from .start import critics_in as critics_in
