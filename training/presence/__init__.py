"""`python -m training.presence`: whether a crop shows a face at all.

Fits one layer of a finished segmenter on finds that are faces and finds that are not.
Nobody else needs it.
"""
