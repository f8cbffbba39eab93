"""Callbacks from a coreapp to the webhook (reference 4.4 and 4.8): content, retries, persistence, limits."""

from __future__ import annotations

import asyncio
import itertools

import pytest
import sqlalchemy as sa
from ansible_collections.waent.fleet.tests.support.this_machine import PATIENCE
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.core.conftest import DIVISOR, Boot, Hook, Start, until
from waemu.core.callback_delivery import SHORTEST_DELAY
from waemu.protocol.gateway import Inbound, Receipt
from waemu.protocol.nodes import CoreError
from waemu.schema import tables
from waemu.store import callbacks, certificates, config, counts


async def waiting(boot: object) -> int:
    """Callbacks in the database."""
    return await counts.callbacks(boot.node.engine)  # type: ignore[attr-defined]


async def kept(boot: object, number: int) -> None:
    """Until so many callbacks wait."""
    async with asyncio.timeout(PATIENCE):
        while await waiting(boot) != number:
            await asyncio.sleep(0.02)


async def gone(boot: object) -> None:
    """Until no callback waits any more."""
    await kept(boot, 0)


async def test_the_webhook_hears_what_becomes_of_a_message(start: Start, hooked: Hook) -> None:
    async with start() as boot:
        await boot.change(webhooks={"message": {"sent": True}})
        await boot.send("m1")
        await until(lambda: len(hooked.statuses("m1")) == 3)
        assert sorted(hooked.statuses("m1")) == ["delivered", "read", "sent"]
        item = next(body["statuses"][0] for body in hooked.got if body["statuses"][0]["status"] == "sent")
        assert set(item) == {"id", "recipient_id", "status", "timestamp", "conversation", "pricing"}
        assert (item["recipient_id"], item["timestamp"].isdigit()) == ("4917000001", True)
        async with boot.node.engine.connect() as connection:
            assert await connection.scalar(sa.select(tables.messages.c.status)) == "read"
            log = await connection.scalars(sa.select(tables.message_receipt_log.c.status))
            assert sorted(log) == ["delivered", "read", "sent"]
        counted = {(one.store, one.op): one.requests for one in boot.node.db_timing.counts()}
        assert counted["message", "insert"] >= 3  # the message, and what became of it
        await gone(boot)


async def test_sent_is_reported_to_nobody_who_does_not_ask(start: Start, hooked: Hook) -> None:
    async with start() as boot:
        await boot.change(webhooks={"message": {"read": False}})
        await boot.send("m1")
        boot.deliver(Receipt("m1", "4917000001", "failed", 1, ({"code": 470, "title": "x"},)))
        await until(lambda: "failed" in hooked.statuses("m1"))
        await asyncio.sleep(0.3)
        assert set(hooked.statuses("m1")) <= {"delivered", "failed"}
        failed = next(b["statuses"][0] for b in hooked.got if b["statuses"][0]["status"] == "failed")
        assert failed["errors"] == [{"code": 470, "title": "x"}]


@pytest.fixture
def delays(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """For how many product seconds callbacks were put off, one after the other."""
    noted: list[float] = []
    put_off = callbacks.put_off

    async def note(engine: AsyncEngine, callback_id: int, attempts: int, seconds: float) -> None:
        noted.append(round(seconds * DIVISOR, 6))
        await put_off(engine, callback_id, attempts, seconds)

    monkeypatch.setattr(callbacks, "put_off", note)
    return noted


async def test_a_failed_callback_comes_again_ever_later(start: Start, hooked: Hook, delays: list[float]) -> None:
    hooked.answers = [500, 302, 404]
    async with start() as boot:
        boot.deliver(Inbound("in1", "4917000001", "Anna", "text", {"body": "hello"}, 1700000000))
        await until(lambda: hooked.got)
    assert hooked.got == [
        {
            "contacts": [{"profile": {"name": "Anna"}, "wa_id": "4917000001"}],
            "messages": [
                {
                    "from": "4917000001",
                    "id": "in1",
                    "timestamp": "1700000000",
                    "type": "text",
                    "text": {"body": "hello"},
                }
            ],
        }
    ]
    assert [status for _at, status in hooked.tries] == [500, 302, 404, 200]
    times = [at for at, _status in hooked.tries]
    gaps = [(later - earlier) * DIVISOR for earlier, later in itertools.pairwise(times)]
    assert delays == [2.0, 4.0, 6.0]
    assert all(gap >= delay for gap, delay in zip(gaps, delays, strict=True)), gaps


async def test_the_delay_has_a_limit(start: Start, hooked: Hook, delays: list[float]) -> None:
    hooked.answers = [500] * 4
    async with start() as boot:
        await boot.change(callback_backoff_delay_ms=60000, max_callback_backoff_delay_ms=1000)
        boot.deliver(Inbound("in1", "4917000001", "Anna", "text", {"body": "hello"}, 1))
        await until(lambda: hooked.got)
    assert len(delays) == 4
    assert max(delays) <= max(1.0, SHORTEST_DELAY * DIVISOR)


@pytest.mark.parametrize("persist", [True, False])
async def test_only_what_is_written_down_outlives_a_restart(start: Start, hooked: Hook, *, persist: bool) -> None:
    hooked.always = 503
    async with start() as boot:
        await config.change_settings(boot.node.engine, {"callback_persist": persist})
    async with start() as boot:
        for number in range(3):
            boot.deliver(Inbound(f"in{number}", "4917000001", "Anna", "text", {"body": "hello"}, 1))
        await until(lambda: len(hooked.tries) >= 3)
        assert await waiting(boot) == (3 if persist else 0)
    hooked.always = 200
    async with start() as boot:
        if persist:
            await until(lambda: len(hooked.got) == 3)
            assert sorted(body["messages"][0]["id"] for body in hooked.got) == ["in0", "in1", "in2"]
        else:
            await asyncio.sleep(0.5)
            assert hooked.got == []
        await gone(boot)


async def test_unwritten_callbacks_are_repeated_too(start: Start, hooked: Hook) -> None:
    async with start() as boot:
        await config.change_settings(boot.node.engine, {"callback_persist": False})
    hooked.answers = [500, 500]
    async with start() as boot:
        await boot.change(callback_persist=True)  # takes effect with the next start only
        boot.deliver(Inbound("in1", "4917000001", "Anna", "text", {"body": "hello"}, 1))
        await until(lambda: hooked.tries)
        assert await waiting(boot) == 0
        await until(lambda: hooked.got)


async def test_a_full_queue_is_1016_until_the_webhook_answers(start: Start, hooked: Hook) -> None:
    hooked.always = 500
    async with start(limit=2) as boot:
        for number in range(2):
            boot.deliver(Inbound(f"in{number}", "4917000001", "Anna", "text", {"body": "hello"}, 1))
        async with asyncio.timeout(PATIENCE):
            with pytest.raises(CoreError) as refusal:
                for number in itertools.count():
                    await boot.send(f"m{number}")
                    await asyncio.sleep(0.1)
        assert refusal.value.code == 1016
        boot.deliver(Inbound("late", "4917000001", "Anna", "text", {"body": "hello"}, 1))
        hooked.always = 200
        await until(lambda: any(body.get("messages", [{}])[0].get("id") == "late" for body in hooked.got))
        await until(lambda: not boot.duty.callbacks.full)
        await boot.send("m-last")


async def test_many_are_delivered_once_each(start: Start, hooked: Hook) -> None:
    async with start() as boot:
        boot.deliver(*(Inbound(f"in{n}", f"4917{n:05d}", "A", "text", {"body": "x"}, 1) for n in range(1000)))
        await until(lambda: len(hooked.got) >= 1000)
        await asyncio.sleep(0.5)
        assert len(hooked.got) == 1000
        assert len({body["messages"][0]["id"] for body in hooked.got}) == 1000


@pytest.mark.parametrize("concurrency", [6, 12])
async def test_so_many_callbacks_are_on_their_way_at_once(start: Start, hooked: Hook, concurrency: int) -> None:
    hooked.together = concurrency
    async with start() as boot:
        await config.change_settings(boot.node.engine, {"webhooks": {"max_concurrent_requests": concurrency}})
    async with start() as boot:
        boot.deliver(*(Inbound(f"in{n}", f"49170000{n}", "A", "text", {"body": "x"}, 1) for n in range(36)))
        await until(lambda: len(hooked.got) == 36)
    assert hooked.most == concurrency


async def test_a_new_ca_counts_from_the_next_start_on(start: Start, hooked: Hook) -> None:
    async with start() as boot:
        await certificates.delete(boot.node.engine, certificates.WEBHOOKS)
    async with start() as boot:
        boot.deliver(Inbound("in1", "4917000001", "Anna", "text", {"body": "hello"}, 1))
        await until(boot.duty.delivery.counts)
        await certificates.write(boot.node.engine, certificates.WEBHOOKS, hooked.ca)
        await asyncio.sleep(0.5)
        assert (hooked.got, await waiting(boot)) == ([], 1)
        assert {(count.type, count.result) for count in boot.duty.delivery.counts()} == {("inbound_message", "failure")}
    async with start():
        await until(lambda: hooked.got)


async def test_without_a_url_messages_wait_and_statuses_do_not(start: Start, hooked: Hook) -> None:
    async with start() as boot:
        await boot.change(webhooks={"url": ""})
        await boot.send("m1")
        boot.deliver(Inbound("in1", "4917000001", "Anna", "text", {"body": "hello"}, 1))
        await kept(boot, 1)
        await asyncio.sleep(0.5)
        assert (await waiting(boot), hooked.tries) == (1, [])
        await boot.change(webhooks={"url": hooked.url})
        await until(lambda: hooked.got)
        assert [list(body) for body in hooked.got] == [["contacts", "messages"]]


async def test_nothing_is_reported_twice(start: Start, hooked: Hook) -> None:
    async with start() as boot:
        for _ in range(2):
            boot.deliver(Inbound("in1", "4917000001", "Anna", "text", {"body": "hello"}, 1))
            boot.deliver(Receipt("gone", "4917000001", "read", 1))
            await asyncio.sleep(0.3)
        await until(lambda: any("messages" in body for body in hooked.got))
        await asyncio.sleep(0.3)
        assert len([body for body in hooked.got if "messages" in body]) == 1


async def count(boot: Boot, table: sa.Table) -> int:
    """Rows of a table."""
    async with boot.node.engine.connect() as connection:
        return int(await connection.scalar(sa.select(sa.func.count()).select_from(table)) or 0)


async def logged(boot: Boot, rows: int) -> None:
    """Until the receipt log has so many rows: that a message was sent may be written after it was read."""
    async with asyncio.timeout(PATIENCE):
        while await count(boot, tables.message_receipt_log) < rows:
            await asyncio.sleep(0.02)


async def test_pass_through_keeps_no_delivered_message(start: Start, hooked: Hook) -> None:
    async with start(version="v2.33.4") as boot:  # on, where nobody says otherwise
        await boot.send("m1")
        await until(lambda: len(hooked.statuses("m1")) >= 2)
        assert sorted(hooked.statuses("m1")) == ["delivered", "read"]
        assert await count(boot, tables.messages) == 0
        await logged(boot, 3)
        boot.duty.gc.request()
        await until(lambda: "services" in hooked.got[-1])
        assert await count(boot, tables.message_receipt_log) == 0


async def test_pass_through_of_an_older_version_is_over(start: Start, hooked: Hook) -> None:
    async with start(version="v2.33.4") as boot:
        await config.change_settings(boot.node.engine, {"pass_through": True})
    async with start(version="v2.35.4") as boot:
        assert boot.node.settings["pass_through"] is False
        await boot.send("m1")
        await until(lambda: "read" in hooked.statuses("m1"))
        assert await count(boot, tables.messages) == 1


async def test_the_cleanup_is_reported(start: Start, hooked: Hook) -> None:
    async with start() as boot:
        for number in range(3):
            await boot.send(f"m{number}")
        await until(lambda: all("read" in hooked.statuses(f"m{number}") for number in range(3)))
        await logged(boot, 9)
        boot.duty.gc.request()
        await until(lambda: "services" in hooked.got[-1])
        report = {"messages_deleted": 3, "status": "complete"}
        assert hooked.got[-1] == {"services": [{"message": {"gc": report}}]}
        async with boot.node.engine.connect() as connection:
            for table in (tables.messages, tables.message_receipt_log):
                assert await connection.scalar(sa.select(sa.func.count()).select_from(table)) == 0


async def test_a_password_in_the_url_is_sent_and_never_logged(
    start: Start, hooked: Hook, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    good, said = hooked.url.replace("//", "//joe:Canary-17@"), ""
    async with start() as boot:
        for number, broken in enumerate(("https://joe:Canary-17@[nowhere/hook", good + "x")):
            await boot.change(webhooks={"url": broken})
            boot.deliver(Inbound(f"in{number}", "4917000001", "Anna", "text", {"body": "hello"}, 1))
            await until(lambda: "Callback failed" in caplog.text)
            said += caplog.text
            caplog.clear()
            await boot.change(webhooks={"url": good})  # only the first failure after a success is reported
            await until(lambda number=number: len(hooked.got) > number)  # type: ignore[misc]
        assert "Basic " in hooked.authorization
    assert "Canary" not in said + caplog.text
