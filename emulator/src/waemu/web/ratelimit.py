"""Rate limits of one webapp: a token bucket per class of endpoint (reference 3.8). Pure: the time is passed in."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Limit:
    """C(rate) requests per product second on average, C(burst) at once."""

    rate: float
    burst: float

    def times(self, factor: float) -> Limit:
        """The same limit raised (or lowered) by a factor."""
        return Limit(self.rate * factor, self.burst * factor)


MESSAGES: t.Final = Limit(rate=50, burst=150)
MESSAGES_SINCE: t.Final = (2, 25, 3)
"""Before, messages had the limit of everything else."""
OTHERS: t.Final = Limit(rate=20, burst=60)


@dataclass
class Bucket:
    """One token bucket, full at the start."""

    limit: Limit
    _tokens: float = field(init=False)
    _at: float | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self._tokens = self.limit.burst

    def take(self, now: float) -> bool:
        """Take one token at monotonic time C(now) (seconds); False when there is none."""
        passed = 0.0 if self._at is None else max(0.0, now - self._at)
        self._at = now
        self._tokens = min(self.limit.burst, self._tokens + passed * self.limit.rate)
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


class RateLimits:
    """The two buckets of a webapp of some version. C(factor) raises both limits; 0 switches them off."""

    def __init__(self, version: tuple[int, ...], factor: float = 1.0) -> None:
        self._off = factor == 0
        scale = factor or 1.0
        messages = MESSAGES if version >= MESSAGES_SINCE else OTHERS
        self._messages = Bucket(messages.times(scale))
        self._others = Bucket(OTHERS.times(scale))

    def allows(self, path: str, now: float) -> bool:
        """Whether a request for a path may pass at monotonic time C(now)."""
        if self._off:
            return True
        bucket = self._messages if _is_messages(path) else self._others
        return bucket.take(now)


def _is_messages(path: str) -> bool:
    return path == "/v1/messages" or path.startswith("/v1/messages/")
