"""The webapp as a process: start, port, TLS, exit codes, log (reference 1, 2.3, 2.4, 3.7, 4.6)."""

from __future__ import annotations

import asyncio
import datetime as dt
import re
import ssl
import typing as t
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest
from ansible_collections.waent.fleet.tests.support.this_machine import PATIENCE
from ansible_collections.waent.fleet.tests.support.webapp_process import (
    API_KEY,
    WebappProcess,
    free_port,
    webapp_variables,
)

from tests.web.conftest import empty, upgrade
from tests.web.test_tls import issue
from waemu.environment import DbEnv
from waemu.store import certificates
from waemu.store.engine import make_engine
from waemu.web import authority, tls

# All that a webapp loads beyond Python's own library, apart from the driver of its database. Each costs every start,
# and memory for as long as it runs; how much work a start is, benchmarks/emulator_start.py measures.
NEEDED = {
    *("aiohappyeyeballs", "aiohttp", "aiosignal", "attr", "frozenlist", "idna", "multidict", "propcache", "yarl"),
    *("cryptography", "jwt", "msgspec", "greenlet", "sqlalchemy", "typing_extensions", "waemu"),
}
DRIVERS = {"MYSQL": {"aiomysql", "pymysql"}, "PGSQL": {"asyncpg"}}


@pytest.fixture
def start(tmp_path: Path) -> t.Iterator[t.Callable[[dict[str, str]], WebappProcess]]:
    """Starts webapps that end with the test."""
    running: list[WebappProcess] = []

    def begin(env: dict[str, str]) -> WebappProcess:
        home = tmp_path / str(len(running))
        home.mkdir()
        running.append(WebappProcess(home, env))
        return running[-1]

    yield begin
    for process in running:
        process.stop()


async def test_it_serves_after_little_work_and_ends_with_0(clean: DbEnv, start: t.Any) -> None:
    webapp = start(webapp_variables(clean))
    await webapp.until("/", 200)
    body = await webapp.until("/v1/health", 200, Authorization=f"Apikey {API_KEY}")
    assert (webapp.home / "lighttpd.pid").read_text() == f"{webapp.process.pid}\n"
    assert (webapp.home / "webapp.pem").read_text().startswith("-----BEGIN PRIVATE KEY-----")
    assert body == {"health": {}, "meta": {"version": "v2.19.4", "api_status": "stable"}}
    assert webapp.stop() == 0
    assert webapp.packages() == NEEDED | DRIVERS[clean.engine]
    assert (webapp.home / "log" / "web.log").read_text() == webapp.output
    assert (webapp.home / "log" / "error.log").read_text() == ""
    line = re.compile(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} [DIWEF] \S+ req_id=\S+ .+$")
    assert all(line.match(text) for text in webapp.output.splitlines())
    assert re.search(r"req_id=[0-9a-f]{32} GET /v1/health 200 \d+ ms", webapp.output)


async def test_before_the_schema_only_the_root_answers(database: DbEnv, start: t.Any) -> None:
    webapp = start(webapp_variables(database, WA_DB_NAME_PREFIX="nothing_here_"))
    await webapp.until("/", 200)
    for path in ("/v1/health", "/v1/users/admin", "/metrics"):
        status, body = await webapp.get(path, Authorization=f"Apikey {API_KEY}")
        assert (status, body["errors"][0]["code"]) == (503, 1011)
    assert (await webapp.get("/v1/unknown"))[0] == 404


async def test_without_a_database_the_root_answers(database: DbEnv, start: t.Any) -> None:
    webapp = start(webapp_variables(database, WA_DB_PORT=str(free_port())))
    await webapp.until("/", 200)
    status, body = await webapp.get("/v1/health", Authorization=f"Apikey {API_KEY}")
    assert (status, body["errors"][0]["code"]) == (503, 1011)
    assert "The database cannot be reached" in webapp.output
    assert database.password not in webapp.output


@pytest.mark.parametrize(
    ("variable", "value", "named"),
    [
        ("WA_DB_ENGINE", "ORACLE", "MYSQL"),
        ("WA_DB_PORT", "70000", "65535"),
        ("WA_DB_PASSWORD", "what?now", "WA_DB_PASSWORD"),
        ("WA_API_KEY", "short", "12"),
        ("WA_APP_MULTICONNECT", "yes", "0 and 1"),
        ("WA_WEB_SECURITY_LEVEL", "PARANOID", "MODERN"),
        ("WAEMU_RATE_LIMIT_FACTOR", "-1", "WAEMU_RATE_LIMIT_FACTOR"),
    ],
)
def test_a_bad_environment_ends_it_with_one_sentence(
    database: DbEnv, start: t.Any, variable: str, value: str, named: str
) -> None:
    webapp = start(webapp_variables(database, **{variable: value}))
    assert webapp.process.wait(timeout=PATIENCE) == 1
    [line] = webapp.output.splitlines()
    assert variable in line
    assert named in line
    assert "?now" not in line


async def _authority(database: DbEnv) -> str:
    """What the API shows of the installation's authority."""
    engine = make_engine(database)
    pem = await certificates.read(engine, certificates.AUTHORITY)
    await engine.dispose()
    assert pem is not None
    return tls.certificates_of(pem)


async def _verified(webapp: t.Any, ca: str) -> None:
    """A client that trusts this authority alone gets an answer, by any name of the webapp."""
    context = ssl.create_default_context(cadata=ca)
    async with aiohttp.ClientSession() as session:
        for name in ("api.example.test", "localhost", "127.0.0.1"):
            url = f"https://127.0.0.1:{webapp.port}/"
            async with session.get(url, ssl=context, server_hostname=name) as response:
                assert response.status == 200


async def test_every_webapp_is_verified_by_the_one_authority(clean: DbEnv, start: t.Any) -> None:
    webapps = [start(webapp_variables(clean)) for _ in range(2)]
    for webapp in webapps:
        await webapp.until("/v1/health", 200, Authorization=f"Apikey {API_KEY}")
    ca = await _authority(clean)
    for webapp in webapps:
        await _verified(webapp, ca)
        assert "PRIVATE KEY" not in webapp.output


async def test_a_webapp_that_is_restarted_without_its_database_is_still_verified(clean: DbEnv, start: t.Any) -> None:
    webapp = start(webapp_variables(clean))
    await webapp.until("/v1/health", 200, Authorization=f"Apikey {API_KEY}")
    ca, served = await _authority(clean), ssl.get_server_certificate(("127.0.0.1", webapp.port))
    webapp.stop()
    again = WebappProcess(webapp.home, webapp_variables(clean, WA_DB_PORT=str(free_port())))
    try:
        await again.until("/", 200)
        assert ssl.get_server_certificate(("127.0.0.1", again.port)) == served
        await _verified(again, ca)
    finally:
        again.stop()


async def test_an_expired_authority_is_replaced_at_the_next_start(clean: DbEnv, start: t.Any) -> None:
    engine = make_engine(clean)
    old = authority.make(dt.datetime.now(dt.UTC) - authority.LIFE - dt.timedelta(days=1))
    await certificates.write(engine, certificates.AUTHORITY, old)
    await engine.dispose()
    webapp = start(webapp_variables(clean))
    await webapp.until("/v1/health", 200, Authorization=f"Apikey {API_KEY}")
    ca = await _authority(clean)
    assert ca != tls.certificates_of(old)
    await _verified(webapp, ca)


async def _upload(database: DbEnv, pem: str) -> None:
    engine = make_engine(database)
    await certificates.write(engine, certificates.EXTERNAL, pem)
    await engine.dispose()


async def test_the_uploaded_chain_is_served_from_the_start(clean: DbEnv, start: t.Any) -> None:
    root = issue("root")
    intermediate = issue("intermediate", root)
    leaf = issue("leaf", intermediate)
    await _upload(clean, leaf.key_pem + leaf.pem + intermediate.pem)
    webapp = start(webapp_variables(clean))
    await webapp.until("/", 200)
    assert ssl.get_server_certificate(("127.0.0.1", webapp.port)) == leaf.pem
    context = ssl.create_default_context(cadata=root.pem)
    url = f"https://localhost:{webapp.port}/"
    async with aiohttp.ClientSession() as session, session.get(url, ssl=context) as response:
        assert response.status == 200


async def test_a_broken_chain_keeps_it_from_starting(clean: DbEnv, start: t.Any) -> None:
    leaf = issue("leaf")
    await _upload(clean, leaf.key_pem + leaf.pem)
    webapp = start(webapp_variables(clean))
    assert webapp.process.wait(timeout=PATIENCE) == 1
    assert "at least one intermediate" in webapp.output
    assert "at least one intermediate" in (webapp.home / "log" / "error.log").read_text()
    assert "Traceback" not in webapp.output
    assert "PRIVATE KEY" not in webapp.output


async def test_two_webapps_on_a_new_database_make_one_admin(clean: DbEnv, start: t.Any) -> None:
    webapps = [start(webapp_variables(clean)) for _ in range(2)]
    for webapp in webapps:
        await webapp.until("/v1/health", 200, Authorization=f"Apikey {API_KEY}")
    assert sum("Created the user admin" in webapp.output for webapp in webapps) == 1


async def test_docker_link_variables_do_not_matter(clean: DbEnv, start: t.Any) -> None:
    links = {"WACORE_PORT_6250-6253_TCP": "tcp://10.0.0.2:6250-6253", "DB_PORT": "tcp://10.0.0.3:3306"}
    webapp = start({**webapp_variables(clean), **links})
    await webapp.until("/", 200)


async def test_it_comes_to_life_when_the_schema_does(clean: DbEnv, start: t.Any) -> None:
    later = replace(clean, name_prefix="later_")
    webapp = start(webapp_variables(later, WA_DB_NAME_PREFIX="later_"))
    await webapp.until("/", 200)
    await asyncio.to_thread(upgrade, later, "v2.19.4")
    await webapp.until("/v1/health", 200, Authorization=f"Apikey {API_KEY}")
    await _verified(webapp, await _authority(later))
    await empty(later)


async def test_a_newer_client_waits_for_the_upgrade_but_shows_health(database: DbEnv, start: t.Any) -> None:
    older = replace(database, name_prefix="older_")
    await asyncio.to_thread(upgrade, older, "v2.19.4")
    webapp = start(webapp_variables(older, WA_DB_NAME_PREFIX="older_", WAEMU_VERSION="v2.45.1"))
    await webapp.until("/v1/health", 200, Authorization=f"Apikey {API_KEY}")
    status, body = await webapp.get("/v1/stats/db", Authorization=f"Apikey {API_KEY}")
    assert (status, body["errors"][0]["code"]) == (503, 1011)
    assert "upgraded" in body["errors"][0]["details"]
    await asyncio.to_thread(upgrade, older, "v2.45.1")
    await webapp.until("/v1/stats/db", 200, Authorization=f"Apikey {API_KEY}")
