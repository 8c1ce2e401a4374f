"""`python -m training.segmenter`: which pixels of a crop are mask.

Faces with drawn masks and worn things, and how good a segmenter is.
The benchmark's formulas have a home of their own; nobody else needs this.
"""
