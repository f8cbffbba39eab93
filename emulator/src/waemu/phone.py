"""Phone numbers as somebody has them written down (reference 4.7, 4.10). Pure."""

from __future__ import annotations

import re

_FORM = re.compile(r"\+?[0-9 ().\-]+")


def digits(text: str) -> str | None:
    """The number with its country code in digits alone, whichever form of it this is; None for any other text."""
    if not _FORM.fullmatch(text):
        return None
    found = re.sub(r"[^0-9]", "", text)
    return None if found.startswith("0") else found or None  # no country code begins with 0
