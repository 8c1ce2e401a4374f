"""`python -m training.pseudo`."""

from training.run import start

if __name__ == "__main__":
    start("training.pseudo.command")
