"""What waits to be delivered to a number's nodes: receipts and inbound messages. Without I/O."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator

from waemu.protocol.gateway import LARGEST_BATCH, Event, Inbound
from waemu.shards import ALLOWED_COUNTS, CONTROL_SHARD, shard_of

FINEST = ALLOWED_COUNTS[-1]  # counts are powers of two: a shard of any count is some of the finest ones


class Mailbox:
    """Of one number. Nothing is forgotten before a node said that it is safe."""

    def __init__(self) -> None:
        self._waiting: list[deque[Event]] = [deque() for _ in range(FINEST)]
        self._sent: dict[tuple[int, int], list[Event]] = {}  # by link and batch
        self._inbound: set[str] = set()  # ids of the inbound messages among all of them

    def __len__(self) -> int:
        return sum(map(len, self._waiting)) + sum(map(len, self._sent.values()))

    def put(self, event: Event) -> None:
        """One more, after all others of its user."""
        self._waiting[shard_of(event.wa_id, FINEST)].append(event)
        if isinstance(event, Inbound):
            self._inbound.add(event.id)

    def take(self, link: int, shards: frozenset[int], count: int, batch: int) -> list[Event]:
        """The next events for a link that serves these shards of count; they are on their way with it now."""
        found: list[Event] = []
        for waiting in self._queues(shards, count):
            while waiting and len(found) < LARGEST_BATCH:
                found.append(waiting.popleft())
        if found:
            self._sent[link, batch] = found
        return found

    def waiting(self, shards: frozenset[int], count: int) -> int:
        """How many events there are for a link that serves these shards of count."""
        return sum(map(len, self._queues(shards, count)))

    def _queues(self, shards: Iterable[int], count: int) -> Iterator[deque[Event]]:
        for shard in shards:
            if shard != CONTROL_SHARD:
                yield from self._waiting[shard::count]

    def on_its_way(self, link: int, batch: int) -> bool:
        """Whether a batch was taken and is not handled yet."""
        return (link, batch) in self._sent

    def handled(self, link: int, batch: int) -> None:
        """The node has them."""
        for event in self._sent.pop((link, batch), []):
            if isinstance(event, Inbound):
                self._inbound.discard(event.id)

    def requeue(self, link: int) -> None:
        """The link is gone: what was on its way goes to whoever comes next, before anything newer."""
        for pair in [pair for pair in self._sent if pair[0] == link]:
            for event in reversed(self._sent.pop(pair)):
                self._waiting[shard_of(event.wa_id, FINEST)].appendleft(event)

    def waits(self, message_id: str) -> bool:
        """Whether an inbound message was not handled yet."""
        return message_id in self._inbound
