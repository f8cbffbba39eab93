"""What WhatsApp knows of each number: its keys, codes and bans (reference 1 and 4.3). Without I/O; now is given.

All times are product seconds of any one clock.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field

BAN_SECONDS = 3600.0  # how long a temporary ban lasts
CODE_SECONDS = 600.0  # how long a registration code is good
EVICTION_WINDOW = 3600.0  # two installations that evict each other within this are banned


@dataclass
class Ban:
    """One temporary ban. nodes: who was involved; at: Unix time, for the reader; ends: product seconds."""

    number: str
    reason: str
    nodes: list[str]
    at: float
    ends: float
    lifted: bool = False


@dataclass
class Account:
    """One number. out: why nobody may connect (logged_off, disconnected), empty when somebody may."""

    number: str
    identity: str = ""
    code: str = ""
    code_method: str = ""
    code_ends: float = float("-inf")
    out: str = ""
    evicted_at: list[float] = field(default_factory=list)


class Accounts:
    """All numbers. fixed_code: the code every number gets, empty for random ones."""

    def __init__(self, fixed_code: str = "") -> None:
        self._fixed_code = fixed_code
        self.numbers: dict[str, Account] = {}
        self.bans: list[Ban] = []

    def account(self, number: str) -> Account:
        """The account of a number; every number exists."""
        return self.numbers.setdefault(number, Account(number))

    def send_code(self, number: str, method: str, now: float) -> str:
        """Make up a code; the one before is void."""
        account = self.account(number)
        account.code = self._fixed_code or f"{secrets.randbelow(10**6):06d}"
        account.code_method, account.code_ends = method, now + CODE_SECONDS
        return account.code

    def verify(self, number: str, code: str, identity: str, now: float, *, former_is_live: bool) -> bool:
        """The keys of identity become the number's when the code is right; all others are logged off (4.3).

        former_is_live: another installation is connected with the keys before. Two that evict each other are banned.
        """
        account = self.account(number)
        right = bool(account.code) and now < account.code_ends and secrets.compare_digest(code, account.code)
        if not right:
            return False
        if former_is_live and identity != account.identity:
            account.evicted_at = [at for at in account.evicted_at if now - at < EVICTION_WINDOW] + [now]
        account.identity, account.code, account.out = identity, "", ""
        return True

    def evict_each_other(self, number: str) -> bool:
        """Whether installations threw each other out, not only one the other."""
        return len(self.account(number).evicted_at) > 1

    def ban(self, number: str, reason: str, nodes: list[str], now: float, at: float, seconds: float) -> Ban:
        """Nobody connects for so many product seconds; a ban that runs goes on, counted again."""
        ban = Ban(number, reason, nodes, at, now + seconds)
        self.bans.append(ban)
        return ban

    def lift(self, number: str, now: float) -> int:
        """End the bans of a number; returns how many there were."""
        running = [ban for ban in self.bans if ban.number == number and self._runs(ban, now)]
        for ban in running:
            ban.lifted = True
        return len(running)

    def banned_for(self, number: str, now: float) -> float:
        """Product seconds until nobody bans the number any more; 0 when it is free."""
        return max((ban.ends - now for ban in self.bans if ban.number == number and self._runs(ban, now)), default=0.0)

    def out(self, number: str, identity: str) -> str:
        """Why this installation may not connect: empty when it may. The first one ever seen is believed."""
        account = self.account(number)
        if not account.identity:
            account.identity = identity
        if identity != account.identity:
            return "logged_off"
        return account.out

    @staticmethod
    def _runs(ban: Ban, now: float) -> bool:
        return not ban.lifted and now < ban.ends
