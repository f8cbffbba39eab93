"""What holds for every endpoint: envelope, unknown paths, slashes, rate limits, database away (reference 4.1, 3.8)."""

from __future__ import annotations

import asyncio
import json

import pytest
from aiohttp.test_utils import TestClient, TestServer
from ansible_collections.waent.fleet.tests.support.webapp_process import API_KEY, free_port

from tests.web.conftest import PASSWORD, Api, Cluster, running, web_env
from tests.web.test_users import code
from waemu import codes
from waemu.environment import DbEnv
from waemu.web.app import ENDPOINTS, make_app
from waemu.web.main import open_webapp
from waemu.web.openapi import document
from waemu.web.webapp import Readiness


async def test_unknown_paths(api: Api) -> None:
    for path in ("/v1", "/v1/unknown", "/v2/health", "/v1/users/a/b"):
        status, body = await api.call("GET", path, auth="")
        assert (status, code(body)) == (404, 1006), path
        assert body["errors"][0]["title"] == "Resource not found"
        assert body["meta"]["api_status"] == "stable"


async def test_unknown_methods_name_the_known_ones(api: Api) -> None:
    response = await api.request("PATCH", "/v1/users/admin")
    assert response.status == 405
    assert set(response.headers["Allow"].split(",")) == {"GET", "PUT", "DELETE"}
    assert code(await response.json()) == 1006


async def test_trailing_slashes(api: Api) -> None:
    assert (await api.call("GET", "/v1/health/"))[0] == 200
    assert (await api.call("GET", "/v1/users/admin/"))[0] == 200
    assert await api.login("admin", "wrong") == (401, b"")


async def test_the_root_needs_nothing(api: Api) -> None:
    response = await api.request("GET", "/", auth="")
    assert response.status == 200


@pytest.mark.parametrize("raw", [b"", b"{", b"\xff", b'{"username":"\xff"}'])
async def test_what_is_no_json(api: Api, raw: bytes) -> None:
    status, body = await api.call("POST", "/v1/users", data=raw, headers={"Content-Type": "application/json"})
    assert (status, code(body)) == (400, 1025)


async def test_bodies_that_are_too_large(api: Api) -> None:
    status, body = await api.call("POST", "/v1/users", data=b"x" * (5 * 1024 * 1024))
    assert (status, code(body)) == (413, 1025)


async def test_an_unknown_database_is_1023(api: Api) -> None:
    away = DbEnv("MYSQL", "127.0.0.1", free_port(), "wa", "x")
    async with open_webapp(web_env(away), api.webapp.media_dir) as webapp:
        webapp.readiness = Readiness.READY  # it was there, and then went away
        async with TestClient(TestServer(make_app(webapp))) as client:
            other = Api(client, webapp)
            status, body = await other.call("GET", "/v1/health", auth=f"Apikey {API_KEY}")
            assert (status, code(body)) == (500, 1023)
            status, body = await other.call("GET", "/v1/users/admin", auth=f"Bearer {api.token}")
            assert (status, code(body)) == (500, 1023)


async def test_rate_limits(clean: DbEnv, api: Api) -> None:
    # 15 and 6 at once, and then next to nothing
    limited = web_env(clean, version="v2.25.3", rate_limit_factor=0.1, divisor=0.001)
    async with running(limited, api.webapp.media_dir) as other:
        statuses = [(await other.call("POST", "/v1/messages", {}, auth=""))[0] for _ in range(17)]
        assert statuses == [401] * 15 + [429] * 2
        statuses = [(await other.call("GET", "/v1/users/x", auth=""))[0] for _ in range(7)]
        assert statuses == [401] * 6 + [429]
        status, body = await other.call("GET", "/v1/unknown", auth="")
        assert (status, code(body)) == (429, 1015)
        assert (await other.request("GET", "/", auth="")).status == 200


async def test_other_statuses_for_errors(clean: DbEnv, api: Api) -> None:
    env = web_env(clean, error_statuses={1018: 500, 1006: 410, 1005: 400})
    async with running(env, api.webapp.media_dir) as other:
        other.token = api.token
        message = {"to": "49170", "text": {"body": "x"}}
        for method, path, json, expected in (
            ("POST", "/v1/messages", message, (500, 1018)),
            ("GET", "/v1/unknown", None, (410, 1006)),
        ):
            status, body = await other.call(method, path, json)
            assert (status, code(body)) == expected
        assert (await other.call("GET", "/v1/users/x", auth=""))[0] == 401


async def test_too_many_requests_at_once(clean: DbEnv, api: Api, nodes: Cluster) -> None:
    owner = await nodes.add("wa-coreapp-1")
    await nodes.own("wa-coreapp-1", 0)
    owner.seconds = 0.5
    owner.replies["POST /messages"] = lambda body: {"id": body["id"]}
    async with running(web_env(clean, most_concurrent=3), api.webapp.media_dir) as other:
        other.token = api.token
        message = {"to": "49170", "text": {"body": "x"}}
        answers = await asyncio.gather(*(other.call("POST", "/v1/messages", message) for _ in range(5)))
        assert sorted(status for status, _body in answers) == [201] * 3 + [503] * 2
        assert {code(body) for status, body in answers if status == 503} == {1016}
        assert (await other.call("POST", "/v1/messages", message))[0] == 201


async def test_metrics(api: Api) -> None:
    await api.call("GET", "/v1/users/nobody")
    _, found = await api.call("GET", "/metrics")
    assert found["metrics"]["web_requests"]["type"] == "gauge"
    assert (await api.call("GET", "/metrics?format=xml"))[0] == 400
    status, raw = await api.call("GET", "/metrics?format=prometheus", auth=f"Apikey {API_KEY}")
    assert status == 200
    text = raw.decode()
    assert "# TYPE web_uptime gauge" in text
    assert 'web_requests{node="wa-webapp-1",state="received"}' in text
    assert 'api_requests_duration_ms_count{method="GET_v1_users",result="404",node="wa-webapp-1"} 1' in text
    for name in ("web_connections", "web_pending_connections", "web_queue_len", "web_idle_processes"):
        assert f'\n{name}{{node="wa-webapp-1"}}' in text


async def test_callbacks_are_counted_by_those_who_send_them(api: Api, nodes: Cluster) -> None:
    count = {"type": "status_change", "result": "success", "requests": 3, "milliseconds": 45}
    (await nodes.add("wa-coreapp-1")).replies["GET /stats"] = {"callbacks": [count]}
    await nodes.add("wa-coreapp-2")  # answers 1011
    _, body = await api.call("GET", "/v1/stats/app")
    labels = {"result": "success", "type": "status_change", "node": "127.0.0.1:wa-coreapp-1"}
    found = {name: metric["data"] for name, metric in body["stats"]["app"].items() if "requests" in name}
    assert found == {
        "callback_requests": [{"labels": labels, "value": 3}],
        "callback_requests_duration_ms_count": [{"labels": labels, "value": 3}],
        "callback_requests_duration_ms_sum": [{"labels": labels, "value": 45}],
        "endpoint_requests": [],
    }


async def test_stats(api: Api) -> None:
    _, body = await api.call("GET", "/v1/stats/app")
    assert body["stats"]["app"]["callback_queue_size"] == {
        "data": [{"labels": {}, "value": 0}],
        "help": "Callbacks that wait for delivery",
        "type": "gauge",
    }
    _, body = await api.call("GET", "/v1/stats/db")
    assert list(body["stats"]["db"]) == [
        *("db_contacts", "db_messages", "db_message_receipts", "db_pending_callbacks", "db_pending_messages"),
    ]
    _, body = await api.call("GET", "/v1/stats")
    assert set(body["stats"]) == {"app", "db"}
    _, raw = await api.call("GET", "/v1/stats/db?format=prometheus")
    assert b'db_contacts{type="whatsapp_user"} 0\n' in raw
    status, body = await api.call("GET", "/v1/stats/db?format=xml")
    assert (status, code(body)) == (400, 1009)
    assert (await api.call("GET", "/v1/stats/db/internal"))[0] == 200


async def test_database_requests_are_counted_by_those_who_make_them(api: Api, nodes: Cluster) -> None:
    count = {"store": "message", "op": "insert", "requests": 3, "microseconds": 4500}
    (await nodes.add("wa-coreapp-1")).replies["GET /stats"] = {"callbacks": [], "database": [count]}
    await api.call("POST", "/v1/users", {"username": "joe17", "password": PASSWORD})
    _, body = await api.call("GET", "/v1/stats/app/internal")
    found = body["stats"]["app"]
    for metric in ("db_request_duration_us_sum", "db_request_duration_us_count"):
        values = {tuple(one["labels"].values()): one["value"] for one in found[metric]["data"]}
        assert values["config", "insert", "wa-webapp-1"] >= 1
        assert values["callback", "select", "wa-webapp-1"] >= 1
        expected = 3 if metric.endswith("count") else 4500
        assert values["message", "insert", "127.0.0.1:wa-coreapp-1"] == expected


async def test_the_description_is_served_and_complete(api: Api) -> None:
    response = await api.request("GET", "/openapi.json", auth="")
    described = await response.json()
    assert described["openapi"] == "3.1.0"
    operations = {(method.upper(), path) for path, item in described["paths"].items() for method in item}
    assert operations == {(e.method, e.path) for e in ENDPOINTS if e.since == (0, 0)}
    names = [o["operationId"] for item in described["paths"].values() for o in item.values()]
    assert len(names) == len(set(names))


def test_every_error_an_end_point_declares_has_its_status_described() -> None:
    described = json.loads(document(ENDPOINTS, version="v2.19.4"))
    for endpoint in ENDPOINTS:
        responses = described["paths"][endpoint.path][endpoint.method.lower()]["responses"]
        for error in endpoint.errors:
            assert str(int(error)) in responses[str(codes.status(error))]["description"]


@pytest.mark.parametrize("readiness", [Readiness.NO_SCHEMA, Readiness.OLD_SCHEMA])
async def test_what_answers_before_the_schema_is_there(api: Api, readiness: Readiness) -> None:
    api.webapp.readiness = readiness
    status, body = await api.call("GET", "/v1/account/shards")
    assert (status, code(body)) == (503, 1011)
    assert body["errors"][0]["title"] == "Service not ready"
    assert (await api.call("GET", "/v1/health"))[0] == (200 if readiness is Readiness.OLD_SCHEMA else 503)
