"""`python -m training.segmenter`."""

from training.run import start

if __name__ == "__main__":
    start("training.segmenter.loop")
