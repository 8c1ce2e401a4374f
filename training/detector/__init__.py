"""`python -m training.detector`: faces with and without masks in whole photos.

Scenes at every scale, and average precision by class and size.
Nobody else needs it.
"""
