"""Kills at bad moments, run on demand: `python -m tests.faults.NAME`."""
