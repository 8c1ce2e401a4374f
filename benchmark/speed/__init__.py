"""How long each step takes here, on which backend, and where the time goes."""

OURS, ORIGINAL, FFC = "ours", "original's generator", "27 M FFC inpainter"
"""The generators that are compared."""
