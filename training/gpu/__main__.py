"""`python -m training.gpu`."""

from training.run import start

if __name__ == "__main__":
    start("training.gpu.parcel")
