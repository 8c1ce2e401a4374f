"""`python -m training.prepare`; SIGTERM ends it as Ctrl-C does, with nothing lost."""

import signal

from training.prepare.command import interrupt
from training.run import start

if __name__ == "__main__":
    signal.signal(signal.SIGTERM, interrupt)
    start("training.prepare.command")
