"""Business profile, about, photo, compliance, media providers, sticker packs, groups (reference 4.4, 4.7)."""

from __future__ import annotations

import typing as t

import pytest

from tests.web.conftest import Api
from tests.web.test_users import code

PHOTO = b"\xff\xd8\xff" + b"photo" * 100
PROVIDERS = "/v1/settings/application/media/providers"


EMPTY = {"address": "", "description": "", "email": "", "vertical": "", "websites": []}


async def test_business_profile(api: Api) -> None:
    path = "/v1/settings/business/profile"
    assert (await api.call("GET", path))[1]["settings"] == {"business": {"profile": EMPTY}}
    await api.call("POST", path, {"address": "Main Street", "websites": ["https://a.test", "https://b.test"]})
    status, body = await api.call("POST", path, {"email": "a@b.test"})
    assert (status, list(body)) == (200, ["meta"])
    assert (await api.call("GET", path))[1]["settings"]["business"]["profile"] == {
        **EMPTY,
        "address": "Main Street",
        "websites": ["https://a.test", "https://b.test"],
        "email": "a@b.test",
    }


@pytest.mark.parametrize(
    ("body", "expected", "named"),
    [
        ({"address": "x" * 257}, 1009, "address"),
        ({"description": "x" * 257}, 1009, "description"),
        ({"email": "x" * 129}, 1009, "email"),
        ({"vertical": "x" * 129}, 1009, "vertical"),
        ({"websites": ["a", "b", "c"]}, 1009, "websites"),
        ({"websites": ["x" * 257]}, 1009, "websites[0]"),
        ({"fax": "1"}, 1010, "fax"),
    ],
)
async def test_limits_of_the_business_profile(api: Api, body: dict[str, t.Any], expected: int, named: str) -> None:
    status, answer = await api.call("POST", "/v1/settings/business/profile", body)
    assert (status, code(answer)) == (400, expected)
    assert f"'{named}'" in answer["errors"][0]["details"]


async def test_compliance(api: Api) -> None:
    path = "/v1/settings/business/compliance_info"
    info = {"entity_name": "Shop", "is_registered": True, "customer_care_details": {"email": "a@b.test"}}
    assert (await api.call("POST", path, info))[0] == 200
    assert (await api.call("GET", path))[1]["settings"] == {"business": {"compliance_info": info}}


async def test_about(api: Api) -> None:
    path = "/v1/settings/profile/about"
    assert (await api.call("GET", path))[1]["settings"] == {"profile": {"about": {"text": ""}}}
    assert (await api.call("PATCH", path, {"text": "We sell hats ⛑"}))[0] == 200
    assert (await api.call("GET", path))[1]["settings"] == {"profile": {"about": {"text": "We sell hats ⛑"}}}
    status, body = await api.call("PATCH", path, {"text": "x" * 140})
    assert (status, code(body)) == (400, 1009)


async def test_photo(api: Api) -> None:
    path = "/v1/settings/profile/photo"
    status, body = await api.call("GET", path)
    assert (status, code(body)) == (404, 1006)
    for content in (PHOTO, PHOTO * 2):
        assert (await api.call("POST", path, data=content, headers={"Content-Type": "image/jpeg"}))[0] == 200
    response = await api.request("GET", path)
    assert (response.status, response.content_type, await response.read()) == (200, "image/jpeg", PHOTO * 2)
    assert len([p for p in api.webapp.media_dir.rglob("*") if p.is_file()]) == 1
    _, body = await api.call("GET", path + "?format=link")
    assert body["settings"]["profile"]["photo"]["link"].endswith(path)
    status, body = await api.call("POST", path, data=b"x", headers={"Content-Type": "application/pdf"})
    assert (status, code(body)) == (400, 1009)
    assert (await api.call("DELETE", path))[0] == 200
    assert (await api.call("GET", path))[0] == 404


async def test_media_providers(api: Api) -> None:
    one = {"name": "one", "type": "www", "config": {"bearer": "token-1"}}
    two = {"name": "two", "type": "www", "config": {"basic": {"username": "u", "password": "p"}}}
    status, body = await api.call("POST", PROVIDERS, [two, one])
    assert (status, list(body)) == (200, ["meta"])
    changed = {**one, "config": {"bearer": "token-2"}}
    assert (await api.call("POST", PROVIDERS, [changed]))[0] == 200
    _, body = await api.call("GET", PROVIDERS)
    assert body["settings"]["application"]["media"]["providers"] == [changed, two]
    assert (await api.call("DELETE", PROVIDERS + "/one"))[0] == 200
    status, body = await api.call("DELETE", PROVIDERS + "/one")
    assert (status, code(body)) == (404, 1006)


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        ({"name": "x", "type": "www"}, 1008),
        ({"name": "x", "type": "ftp", "config": {"bearer": "t"}}, 1009),
        ({"name": "", "type": "www", "config": {"bearer": "t"}}, 1009),
        ({"name": "x", "type": "www", "config": {}}, 1008),
        ({"name": "x", "type": "www", "config": {"bearer": "t", "basic": {"username": "u", "password": "p"}}}, 1010),
        ({"name": "x", "type": "www", "config": {"basic": {"username": "u"}}}, 1008),
        ({"name": "x", "type": "www", "config": {"digest": "t"}}, 1010),
    ],
)
async def test_bad_media_providers(api: Api, item: dict[str, t.Any], expected: int) -> None:
    status, body = await api.call("POST", PROVIDERS, [item])
    assert (status, code(body)) == (400, expected)


async def test_sticker_packs(api: Api) -> None:
    pack = {"publisher": "P", "name": "N"}
    status, body = await api.call("POST", "/v1/stickerpacks", pack)
    assert status == 201
    path = f"/v1/stickerpacks/{body['stickerpacks'][0]['id']}"
    assert (await api.call("PATCH", path, {"name": "M"}))[0] == 200
    _, body = await api.call("GET", path)
    assert body["stickerpacks"] == [{"id": path.rpartition("/")[2], "publisher": "P", "name": "M"}]
    assert (await api.call("GET", "/v1/stickerpacks"))[1]["stickerpacks"] == body["stickerpacks"]
    assert (await api.call("DELETE", path))[0] == 200
    assert (await api.call("GET", path))[0] == 404


async def test_stickers_of_a_pack(api: Api) -> None:
    _, body = await api.call("POST", "/v1/stickerpacks", {"publisher": "P", "name": "N"})
    pack = f"/v1/stickerpacks/{body['stickerpacks'][0]['id']}"
    assert (await api.call("GET", pack + "/stickers"))[1]["stickers"] == []
    for index, image in enumerate("abc"):
        status, body = await api.call("POST", pack + "/stickers", {"image_data_id": image, "emojis": ["x"]})
        assert (status, body["stickers"]) == (201, [{"index": index}])
    one = {"index": 1, "image_data_id": "b", "emojis": ["x"]}
    assert (await api.call("GET", pack + "/stickers/1"))[1]["stickers"] == [one]
    assert (await api.call("PATCH", pack + "/stickers/1", {"emojis": []}))[0] == 200
    assert (await api.call("GET", pack + "/stickers/1"))[1]["stickers"] == [{**one, "emojis": []}]
    assert (await api.call("DELETE", pack + "/stickers/0"))[0] == 200
    left = (await api.call("GET", pack + "/stickers"))[1]["stickers"]
    assert [(item["index"], item["image_data_id"]) for item in left] == [(0, "b"), (1, "c")]
    for index in ("2", "-1", "x", "٣", "99999"):
        status, body = await api.call("GET", f"{pack}/stickers/{index}")
        assert (status, code(body)) == (404, 1006), index
    assert [item["name"] for item in (await api.call("GET", "/v1/stickerpacks"))[1]["stickerpacks"]] == ["N"]
    assert (await api.call("DELETE", pack))[0] == 200
    assert (await api.call("GET", pack + "/stickers"))[0] == 404


async def test_there_are_no_groups(api: Api) -> None:
    _, body = await api.call("GET", "/v1/groups")
    assert (body["groups"], body["meta"]["api_status"]) == ([], "deprecated")
    status, body = await api.call("GET", "/v1/groups/1-2")
    assert (status, code(body)) == (404, 1012)
