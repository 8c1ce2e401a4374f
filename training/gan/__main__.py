"""`python -m training.gan`."""

from training.run import start

if __name__ == "__main__":
    start("training.gan.loop")
