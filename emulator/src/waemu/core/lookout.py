"""A master's view of the coreapps: heartbeats over their advertised health ports (reference 3.3)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from waemu.clock import Clock
from waemu.core.decide import Sight
from waemu.protocol.client import CoreClient
from waemu.protocol.nodes import CoreError, Ping, Silence
from waemu.store.cluster import NodeRow

PING_FLOOR = 0.5  # real seconds an answer may take at least, however fast the clock runs
log = logging.getLogger("waemu.lookout")


@dataclass
class Heard:
    """Of one coreapp: when it last answered, what it answered, what it was told with that heartbeat.

    silent_since: when the first heartbeat after that was sent that had no answer.
    """

    at: float
    silent_since: float | None = None
    answer: Ping | None = None
    answered: bool = False
    told: float = 0.0
    told_generation: int = 0


class Lookout:
    """Pings the coreapps and remembers; every master has one."""

    def __init__(self, clock: Clock, client: CoreClient) -> None:
        self._clock, self._client = clock, client
        self.rows: dict[str, NodeRow] = {}
        self.rows_read_at = clock.now()
        self._heard: dict[str, Heard] = {}

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

    async def round(self, news: Callable[[Heard], str], interval: float, told: float, generation: int) -> None:
        """One heartbeat to every coreapp at once.

        news: what to tell a node, as a query. interval: product seconds until the next round. told, generation: the
        unhealthy_interval and the generation that are among the news.
        """
        limit = max(self._clock.scaled(interval), PING_FLOOR)
        now = self._clock.now()
        for row in self.coreapps:
            self._heard.setdefault(row.node_key, Heard(at=now))
        await asyncio.gather(*(self._ping(row, news, limit, told, generation) for row in self.coreapps))

    async def _ping(
        self, row: NodeRow, news: Callable[[Heard], str], limit: float, told: float, generation: int
    ) -> None:
        heard = self._heard[row.node_key]
        query, sent_at = news(heard), self._clock.now()
        try:
            answer = await self._client.ping(row.endpoints, query, timeout=limit)
        except CoreError as error:
            answer = None
            if heard.answered:
                log.warning("No heartbeat from %s: %s", row.node_key, error.errors[0].details)
        if answer is None or answer.node_key != row.node_key:
            heard.answered = False
            heard.silent_since = sent_at if heard.silent_since is None else heard.silent_since
            return
        if not heard.answered:
            log.info("Heartbeat from %s", row.node_key)
        heard.at, heard.answer, heard.answered, heard.told = self._clock.now(), answer, True, told
        heard.silent_since = None
        if query:
            heard.told_generation = generation

    def silence(self) -> Silence:
        """For how long each coreapp has not answered, product seconds; 0 for those that do."""
        now = self._clock.now()
        return Silence({key: _silent(heard, now) for key, heard in self._heard.items()})

    async def silence_elsewhere(self, me: str, limit: float) -> list[Silence]:
        """The same from every other master that answers; those that do are the live ones."""
        others = [row for row in self.masters if row.node_key != me]
        answers = await asyncio.gather(*(self._ask(row, max(self._clock.scaled(limit), PING_FLOOR)) for row in others))
        return [answer for answer in answers if answer is not None]

    async def _ask(self, row: NodeRow, limit: float) -> Silence | None:
        try:
            return await self._client.silence(row.endpoints, timeout=limit)
        except CoreError:
            return None

    def sights(self, elsewhere: list[Silence]) -> dict[str, Sight]:
        """Everything known about the coreapps, for a decision."""
        now = self._clock.now()
        return {row.node_key: self._sight(row, now, elsewhere) for row in self.coreapps}

    def _sight(self, row: NodeRow, now: float, elsewhere: list[Silence]) -> Sight:
        heard = self._heard.get(row.node_key, Heard(at=now))
        answer = heard.answer if heard.answered else None
        return Sight(
            node_key=row.node_key,
            instance_id=answer.instance_id if answer else row.instance_id,
            generation=answer.generation if answer else 0,
            db_age=self._clock.product(row.age) + now - self.rows_read_at,
            silent=_silent(heard, now),
            silent_elsewhere=tuple(s.seconds[row.node_key] for s in elsewhere if row.node_key in s.seconds),
            answered=heard.answered,
            told=heard.told,
            told_generation=heard.told_generation,
            serving=row.serving and (answer is None or answer.instance_id == row.instance_id),
        )


def _silent(heard: Heard, now: float) -> float:
    return 0.0 if heard.silent_since is None else now - heard.silent_since
