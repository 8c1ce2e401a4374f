"""`python -m uncover` is the `uncover` command."""

from __future__ import annotations

import sys

from uncover.commands import main

if __name__ == "__main__":
    sys.exit(main())
