"""`python -m training.presence`."""

from training.run import start

if __name__ == "__main__":
    start("training.presence.fit")
