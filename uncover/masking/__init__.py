"""Masks drawn by code on bare faces, for training, benchmark and demonstration."""

from uncover.masking.draw import mask_alpha
from uncover.masking.style import KINDS, WEAR, MaskStyle, random_style

__all__ = ["KINDS", "WEAR", "MaskStyle", "mask_alpha", "random_style"]
