"""`python -m benchmark detect`: how well faces and masks are found.

Boxes, mask pixels, and how a mask is worn.
Nobody else needs it.
"""
