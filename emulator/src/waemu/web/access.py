"""Who may call an endpoint, and who did (reference 4.1)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from waemu.web import tokens


class Access(Enum):
    """Who may call an endpoint (reference 4.1)."""

    OPEN = "open"
    """Nobody needs to say who they are."""
    BASIC = "basic"
    """User name and password: login only."""
    USER = "user"
    """A token of any role."""
    ADMIN = "admin"
    """A token of ROLE_ADMIN."""
    PROBE = "probe"
    """A token of any role, or the API key: health, metrics and stats."""


@dataclass(frozen=True)
class Caller:
    """Who sent the request. C(claims) is None for the API key."""

    username: str
    role: str
    claims: tokens.Claims | None
