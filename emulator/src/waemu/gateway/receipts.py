"""What becomes of the messages that the gateway took: delivered, read, or failed, and when its nodes are notified."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

from waemu.gateway.state import Gateway
from waemu.protocol.gateway import DELIVERED, READ, Outgoing, Receipt, Status
from waemu.whatsapp.delivery import DELIVERED_AFTER, READ_AFTER

RECEIPTS_EVERY, RECEIPTS_FLOOR = 1.0, 0.1  # product and real seconds between readings of what is due


class Receipts:
    """Of all numbers."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._due: list[tuple[float, str, Status, list[Outgoing]]] = []  # by product time

    def accepted(self, number: str, messages: Sequence[Outgoing]) -> None:
        """These are in the ledger: they reach their users soon, or fail now."""
        arrived = [message for message in messages if not self._failed(number, message)]
        self._due.append((self._gateway.clock.now() + DELIVERED_AFTER, number, DELIVERED, arrived))

    def _failed(self, number: str, message: Outgoing) -> bool:
        """Whether a message does not reach its user; its receipt says why."""
        why = self._gateway.users(number).failure(message.wa_id, message.type, self._gateway.clock.now())
        if why is None:
            return False
        entry, now = self._gateway.ledger.get(number, message.id), time.time()
        assert entry is not None
        entry.failed_at, entry.error = now, why["code"]
        self._gateway.put(number, Receipt(message.id, message.wa_id, "failed", int(now), (why,)))
        return True

    async def run(self) -> None:
        """What becomes of messages: delivered, then read; a little later, for as long as this runs.

        One node after the other is notified, all within the time between two readings: nodes on one machine that all
        hear of everything at the same moment would be busy with it at the same moment, and slow for everybody else.
        """
        while True:
            every = max(self._gateway.clock.scaled(RECEIPTS_EVERY), RECEIPTS_FLOOR)
            links = [link for number in self._put_due() for link in self._gateway.links.of(number)]
            for link in links:
                self._gateway.wake_link(link)
                await asyncio.sleep(every / len(links))
            if not links:
                await asyncio.sleep(every)

    def _put_due(self) -> set[str]:
        """Put the receipts whose time has come into the mailboxes; returns the numbers they are for."""
        due, self._due = self._due, []
        now, numbers = self._gateway.clock.now(), set()
        for at, number, status, messages in due:
            if at > now:
                self._due.append((at, number, status, messages))
                continue
            self._receipts(number, messages, status)
            numbers.add(number)
            if status == DELIVERED:
                self._due.append((at + READ_AFTER - DELIVERED_AFTER, number, READ, messages))
        return numbers

    def _receipts(self, number: str, messages: list[Outgoing], status: Status) -> None:
        now, mailbox = time.time(), self._gateway.mailbox(number)
        for message in messages:
            entry = self._gateway.ledger.get(number, message.id)
            assert entry is not None
            if status == DELIVERED:
                entry.delivered_at = now
            else:
                entry.read_at = now
            mailbox.put(Receipt(message.id, message.wa_id, status, int(now)))
