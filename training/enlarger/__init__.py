"""`python -m training.enlarger`: finer detail for faces larger than the generator paints.

A small stage learned on a finished generator's answers at twice their resolution.
Nobody else needs it.
"""
