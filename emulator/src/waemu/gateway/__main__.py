"""C(python -m waemu.gateway)."""

from __future__ import annotations

import sys

from waemu.gateway.main import main

if __name__ == "__main__":
    sys.exit(main())
