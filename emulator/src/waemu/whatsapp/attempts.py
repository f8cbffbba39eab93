"""How often WhatsApp sends a registration code to one number (reference 4.3)."""

from __future__ import annotations

from collections.abc import Callable

from waemu.protocol.nodes import CoreError

MOST_ATTEMPTS, ATTEMPTS_WITHIN = 20, 3600.0  # codes for one number, product seconds (4.3: too many are 1015)


class Attempts:
    """How often a code was asked for of late. now: product seconds."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._asked: dict[str, list[float]] = {}

    def another(self, number: str) -> None:
        """One more. Raises CoreError 1015 when there were too many."""
        since = self._now() - ATTEMPTS_WITHIN
        asked = self._asked[number] = [at for at in self._asked.get(number, ()) if at > since]
        if len(asked) >= MOST_ATTEMPTS:
            raise CoreError(1015, f"More than {MOST_ATTEMPTS} codes for this number within an hour")
        asked.append(self._now())
