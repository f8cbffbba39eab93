"""Which messages and notices reach the business, and what follows settings at once (reference 4.4, 4.7)."""

from __future__ import annotations

import asyncio
import logging

import pytest

from tests.core.conftest import NUMBER, Hook, Start, until
from waemu import appsettings
from waemu.core.primary_api import BLOCKED, PrimaryApi
from waemu.core.receiver import is_enabled
from waemu.core.registrar import OwnRegistrar
from waemu.environment import Faults
from waemu.protocol.gateway import Directory, Inbound
from waemu.protocol.nodes import ContactResult, CoreError, RegistrationRequest
from waemu.store import contacts
from waemu.store.contacts import Checked
from waemu.whatsapp.directory import checked


def text(message_id: str, wa_id: str) -> Inbound:
    """A user writes."""
    return Inbound(message_id, wa_id, "Anna", "text", {"body": "hello"}, 1)


async def test_nobody_hears_of_blocked_users(start: Start, hooked: Hook) -> None:
    async with start() as boot:
        engine = boot.node.engine
        await contacts.write(engine, [Checked(f"+{wa_id}", "valid", wa_id) for wa_id in ("4917000001", "4917000002")])
        assert await contacts.block(engine, "4917000001", blocked=True)
        boot.deliver(text("in1", "4917000001"), text("in2", "4917000002"))
        await until(lambda: hooked.got)
        await asyncio.sleep(0.2)
        assert [body["messages"][0]["id"] for body in hooked.got] == ["in2"]


@pytest.mark.parametrize(
    ("kind", "setting"),
    [("user_changed_number", "notify_user_change_number"), ("user_identity_changed", "show_security_notifications")],
)
def test_notices_have_settings(kind: str, setting: str) -> None:
    notice = Inbound("n", "4917", "", "system", {"type": kind, "body": "x"}, 1)
    for on in (True, False):
        settings = appsettings.nested({setting: on})
        assert is_enabled(notice, settings) is on
        assert is_enabled(text("in1", "4917"), settings)


async def test_log_level_is_a_live_setting(start: Start) -> None:
    log = logging.getLogger("waemu")
    try:
        async with start() as boot:
            for change, level in (
                ({"log_level": "error"}, logging.ERROR),
                ({"verbose_logging": True}, logging.DEBUG),
                ({"log_level": "none", "verbose_logging": False}, logging.CRITICAL + 1),
            ):
                await boot.change(**change)
                await until(lambda level=level: log.level == level)
    finally:
        log.setLevel(logging.NOTSET)


@pytest.mark.parametrize(
    ("contact", "expected"),
    [
        ("+49 170 00001", ContactResult("+49 170 00001", "valid", "4917000001")),
        ("+49 170 00002", ContactResult("+49 170 00002", "invalid")),
        ("4917000001", ContactResult("4917000001", "valid", "4917000001")),
        ("49 (170) 000-01", ContactResult("49 (170) 000-01", "valid", "4917000001")),
        ("4917000002", ContactResult("4917000002", "invalid")),
        ("4917000001x", ContactResult("4917000001x", "invalid")),
        ("0170 00001", ContactResult("0170 00001", "invalid")),
        ("+1", ContactResult("+1", "invalid")),
    ],
)
def test_contacts(contact: str, expected: ContactResult) -> None:
    assert checked(contact, Directory({"4917000002": 1013})) == expected


def requests(boot: object, *, blocked: bool = False) -> PrimaryApi:
    """What the API asks of this instance."""
    node = boot.node  # type: ignore[attr-defined]
    if blocked:
        node.env = node.env.__class__(**{**vars(node.env), "faults": Faults(registration_blocked=True)})
    return PrimaryApi(node, OwnRegistrar(node.env, node.clock.now), lambda: True)


async def test_the_own_id_is_a_setting_nobody_changes(start: Start) -> None:
    async with start() as boot:
        found = await requests(boot).change_settings({"wa_id": "1", "heartbeat_interval": 6})
        assert (found.application["wa_id"], found.application["heartbeat_interval"]) == (NUMBER, 6)
        assert (await requests(boot).reset_settings()).application["wa_id"] == NUMBER


async def test_registration_can_be_blocked(start: Start) -> None:
    async with start() as boot:
        request = RegistrationRequest("49", "17000001", "sms", "YWJj")
        assert (await requests(boot).request_code(request)).http_status == 202
        with pytest.raises(CoreError) as refusal:
            await requests(boot, blocked=True).request_code(request)
        assert (refusal.value.code, refusal.value.errors[0].details) == (1005, BLOCKED)
