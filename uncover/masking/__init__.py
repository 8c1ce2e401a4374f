"""Masks drawn by code on bare faces, for training, benchmark and demonstration."""

from uncover.masking.draw import draw_mask, mask_alpha
from uncover.masking.style import KINDS, WEAR, MaskStyle, random_style

__all__ = ["KINDS", "WEAR", "MaskStyle", "draw_mask", "mask_alpha", "random_style"]
