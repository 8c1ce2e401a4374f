"""`python -m training.publish`."""

from training.run import start

if __name__ == "__main__":
    start("training.publish.command")
