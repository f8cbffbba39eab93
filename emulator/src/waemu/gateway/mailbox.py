"""What waits to be told to a number's nodes: receipts and inbound messages. Without I/O."""

from __future__ import annotations

from collections import OrderedDict

import msgspec

from waemu.core.gateway_link import Event, Inbound
from waemu.shards import shard_of

LARGEST_BATCH = 100


class Item(msgspec.Struct):
    """One event; link: the id of the link it was sent to and not yet answered on, None while it waits."""

    event: Event
    link: int | None = None


class Mailbox:
    """Of one number. Nothing is forgotten before a node said that it is safe."""

    def __init__(self) -> None:
        self._items: OrderedDict[int, Item] = OrderedDict()
        self._next = 0
        self._batches: dict[tuple[int, int], list[int]] = {}

    def __len__(self) -> int:
        return len(self._items)

    def put(self, event: Event) -> None:
        """One more, after all others."""
        self._next += 1
        self._items[self._next] = Item(event)

    def take(self, link: int, shards: frozenset[int], count: int, batch: int) -> list[Event]:
        """The next events for a link that serves these shards of count; they are on their way with it now."""
        found: list[int] = []
        for key, item in self._items.items():
            if item.link is None and shard_of(item.event.wa_id, count) in shards:
                found.append(key)
                if len(found) == LARGEST_BATCH:
                    break
        for key in found:
            self._items[key].link = link
        if found:
            self._batches[link, batch] = found
        return [self._items[key].event for key in found]

    def on_its_way(self, link: int, batch: int) -> bool:
        """Whether a batch was taken and is not handled yet."""
        return (link, batch) in self._batches

    def handled(self, link: int, batch: int) -> None:
        """The node has them."""
        for key in self._batches.pop((link, batch), []):
            self._items.pop(key, None)

    def give_back(self, link: int) -> None:
        """The link is gone: what was on its way goes to whoever comes next."""
        for pair in [pair for pair in self._batches if pair[0] == link]:
            for key in self._batches.pop(pair):
                if key in self._items:
                    self._items[key].link = None

    def waits(self, message_id: str) -> bool:
        """Whether an inbound message was not handled yet."""
        return any(isinstance(item.event, Inbound) and item.event.id == message_id for item in self._items.values())
