"""Growing delays between attempts, as seen in the product's log (reference 3.7: 1000 ms ... 8000 ms)."""

from __future__ import annotations

FIRST, LONGEST = 1.0, 8.0  # product seconds


class Backoff:
    """The next delay: doubled each time up to the longest, back to the first after a success."""

    def __init__(self, first: float = FIRST, longest: float = LONGEST) -> None:
        self._first, self._longest = first, longest
        self._next = first

    def next(self) -> float:
        """Product seconds to wait before the next attempt."""
        delay = self._next
        self._next = min(self._next * 2, self._longest)
        return delay

    def reset(self) -> None:
        """The attempt worked."""
        self._next = self._first
