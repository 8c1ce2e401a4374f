"""`python -m training.pack`."""

from training.run import start

if __name__ == "__main__":
    start("training.pack.command")
