"""`python -m training.prepare`: any face data set to a manifest.

Readers, measuring in processes, what is left out and why.
Others read the manifest, not this.
"""
