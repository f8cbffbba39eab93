"""One webapp: everything its endpoints work with."""

from __future__ import annotations

import asyncio
import typing as t
from dataclasses import dataclass, field
from enum import Enum

if t.TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy.ext.asyncio import AsyncEngine

    from waemu.clock import Clock
    from waemu.environment import WebEnv
    from waemu.store.timing import DbTiming
    from waemu.web.auth import Authenticator
    from waemu.web.metrics import Metrics
    from waemu.web.ratelimit import RateLimits
    from waemu.web.routing import Cores


class Readiness(Enum):
    """How far the database is (reference 3.5: a schema being created or upgraded)."""

    NO_SCHEMA = "The database is not initialised yet"
    OLD_SCHEMA = "The database schema is older than this client and has to be upgraded"
    READY = "ready"


@dataclass
class Webapp:
    """What endpoints are given. Nothing here outlives the process: all state is in the database."""

    env: WebEnv
    clock: Clock
    engine: AsyncEngine
    auth: Authenticator
    cores: Cores
    limits: RateLimits
    metrics: Metrics
    media_dir: Path
    db_timing: DbTiming
    readiness: Readiness = Readiness.NO_SCHEMA
    _background: set[asyncio.Task[None]] = field(default_factory=set)

    def in_background(self, work: t.Coroutine[t.Any, t.Any, None]) -> None:
        """Go on with work after the answer was given. The work handles its own errors."""
        task = asyncio.create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    async def finish(self) -> None:
        """Wait for what goes on in the background."""
        await asyncio.gather(*self._background)
