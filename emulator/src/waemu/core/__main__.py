"""C(python -m waemu.core)."""

from __future__ import annotations

import sys

from waemu.core.main import main

sys.exit(main())
