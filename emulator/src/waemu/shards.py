"""Which shard a recipient belongs to (reference 3.2)."""

from __future__ import annotations

import hashlib

ALLOWED_COUNTS = (1, 2, 4, 8, 16, 32)
CONTROL_SHARD = -1


def shard_of(wa_id: str, shards: int) -> int:
    """The shard of a WhatsApp id: stable, in range(shards).

    The product says only C(hash % n) (3.2); the hash is this emulator's own choice, so nobody may rely on
    the shard of a given number, only on stability, range and spread.
    """
    digest = hashlib.sha256(wa_id.encode()).digest()
    return int.from_bytes(digest[:4], "big") % shards


def ranges(owned: set[int] | frozenset[int]) -> list[list[int]]:
    """Shards as the support endpoint shows them: C([[-1, -1], [0, 0]]), one range per shard."""
    return [[shard, shard] for shard in sorted(owned)]


def stands_for(shard: int, shards: int) -> list[int]:
    """The numbers under which rows of a shard may be kept, whatever the count was when they were written.

    Counts are powers of two, so each old shard belongs to exactly one of the shards there are now.
    """
    if shard == CONTROL_SHARD:
        return [shard]
    return [old for old in range(ALLOWED_COUNTS[-1]) if old % shards == shard]
