"""`python -m training.variety`: several answers to one face.

A latent vector learned on top of a finished generator.
Nobody else needs it.
"""
