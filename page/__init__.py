"""The tabs of the page and its public functions: layout and event wiring, on top of `uncover`."""
