"""Every message the gateway took: when, from which node, and what became of it."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from waemu.protocol.gateway import Outgoing


class Entry(msgspec.Struct):
    """One message. Times are Unix times. repeats: how often it came again with the same id; nobody sees those.

    error: the code with which it failed, 0 when it did not.
    """

    seq: int
    id: str
    number: str
    wa_id: str
    type: str
    shard: int
    node: str
    instance: str
    body: dict[str, object]
    accepted_at: float
    delivered_at: float | None = None
    read_at: float | None = None
    failed_at: float | None = None
    error: int = 0
    repeats: int = 0


class Ledger:
    """In the order of arrival, in memory."""

    def __init__(self) -> None:
        self._entries: list[Entry] = []
        self._by_id: dict[tuple[str, str], Entry] = {}

    def __len__(self) -> int:
        return len(self._entries)

    def accept(self, number: str, message: Outgoing, shard: int, node: str, instance: str, at: float) -> bool:
        """Take a message; False when its id was there before, as WhatsApp drops what it already has."""
        known = self._by_id.get((number, message.id))
        if known is not None:
            known.repeats += 1
            return False
        seq = len(self._entries) + 1
        entry = Entry(
            seq, message.id, number, message.wa_id, message.type, shard, node, instance, message.body, accepted_at=at
        )
        self._entries.append(entry)
        self._by_id[number, message.id] = entry
        return True

    def get(self, number: str, message_id: str) -> Entry | None:
        """The entry of a message, None when it never came."""
        return self._by_id.get((number, message_id))

    def after(self, seq: int, limit: int, number: str = "") -> list[Entry]:
        """The next entries after one, oldest first; of one number, or of all."""
        return list(self._some(max(seq, 0), limit, number))

    def _some(self, seq: int, limit: int, number: str) -> Iterator[Entry]:
        for index in range(seq, len(self._entries)):
            if limit <= 0:
                return
            entry = self._entries[index]
            if not number or entry.number == number:
                limit -= 1
                yield entry

    @property
    def repeats(self) -> int:
        """How many messages came again."""
        return sum(entry.repeats for entry in self._entries)
