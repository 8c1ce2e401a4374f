"""`python -m training.publish`: finished runs to a weights folder, its card, and the Hub.

The card tells origin, licence and benchmark results.
Nobody else needs it.
"""
