"""Calls to the database that end in time, also when the database hangs."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any, TypeVar

from waemu.clock import Clock

T = TypeVar("T")
DB_CALL = 10.0  # product seconds until a call counts as failed
log = logging.getLogger("waemu.node")


class DatabaseCalls:
    """Of one process."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.ending: set[asyncio.Task[None]] = set()  # calls that nobody waits for any more

    async def run(self, call: Coroutine[Any, Any, T]) -> T:
        """One call. Raises one of DB_ERRORS; TimeoutError when the database does not answer.

        It is not waited for when it has to be given up: the cleanup of a connection that leads nowhere can take as
        long as the call itself, and can swallow the request to stop.
        """
        work = asyncio.create_task(call)
        try:
            done, _ = await asyncio.wait((work,), timeout=max(self._clock.scaled(DB_CALL), 2.0))
        except asyncio.CancelledError:
            self._give_up(work)
            raise
        if done:
            return work.result()
        self._give_up(work)
        raise TimeoutError("the database does not answer")

    def _give_up(self, work: asyncio.Task[Any]) -> None:
        ending = asyncio.create_task(_end(work))
        self.ending.add(ending)
        ending.add_done_callback(self.ending.discard)


async def _end(work: asyncio.Task[Any]) -> None:
    """Ask a task to stop until it does."""
    while not work.done():
        work.cancel()
        await asyncio.wait((work,), timeout=1.0)
    if not work.cancelled() and work.exception() is not None:
        log.debug("A call to the database that was given up: %s", work.exception())
