"""For whom does a mask-filling model work, and at which head pose? Run `python -m benchmark`."""
