"""`python -m training.enlarger`."""

from training.run import start

if __name__ == "__main__":
    start("training.enlarger.loop")
