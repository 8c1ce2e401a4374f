"""The entry of a Space: `python app.py` starts the page, as `uncover page` does."""

from __future__ import annotations

import sys

from page.launch import build, main, serve

__all__ = ["build", "main", "serve"]

if __name__ == "__main__":
    sys.exit(main())
