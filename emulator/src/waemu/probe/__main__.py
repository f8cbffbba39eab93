"""C(python -m waemu.probe)."""

from __future__ import annotations

import sys

from waemu.probe.command import main

if __name__ == "__main__":
    sys.exit(main())
