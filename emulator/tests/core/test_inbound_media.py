"""Media that users send: downloaded by themselves, when asked for, or not at all (reference 4.4, 4.7)."""

from __future__ import annotations

import asyncio
import base64
import typing as t
from pathlib import Path

import pytest

from tests.core.conftest import Boot, Hook, Start, until
from waemu import mediavolume
from waemu.protocol.gateway import Inbound
from waemu.protocol.nodes import CoreError
from waemu.schema import tables
from waemu.store import config, media
from waemu.store.engine import in_seconds

CONTENT = b"\x89PNG not really"


def picture(number: int = 1, **body: t.Any) -> Inbound:
    """A user sends a picture."""
    data = base64.b64encode(CONTENT).decode()
    return Inbound(f"in{number}", "4917000001", "Anna", "image", {"data": data, "mime_type": "image/png", **body}, 1)


async def reported(boot: Boot, hook: Hook) -> dict[str, t.Any]:
    """The callback about one picture."""
    boot.deliver(picture(caption="look"))
    await until(lambda: hook.got)
    return hook.got[0]


async def test_nothing_is_downloaded_unasked(start: Start, hooked: Hook, tmp_path: Path) -> None:
    async with start() as boot:
        body = await reported(boot, hooked)
        image = body["messages"][0]["image"]
        assert (set(image), image["caption"]) == ({"id", "sha256", "mime_type", "caption"}, "look")
        assert "errors" not in body
        assert mediavolume.find(tmp_path, image["id"]) is None
        found = await media.use(boot.node.engine, image["id"])
        assert found == media.Media(image["id"], "image/png", 0, incoming=True)
        await boot.duty.receiver.fetch_later(image["id"])
        file = mediavolume.find(tmp_path, image["id"])
        assert file is not None
        assert file.read_bytes() == CONTENT
        assert (await media.use(boot.node.engine, image["id"])).size == len(CONTENT)  # type: ignore[union-attr]
        with pytest.raises(CoreError) as refusal:
            await boot.duty.receiver.fetch_later("never-there")
        assert refusal.value.code == 1006


async def test_types_in_auto_download_are_on_the_volume_first(start: Start, hooked: Hook, tmp_path: Path) -> None:
    async with start() as boot:
        await boot.change(media={"auto_download": ["image"]})
        image = (await reported(boot, hooked))["messages"][0]["image"]
        file = mediavolume.path(tmp_path, image["id"], mediavolume.INCOMING)
        assert file.read_bytes() == CONTENT
        assert (await media.use(boot.node.engine, image["id"])).size == len(CONTENT)  # type: ignore[union-attr]


async def test_a_volume_without_room_is_reported(start: Start, hooked: Hook, tmp_path: Path) -> None:
    (tmp_path / mediavolume.INCOMING).write_text("a file where the directory has to be")
    async with start() as boot:
        await boot.change(media={"auto_download": ["image"]})
        body = await reported(boot, hooked)
        assert [error["code"] for error in body["errors"]] == [400]
        assert body["messages"][0]["image"]["id"]
        with pytest.raises(CoreError) as refusal:
            await boot.duty.receiver.fetch_later(body["messages"][0]["image"]["id"])
        assert refusal.value.code == 1005


async def test_sending_media_needs_the_volume(start: Start, hooked: Hook, monkeypatch: pytest.MonkeyPatch) -> None:
    del hooked
    async with start() as boot:
        monkeypatch.setattr(mediavolume, "writable", lambda _place: False)
        with pytest.raises(CoreError) as refusal:
            await boot.send("m1", kind="image", image={"id": "1"})
        assert refusal.value.code == 1014
        await boot.send("m2")


async def test_media_that_another_host_has_alone_are_not_sent(start: Start, hooked: Hook, tmp_path: Path) -> None:
    """As where each host has a directory of its own: the webapp has taken it, and the coreapp has no such file."""
    del hooked
    async with start() as boot:
        with pytest.raises(CoreError) as refusal:
            await boot.send("m1", kind="image", image={"id": "1"})
        assert refusal.value.code == 1014
        assert "1" in str(refusal.value)
        file = mediavolume.path(tmp_path, "1")
        file.parent.mkdir()
        file.write_bytes(CONTENT)
        await boot.send("m2", kind="image", image={"id": "1"})


async def test_unknown_types_are_reported_as_such(start: Start, hooked: Hook) -> None:
    async with start() as boot:
        boot.deliver(Inbound("in1", "4917000001", "Anna", "smoke", {"colour": "white"}, 1))
        await until(lambda: hooked.got)
        assert [error["code"] for error in hooked.got[0]["errors"]] == [501]


@pytest.mark.parametrize("on", [True, False])
async def test_the_periodic_cleanup_deletes_unused_media(
    start: Start, hooked: Hook, tmp_path: Path, *, on: bool
) -> None:
    async with start() as boot:
        await config.change_settings(boot.node.engine, {"garbagecollector_enable": {"media": on}})
        await boot.change(media={"auto_download": ["image"]})
        image = (await reported(boot, hooked))["messages"][0]["image"]
        async with boot.node.engine.begin() as connection:
            await connection.execute(tables.media.update().values(last_used_at=in_seconds(-30 * 86400)))
    async with start() as boot:
        boot.duty.gc.collect_every = 2.0
        boot.duty.gc.request()
        await until(lambda: any("message" in body.get("services", [{}])[0] for body in hooked.got))
        if on:
            await until(lambda: mediavolume.find(tmp_path, image["id"]) is None)
        else:
            await asyncio.sleep(0.8)
            assert mediavolume.find(tmp_path, image["id"]) is not None
