"""`python -m page`, which is what `uncover page` runs."""

from __future__ import annotations

import sys

from page.launch import main

if __name__ == "__main__":
    sys.exit(main())
