"""`python -m training.detector`."""

from training.run import start

if __name__ == "__main__":
    start("training.detector.loop")
