"""Users, login and logout (reference 4.2)."""

from __future__ import annotations

import datetime as dt
import re

import jwt
import pytest
from ansible_collections.waent.fleet.tests.support.webapp_process import API_KEY, JWT_KEY

from tests.web.conftest import PASSWORD, Api, running, web_env
from waemu.environment import DbEnv


def code(body: dict[str, object]) -> int:
    """The code of the first error."""
    errors = body["errors"]
    assert isinstance(errors, list)
    return int(errors[0]["code"])


async def test_first_login_must_change_the_password(fresh: Api) -> None:
    status, body = await fresh.login("admin", "secret")
    assert (status, code(body)) == (401, 1024)
    assert body["errors"][0]["title"] == "Password Change Required"
    assert body["meta"] == {"version": "v2.19.4", "api_status": "stable"}


@pytest.mark.parametrize(
    "weak", ["secret", "Short-1", "alllower-1", "ALLUPPER-1", "No-Digit-x", "NoSpecial12", "A1-" + "x" * 62]
)
async def test_first_login_refuses_weak_passwords(fresh: Api, weak: str) -> None:
    status, body = await fresh.login("admin", "secret", {"new_password": weak})
    assert (status, code(body)) == (400, 1009)
    assert "new_password" in body["errors"][0]["details"]
    assert weak not in body["errors"][0]["details"]
    assert (await fresh.login("admin", weak))[0] == 401


async def test_login_answers_a_token_for_seven_days(fresh: Api) -> None:
    status, body = await fresh.login("admin", "secret", {"new_password": PASSWORD})
    assert status == 200
    item = body["users"][0]
    expires = dt.datetime.fromisoformat(item["expires_after"])
    assert item["expires_after"].endswith("+00:00")
    assert item["expires_after"][10] == " "
    left = expires - dt.datetime.now(dt.UTC)
    assert dt.timedelta(days=7) - left < dt.timedelta(minutes=1)
    assert jwt.get_unverified_header(item["token"])["alg"] == "HS256"
    claims = jwt.decode(item["token"], JWT_KEY, algorithms=["HS256"])
    assert (claims["user"], claims["exp"]) == ("admin", int(expires.timestamp()))
    assert set(claims) == {"user", "iat", "exp", "wa:rand"}
    assert re.fullmatch("[0-9a-f]{32}", claims["wa:rand"])


async def test_the_old_password_is_gone_after_the_first_login(api: Api) -> None:
    assert (await api.login("admin", "secret"))[0] == 401
    assert (await api.login("admin", PASSWORD))[0] == 200


async def test_login_needs_basic_credentials(api: Api) -> None:
    for header in ("", "Basic ", "Basic !!!", "Basic YWRtaW4=", "Bearer x", "Basic 4pyT"):
        response = await api.request("POST", "/v1/users/login", auth=header)
        assert response.status == 401, header
        assert response.headers["WWW-Authenticate"].startswith("Basic")
    assert (await api.login("Admin", PASSWORD))[0] == 401
    assert (await api.login("nobody", PASSWORD))[0] == 401


async def test_logout_revokes_only_the_presented_token(api: Api) -> None:
    other = (await api.login("admin", PASSWORD))[1]["users"][0]["token"]
    status, body = await api.call("POST", "/v1/users/logout")
    assert (status, list(body)) == (200, ["meta"])
    status, body = await api.call("GET", "/v1/users/admin")
    assert (status, code(body)) == (401, 1005)
    assert (await api.call("GET", "/v1/users/admin", auth=f"Bearer {other}"))[0] == 200


async def test_create_read_change_delete(api: Api) -> None:
    status, body = await api.call("POST", "/v1/users", {"username": "agent", "password": PASSWORD})
    assert (status, body["users"]) == (201, [{"username": "agent"}])
    assert (await api.call("GET", "/v1/users/agent"))[1]["users"] == [{"username": "agent", "ROLES": "ROLE_USER"}]
    assert (await api.call("GET", "/v1/users/admin"))[1]["users"] == [{"username": "admin", "ROLES": "ROLE_ADMIN"}]
    status, body = await api.call("PUT", "/v1/users/agent", {"password": "Another-Horse-2"})
    assert (status, body["users"]) == (200, [{"username": "agent"}])
    assert (await api.login("agent", PASSWORD))[0] == 401
    token = (await api.login("agent", "Another-Horse-2"))[1]["users"][0]["token"]
    status, body = await api.call("DELETE", "/v1/users/agent")
    assert (status, body["users"]) == (200, [{"username": "agent"}])
    assert (await api.call("GET", "/v1/users/agent"))[0] == 404
    assert (await api.call("POST", "/v1/users/logout", auth=f"Bearer {token}"))[0] == 401


async def test_a_deleted_users_token_does_not_fit_a_new_user_of_that_name(api: Api) -> None:
    await api.call("POST", "/v1/users", {"username": "agent", "password": PASSWORD})
    token = (await api.login("agent", PASSWORD))[1]["users"][0]["token"]
    await api.call("DELETE", "/v1/users/agent")
    await api.call("POST", "/v1/users", {"username": "agent", "password": PASSWORD})
    assert (await api.call("POST", "/v1/users/logout", auth=f"Bearer {token}"))[0] == 401


async def test_a_name_is_taken_once(api: Api) -> None:
    new = {"username": "agent", "password": PASSWORD}
    assert (await api.call("POST", "/v1/users", new))[0] == 201
    status, body = await api.call("POST", "/v1/users", new)
    assert (status, code(body)) == (400, 1014)
    assert body["errors"][0]["details"] == "Unable to create user. Already exist?"


async def test_admin_stays(api: Api) -> None:
    status, body = await api.call("DELETE", "/v1/users/admin")
    assert (status, code(body)) == (403, 1005)


@pytest.mark.parametrize(
    ("body", "expected", "named"),
    [
        ({"username": "agent"}, 1008, "password"),
        ({"password": PASSWORD}, 1008, "username"),
        ({"username": "abc", "password": PASSWORD}, 1009, "username"),
        ({"username": "x" * 33, "password": PASSWORD}, 1009, "username"),
        ({"username": "a:bcd", "password": PASSWORD}, 1009, "username"),
        ({"username": 1234, "password": PASSWORD}, 1009, "username"),
        ({"username": "agent", "password": "weak"}, 1009, "password"),
        ({"username": "agent", "password": PASSWORD, "role": "x"}, 1010, "role"),
        ([], 1009, "body"),
    ],
)
async def test_bad_bodies_are_named(api: Api, body: object, expected: int, named: str) -> None:
    status, answer = await api.call("POST", "/v1/users", body)
    assert (status, code(answer)) == (400, expected)
    assert f"'{named}'" in answer["errors"][0]["details"]


async def test_roles(api: Api) -> None:
    await api.call("POST", "/v1/users", {"username": "agent", "password": PASSWORD})
    token = (await api.login("agent", PASSWORD))[1]["users"][0]["token"]
    for method, path, body in [
        ("POST", "/v1/users", {"username": "other", "password": PASSWORD}),
        ("GET", "/v1/users/admin", None),
        ("GET", "/v1/account/shards", None),
        ("GET", "/v1/settings/application", None),
    ]:
        status, answer = await api.call(method, path, body, auth=f"Bearer {token}")
        assert (status, code(answer)) == (403, 1005), path
    assert (await api.call("GET", "/v1/health", auth=f"Bearer {token}"))[0] == 200


async def test_the_api_key_opens_health_metrics_and_stats_only(api: Api) -> None:
    for path in ("/v1/health", "/metrics", "/v1/metrics", "/v1/stats/app", "/v1/stats/db"):
        assert (await api.call("GET", path, auth=f"Apikey {API_KEY}"))[0] == 200, path
        assert (await api.call("GET", path, auth="Apikey wrong-key-of-length"))[0] == 401, path
        assert (await api.call("GET", path, auth=""))[0] == 401, path
    for path in ("/v1/support", "/v1/users/admin", "/v1/account/shards"):
        assert (await api.call("GET", path, auth=f"Apikey {API_KEY}"))[0] == 401, path


async def test_without_api_key_none_is_accepted(api: Api, clean: DbEnv) -> None:
    async with running(web_env(clean, api_key=""), api.webapp.media_dir) as other:
        assert (await other.call("GET", "/v1/health", auth="Apikey "))[0] == 401


async def test_broken_tokens(api: Api) -> None:
    none = jwt.encode({"user": "admin"}, None, algorithm="none")
    other = jwt.encode({"user": "admin", "exp": 4102444800}, "other" * 10, algorithm="HS256")
    short = jwt.encode({"user": "admin"}, JWT_KEY, algorithm="HS256")
    for token in ("", "x", "a.b.c", none, other, short, "é"):
        status, body = await api.call("GET", "/v1/users/admin", auth=f"Bearer {token}")
        assert (status, code(body)) == (401, 1005), token


async def test_an_expired_token_is_refused(api: Api) -> None:
    claims = jwt.decode(api.token, JWT_KEY, algorithms=["HS256"])
    old = jwt.encode({**claims, "exp": int(dt.datetime.now(dt.UTC).timestamp()) - 1}, JWT_KEY, algorithm="HS256")
    status, body = await api.call("GET", "/v1/users/admin", auth=f"Bearer {old}")
    assert (status, code(body)) == (401, 1005)
    assert "expired" in body["errors"][0]["details"]


async def test_a_token_is_good_on_every_webapp_with_the_same_key(api: Api, clean: DbEnv) -> None:
    async with running(web_env(clean), api.webapp.media_dir) as twin:
        assert (await twin.call("GET", "/v1/users/admin", auth=f"Bearer {api.token}"))[0] == 200
    async with running(web_env(clean, jwt_key=""), api.webapp.media_dir) as outsider:
        assert (await outsider.call("GET", "/v1/users/admin", auth=f"Bearer {api.token}"))[0] == 401
