"""`python -m training.variety`."""

from training.run import start

if __name__ == "__main__":
    start("training.variety.loop")
