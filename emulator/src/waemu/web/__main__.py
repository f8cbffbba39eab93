"""C(python -m waemu.web)."""

from __future__ import annotations

import sys

from waemu.web.main import main

sys.exit(main())
