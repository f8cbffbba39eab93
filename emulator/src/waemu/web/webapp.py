"""One webapp: everything its end points work with."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass
from enum import Enum

if t.TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy.ext.asyncio import AsyncEngine

    from waemu.clock import Clock
    from waemu.environment import WebEnv
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
    """What end points are given. Nothing here outlives the process: all state is in the database."""

    env: WebEnv
    clock: Clock
    engine: AsyncEngine
    auth: Authenticator
    cores: Cores
    limits: RateLimits
    metrics: Metrics
    media_dir: Path
    readiness: Readiness = Readiness.NO_SCHEMA
