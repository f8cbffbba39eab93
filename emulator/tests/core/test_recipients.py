"""Who cannot be written to, and which messages are too late (reference 5.1, 5.2)."""

from __future__ import annotations

import asyncio

import pytest

from tests.core.conftest import NUMBER, Hook, Start, until
from waemu.core.sender import too_late
from waemu.protocol.gateway import Directory, Template
from waemu.protocol.nodes import CoreError
from waemu.schema import tables
from waemu.store import messages
from waemu.store.engine import in_seconds
from waemu.store.messages import Message
from waemu.whatsapp.users import Users

GREETING = Template("shop", "greeting", "en", "Hello {{1}}")


@pytest.mark.parametrize(
    ("wa_id", "code"),
    [(NUMBER, 1021), ("4917000001", 1013), ("4917000002", 1026), ("4917000003", None)],
)
async def test_recipients(start: Start, wa_id: str, code: int | None) -> None:
    directory = Directory({"4917000001": 1013, "4917000002": 1026})
    async with start(directory=directory) as boot:
        if code is None:
            await boot.send("m1", wa_id)
            return
        with pytest.raises(CoreError) as refusal:
            await boot.send("m1", wa_id)
        assert (refusal.value.code, refusal.value.http_status) == (code, 400)


async def test_since_2_43_who_is_no_user_shows_later(start: Start, hooked: Hook) -> None:
    users = Users()
    users.change("4917000001", 1013)
    async with start(directory=users.directory("v2.63.0"), users=users) as boot:
        await boot.send("text")
        template = {"namespace": "x", "name": "y", "language": {"policy": "deterministic", "code": "en"}}
        await boot.send("template", kind="template", template=template)
        await boot.send("other", "4917000002")
        await until(lambda: hooked.statuses("text") and hooked.statuses("template") and hooked.statuses("other"))
        failed = [item for body in hooked.got for item in body["statuses"] if item["status"] == "failed"]
        assert {item["id"]: item["errors"][0]["code"] for item in failed} == {"text": 470, "template": 1013}
        assert "failed" not in hooked.statuses("other")


async def test_templates_are_compared_with_those_of_the_number(start: Start) -> None:
    body = {"namespace": "shop", "name": "greeting", "language": {"policy": "deterministic", "code": "en"}}
    async with start(directory=Directory(templates=(GREETING,))) as boot:
        one = {"type": "body", "parameters": [{"type": "text", "text": "Anna"}]}
        await boot.send("m1", kind="template", template={**body, "components": [one]})
        with pytest.raises(CoreError) as refusal:
            await boot.send("m2", kind="template", template={**body, "components": [{**one, "parameters": []}]})
        assert refusal.value.code == 2000
        hsm = {"namespace": "shop", "element_name": "greeting", "localizable_params": [{"default": "Anna"}]}
        await boot.send("m3", kind="hsm", hsm=hsm)
        with pytest.raises(CoreError) as refusal:
            await boot.send("m4", kind="hsm", hsm={**hsm, "element_name": "farewell"})
        assert refusal.value.code == 2001


@pytest.mark.parametrize(
    ("ttl", "waited", "code"),
    [(None, 86399, None), (None, 86401, 408), ("60", 59, None), (60, 61, 410), (10**6, 86401, 408)],
)
def test_too_late(ttl: str | int | None, waited: float, code: int | None) -> None:
    body = {"text": {"body": "x"}, **({} if ttl is None else {"ttl": ttl})}
    found = too_late(Message("m", "49170", 0, "text", body), waited)
    assert (found and found["code"]) == code


async def test_what_waited_a_day_fails(start: Start, hooked: Hook) -> None:
    async with start() as boot:
        engine = boot.node.engine
        new = [Message(name, "4917000001", 0, "text", {"text": {"body": "x"}}) for name in ("old", "new")]
        await messages.queue(engine, "core:core", new)
        async with engine.begin() as connection:
            old = tables.messages.update().where(tables.messages.c.id == "old")
            await connection.execute(old.values(created_at=in_seconds(-86400)))
    async with start():
        await until(lambda: hooked.statuses("old") and "read" in hooked.statuses("new"))
        await asyncio.sleep(0.2)
        assert hooked.statuses("old") == ["failed"]
        failed = next(body["statuses"][0] for body in hooked.got if body["statuses"][0]["id"] == "old")
        assert [error["code"] for error in failed["errors"]] == [408]
