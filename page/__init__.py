"""The tabs of the page and its public functions: layout and event wiring, on top of `uncover`."""

from uncover.waiting import wait_briefly

wait_briefly()  # before anything here imports PyTorch
