"""The product's times, and the one divisor that speeds a test cluster up.

All durations in the emulator are *product seconds*: what the product's documentation says. Only this file
turns them into real seconds (product seconds / WAEMU_TIME_DIVISOR). Section numbers are the fact reference's.
"""

from __future__ import annotations

import asyncio
import time

LEASE_TTL = 30.0  # 3.1: a primary that has not renewed for this long has lost the mastership
LEASE_RENEW = 10.0  # 3.1: how often every master renews, or tries to win, the lease
LIVENESS_WRITE = 60.0  # 3.3: each coreapp writes its liveness row this often
LIVENESS_STALE = 120.0  # 3.3: older than this, a coreapp is unhealthy by the database rule
DB_CHECK_PERIOD = 10.0  # 3.6: how often the primary reads the liveness rows
HEARTBEAT_INTERVAL = 5.0  # 3.3: default of the application setting of that name
UNHEALTHY_INTERVAL = 30.0  # 3.3: default of the application setting of that name
CONNECT_MIN, CONNECT_MAX = 3.0, 5.0  # 3.6: promotion to connected
RESHARD_STOP_MIN, RESHARD_STOP_MAX = 3.0, 8.0  # 3.9: 201 of set-shards to the exit of a coreapp
RESHARD_ASSIGN_AFTER = 42.0  # 3.9: assignment within 20-55 s, so that 45-60 s pass until all are connected
CONFIRMED_FOR = 2.0  # how long an owner that no master hears may serve after the database confirmed it
NODE_ROW_KEPT = LIVENESS_STALE + 120.0  # our choice (3.5 knows both): so long a silent node stays in health
SHARD_MAP_CACHE = 1.0  # our choice: how long a web trusts the map it read
CALLBACK_TIMEOUT = 10.0  # 4.8: how long a webhook may take to answer 200
COLLECT_PERIOD = 3600.0  # 4.4: how often the periodic cleanup runs
MEDIA_UNUSED = 30 * 86400.0  # 4.7: the cleanup deletes media nobody used for this long
CERT_GRACE = 7 * 86400.0  # 4.3: set-shards without certificate is safe this long after registration
TOKEN_LIFE = 7 * 86400.0  # 4.1: life of a token; wall time, never divided
CONTACT_LIFE = 7 * 86400.0  # 4.7: a contact check is cached this long; wall time, never divided


class Clock:
    """Product time on top of real time."""

    def __init__(self, divisor: float = 1.0) -> None:
        if not divisor > 0:
            raise ValueError(f"divisor must be > 0, not {divisor}")
        self.divisor = divisor

    def scaled(self, product_seconds: float) -> float:
        """Real seconds for a duration in product seconds."""
        return product_seconds / self.divisor

    def product(self, real_seconds: float) -> float:
        """Product seconds for a duration in real seconds."""
        return real_seconds * self.divisor

    def now(self) -> float:
        """A monotonic reading in product seconds; only differences mean anything."""
        return self.product(time.monotonic())

    async def sleep(self, product_seconds: float) -> None:
        """Sleep for a duration in product seconds."""
        await asyncio.sleep(self.scaled(product_seconds))
