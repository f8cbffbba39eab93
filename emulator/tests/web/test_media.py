"""Media on the shared volume and the cleanup services (reference 4.7)."""

from __future__ import annotations

import asyncio
import os
import typing as t
from pathlib import Path

import pytest

from tests.web.conftest import PASSWORD, Api, Cluster, running, web_env
from tests.web.test_users import code
from waemu import mediavolume
from waemu.environment import DbEnv
from waemu.schema import tables
from waemu.store.engine import in_seconds

PNG = b"\x89PNG" + os.urandom(600_000)


async def upload(api: Api, body: bytes = PNG, mime: str = "image/png") -> tuple[int, t.Any]:
    """Upload bytes."""
    return await api.call("POST", "/v1/media", data=body, headers={"Content-Type": mime})


def files(api: Api) -> list[Path]:
    """All files on the volume."""
    return [path for path in api.webapp.media_dir.rglob("*") if path.is_file()]


async def test_what_goes_in_comes_out(api: Api) -> None:
    status, body = await upload(api)
    assert status == 200
    [item] = body["media"]
    response = await api.request("GET", f"/v1/media/{item['id']}")
    assert (response.status, response.content_type, await response.read()) == (200, "image/png", PNG)
    status, body = await api.call("DELETE", f"/v1/media/{item['id']}")
    assert (status, list(body)) == (200, ["meta"])
    assert files(api) == []
    for method in ("GET", "DELETE"):
        status, body = await api.call(method, f"/v1/media/{item['id']}")
        assert (status, code(body)) == (404, 1006)


async def test_another_webapp_on_the_volume_serves_it(api: Api, clean: DbEnv) -> None:
    _, body = await upload(api)
    async with running(web_env(clean), api.webapp.media_dir) as other:
        other.token = api.token
        assert await other.call("GET", f"/v1/media/{body['media'][0]['id']}") == (200, PNG)


async def test_any_user_may(api: Api) -> None:
    await api.call("POST", "/v1/users", {"username": "agent", "password": PASSWORD})
    api.token = (await api.login("agent", PASSWORD))[1]["users"][0]["token"]
    assert (await upload(api))[0] == 200


@pytest.mark.parametrize(
    ("body", "mime", "expected"),
    [(b"", "image/png", 1009), (PNG, "nonsense", 1009), (PNG, "", 1008)],
)
async def test_bad_uploads_leave_nothing_behind(api: Api, body: bytes, mime: str, expected: int) -> None:
    headers = {"Content-Type": mime} if mime else {}
    skip = None if mime else ["Content-Type"]
    response = await api.client.request(
        *("POST", "/v1/media"),
        data=body,
        headers={"Authorization": f"Bearer {api.token}", **headers},
        skip_auto_headers=skip,
    )
    assert (response.status, code(await response.json())) == (400, expected)
    assert files(api) == []


async def test_an_upload_that_is_too_large_leaves_nothing_behind(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(mediavolume.LARGEST_OF, "image", 500_000)
    status, body = await upload(api)
    assert (status, code(body)) == (400, 1009)
    assert "500000" in body["errors"][0]["details"]
    assert files(api) == []
    assert (await upload(api, PNG, "application/pdf"))[0] == 200


async def test_ids_are_never_paths(api: Api) -> None:
    (api.webapp.media_dir / "secret").write_text("x")
    for path in ("..%2Fsecret", "%2e%2e", "%00", "x" * 300, "..%2F..%2F..%2Fetc%2Fpasswd"):
        assert (await api.call("GET", f"/v1/media/{path}"))[0] == 404, path


async def test_a_volume_that_is_away_is_1005(api: Api) -> None:
    api.webapp.media_dir = api.webapp.media_dir / "gone"
    status, body = await upload(api)
    assert (status, code(body)) == (403, 1005)


@pytest.mark.parametrize(("number", "expected"), [(30, (403, 1005)), (13, (403, 1005)), (28, (500, 1014))])
async def test_read_only_is_1005_and_full_is_1014(
    api: Api, monkeypatch: pytest.MonkeyPatch, number: int, expected: tuple[int, int]
) -> None:
    def refuse(*_args: t.Any, **_more: t.Any) -> t.NoReturn:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(Path, "open", refuse)
    status, body = await upload(api)
    monkeypatch.undo()
    assert (status, code(body)) == expected


async def test_media_gc_deletes_what_nobody_used_for_30_days(api: Api, nodes: Cluster) -> None:
    await nodes.insert(tables.app_settings, name="webhooks.url", value="https://hook.example")
    kept, old = [(await upload(api))[1]["media"][0]["id"] for _ in range(2)]
    async with nodes.engine.begin() as connection:
        table = tables.media
        for media_id, days in ((kept, 29), (old, 31)):
            past = in_seconds(-days * 86400)
            await connection.execute(table.update().where(table.c.id == media_id).values(last_used_at=past))
    status, body = await api.call("PUT", "/v1/services/media/gc")
    assert (status, body["services"]) == (200, {"media": {"gc": {"status": "processing"}}})
    await api.webapp.finish()
    assert [path.name for path in files(api)] == [kept]
    async with nodes.engine.connect() as connection:
        [callback] = (await connection.execute(tables.callbacks.select())).all()
        assert (await connection.execute(tables.jobs.select())).all() == []
    assert callback.kind == "service"
    [report] = callback.body["services"]
    assert report["media"]["gc"] == {"items_deleted": 1, "node": "wa-webapp-1", "status": "complete"}


async def test_one_media_gc_at_a_time(api: Api, nodes: Cluster) -> None:
    await asyncio.gather(*(api.call("PUT", "/v1/services/media/gc") for _ in range(5)))
    await api.webapp.finish()
    # The cleanup of another webapp, which is still at it.
    await nodes.insert(tables.jobs, kind="media_gc", body={}, created_at=in_seconds(-10))
    async with nodes.engine.begin() as connection:
        await connection.execute(tables.callbacks.delete())
    assert (await api.call("PUT", "/v1/services/media/gc"))[0] == 200
    await api.webapp.finish()
    async with nodes.engine.connect() as connection:
        assert (await connection.execute(tables.callbacks.select())).all() == []


async def test_media_gc_without_the_volume(api: Api) -> None:
    api.webapp.media_dir = api.webapp.media_dir / "gone"
    status, body = await api.call("PUT", "/v1/services/media/gc")
    assert (status, code(body)) == (500, 1014)
    assert body["errors"][0]["details"] == "Could not delete media files"


async def test_message_gc_asks_every_coreapp(api: Api, nodes: Cluster) -> None:
    status, body = await api.call("PUT", "/v1/services/message/gc")
    assert (status, code(body)) == (500, 1014)
    await nodes.add("wa-master-1", "master")
    for name in ("wa-coreapp-1", "wa-coreapp-2"):
        (await nodes.add(name)).replies["POST /services/message/gc"] = {"status": "processing"}
    dead = await nodes.add("wa-coreapp-3")
    await dead.stop()
    status, body = await api.call("PUT", "/v1/services/message/gc")
    assert status == 200
    gc = body["services"]["message"]["gc"]
    assert set(gc) == {f"127.0.0.1:wa-coreapp-{i}" for i in (1, 2, 3)}
    assert gc["127.0.0.1:wa-coreapp-1"] == {"status": "processing"}
    assert gc["127.0.0.1:wa-coreapp-3"]["errors"][0]["code"] == 1014
    assert nodes.nodes["wa-master-1"].asked == []
