"""How a master finds out who is dead: heartbeats over the coreapps' advertised health ports (reference 3.3)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from waemu.clock import Clock
from waemu.core.decide import NodeView
from waemu.protocol.client import CoreClient
from waemu.protocol.nodes import CoreError, Heartbeat, HeartbeatReply, MissedHeartbeats, OwnershipGrant
from waemu.store.cluster import NodeRow

REPLY_FLOOR = 0.5  # real seconds an answer may take at least, however fast the clock runs
log = logging.getLogger("waemu.lookout")  # the name that stands in the log lines


@dataclass
class LastHeard:
    """Of one coreapp: when it last answered, what it answered, and what it knows since that heartbeat.

    missing_since: when the first heartbeat after that was sent that had no answer. known_interval, known_generation:
    see decide.NodeView.
    """

    at: float
    missing_since: float | None = None
    reply: HeartbeatReply | None = None
    answered: bool = False
    known_interval: float = 0.0
    known_generation: int = 0

    def missing_for(self, now: float) -> float:
        """Product seconds without an answer; 0 for one that answers."""
        return 0.0 if self.missing_since is None else now - self.missing_since


Grants = Callable[[LastHeard], OwnershipGrant | None]
"""What the master vouches for to a coreapp with the next heartbeat."""


class FailureDetector:
    """Sends heartbeats to the coreapps and remembers the answers; every master has one."""

    def __init__(self, clock: Clock, client: CoreClient) -> None:
        self._clock, self._client = clock, client
        self.rows: dict[str, NodeRow] = {}
        self.rows_read_at = clock.now()
        self._heard: dict[str, LastHeard] = {}

    def update(self, rows: Mapping[str, NodeRow]) -> bool:
        """Take in the rows of the database; True when a coreapp boot is among them that was not known."""
        fresh = {row.instance_id for row in rows.values()} - {row.instance_id for row in self.rows.values()}
        self.rows, self.rows_read_at = dict(rows), self._clock.now()
        for key in [key for key in self._heard if key not in rows]:
            del self._heard[key]
        return bool(fresh)

    @property
    def coreapps(self) -> list[NodeRow]:
        """All coreapps, lowest key first."""
        return [row for _key, row in sorted(self.rows.items()) if row.role == "coreapp"]

    @property
    def masters(self) -> list[NodeRow]:
        """All masters, lowest key first."""
        return [row for _key, row in sorted(self.rows.items()) if row.role == "master"]

    async def round(self, grants: Grants, *, every: float, unhealthy_interval: float) -> None:
        """One heartbeat to every coreapp at once.

        every: product seconds until the next round, which an answer may take. unhealthy_interval: the setting, which
        holds for all who answer this round.
        """
        limit = max(self._clock.scaled(every), REPLY_FLOOR)
        now = self._clock.now()
        for row in self.coreapps:
            self._heard.setdefault(row.node_key, LastHeard(at=now))
        await asyncio.gather(*(self._send(row, grants, limit, unhealthy_interval) for row in self.coreapps))

    async def _send(self, row: NodeRow, grants: Grants, limit: float, unhealthy_interval: float) -> None:
        heard = self._heard[row.node_key]
        heartbeat, sent_at = Heartbeat(grants(heard)), self._clock.now()
        reply = await self._reply(row, heartbeat, limit, was_heard=heard.answered)
        if reply is None:
            heard.answered = False
            heard.missing_since = sent_at if heard.missing_since is None else heard.missing_since
            return
        if not heard.answered:
            log.info("Heartbeat from %s", row.node_key)
        heard.at, heard.reply, heard.answered = self._clock.now(), reply, True
        heard.missing_since, heard.known_interval = None, unhealthy_interval
        if heartbeat.grant is not None:
            heard.known_generation = heartbeat.grant.generation

    async def _reply(
        self, row: NodeRow, heartbeat: Heartbeat, limit: float, *, was_heard: bool
    ) -> HeartbeatReply | None:
        """What the node answers; None also when another one does, which has its address by now."""
        try:
            reply = await self._client.heartbeat(row.endpoints, heartbeat, timeout=limit)
        except CoreError as error:
            if was_heard:
                log.warning("No heartbeat from %s: %s", row.node_key, error.errors[0].details)
            return None
        return reply if reply.node_key == row.node_key else None

    def missed(self) -> MissedHeartbeats:
        """For how long each coreapp has not answered, product seconds; 0 for those that do."""
        now = self._clock.now()
        return MissedHeartbeats({key: heard.missing_for(now) for key, heard in self._heard.items()})

    async def missed_elsewhere(self, me: str, limit: float) -> list[MissedHeartbeats]:
        """The same from every other master that answers; those that do are the live ones."""
        others = [row for row in self.masters if row.node_key != me]
        answers = await asyncio.gather(
            *(self._query(row, max(self._clock.scaled(limit), REPLY_FLOOR)) for row in others)
        )
        return [answer for answer in answers if answer is not None]

    async def _query(self, row: NodeRow, limit: float) -> MissedHeartbeats | None:
        try:
            return await self._client.missed_heartbeats(row.endpoints, timeout=limit)
        except CoreError:
            return None

    def views(self, elsewhere: list[MissedHeartbeats]) -> dict[str, NodeView]:
        """Everything known about the coreapps, for a decision."""
        now = self._clock.now()
        return {row.node_key: self._view(row, now, elsewhere) for row in self.coreapps}

    def _view(self, row: NodeRow, now: float, elsewhere: list[MissedHeartbeats]) -> NodeView:
        heard = self._heard.get(row.node_key, LastHeard(at=now))
        reply = heard.reply if heard.answered else None
        return NodeView(
            node_key=row.node_key,
            instance_id=reply.instance_id if reply else row.instance_id,
            generation=reply.generation if reply else 0,
            db_age=self._clock.product(row.age) + now - self.rows_read_at,
            silent=heard.missing_for(now),
            silent_elsewhere=tuple(one.seconds[row.node_key] for one in elsewhere if row.node_key in one.seconds),
            answered=heard.answered,
            known_interval=heard.known_interval,
            known_generation=heard.known_generation,
            serving=row.serving and (reply is None or reply.instance_id == row.instance_id),
        )
