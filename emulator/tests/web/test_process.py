"""The webapp as a process: start, port, TLS, exit codes, log (reference 1, 2.3, 2.4, 3.7, 4.6)."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
import ssl
import subprocess
import sys
import time
import typing as t
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest

from tests.machine import PATIENCE
from tests.web.conftest import API_KEY, JWT_KEY, SOURCE, empty, free_port, upgrade
from tests.web.test_tls import issue
from waemu.environment import DbEnv
from waemu.store import certificates
from waemu.store.engine import make_engine

# The image gives these places to the webapp alone; here they belong to the test.
PROGRAM = """
import pathlib, sys
from waemu import logs
from waemu.web import main, tls
main.HTTPS_PORT = int(sys.argv[1])
main.FIRST_LOOK_SECONDS = 30.0
main.MEDIA_DIR = pathlib.Path(sys.argv[2], "media")
logs.WEB_LOG = pathlib.Path(sys.argv[2], "log", "web.log")
logs.LIGHTTPD_ERROR_LOG = pathlib.Path(sys.argv[2], "log", "error.log")
tls.load_self_signed.__defaults__ = (pathlib.Path(sys.argv[2], "self-signed.pem"),)
code = main.main()
pathlib.Path(sys.argv[2], "modules").write_text(" ".join(sys.modules))
sys.exit(code)
"""
# All that a webapp loads beyond Python's own library, apart from the driver of its database. Each costs every start,
# and memory for as long as it runs; how much work a start is, benchmarks/emulator_start.py tells.
NEEDED = {
    *("aiohappyeyeballs", "aiohttp", "aiosignal", "attr", "frozenlist", "idna", "multidict", "propcache", "yarl"),
    *("cryptography", "jwt", "msgspec", "greenlet", "sqlalchemy", "typing_extensions", "waemu"),
}
DRIVERS = {"MYSQL": {"aiomysql", "pymysql"}, "PGSQL": {"asyncpg"}}


class Process:
    """One webapp process."""

    def __init__(self, home: Path, variables: dict[str, str]) -> None:
        self.port = free_port()
        self.home = home
        self._output = (home / "stdout").open("wb")
        self.process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(self.port), str(home)],
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(SOURCE), **variables},
            stdout=self._output,
            stderr=self._output,
        )

    @property
    def output(self) -> str:
        """All it has said."""
        return (self.home / "stdout").read_text()

    def packages(self) -> set[str]:
        """What it had loaded when it ended, beyond Python's own library and what compilers add."""
        loaded = {name.partition(".")[0] for name in (self.home / "modules").read_text().split()}
        return {name for name in loaded - sys.stdlib_module_names if not name.startswith("_")} - {"cython_runtime"}

    def stop(self) -> int:
        """End it as Docker does, and tell the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(timeout=PATIENCE)
        self._output.close()
        return code

    async def get(self, path: str, **headers: str) -> tuple[int, t.Any]:
        """Status and JSON body (None for others) of a GET over TLS, the certificate unchecked."""
        async with aiohttp.ClientSession() as session:
            url = f"https://127.0.0.1:{self.port}{path}"
            async with session.get(url, headers=headers, ssl=False) as response:
                is_json = response.content_type == "application/json"
                return response.status, await response.json() if is_json else None

    async def until(self, path: str, status: int, seconds: float = PATIENCE, **headers: str) -> t.Any:
        """Repeat a GET until it has a status; the body, or fail with what the process said."""
        deadline = time.monotonic() + seconds
        found: t.Any = None
        while time.monotonic() < deadline and self.process.poll() is None:
            with contextlib.suppress(aiohttp.ClientConnectorError):
                found, body = await self.get(path, **headers)
                if found == status:
                    return body
            await asyncio.sleep(0.05)
        raise AssertionError(f"{path} last answered {found}; the webapp said:\n{self.output}")


def variables(database: DbEnv, **changes: str) -> dict[str, str]:
    """A complete environment, with changes."""
    return {
        "WAEMU_VERSION": "v2.19.4",
        "WA_DB_ENGINE": database.engine,
        "WA_DB_HOSTNAME": database.hostname,
        "WA_DB_PORT": str(database.port),
        "WA_DB_USERNAME": database.username,
        "WA_DB_PASSWORD": database.password,
        "WA_APP_MULTICONNECT": "1",
        "WA_API_KEY": API_KEY,
        "WA_WEB_JWT_CRYPTO_KEY": JWT_KEY,
        "WA_WEB_SERVERNAME": "api.example.test",
        **changes,
    }


@pytest.fixture
def start(tmp_path: Path) -> t.Iterator[t.Callable[[dict[str, str]], Process]]:
    """Starts webapps that end with the test."""
    running: list[Process] = []

    def begin(env: dict[str, str]) -> Process:
        home = tmp_path / str(len(running))
        home.mkdir()
        running.append(Process(home, env))
        return running[-1]

    yield begin
    for process in running:
        process.stop()


async def test_it_serves_after_little_work_and_ends_with_0(clean: DbEnv, start: t.Any) -> None:
    webapp = start(variables(clean))
    await webapp.until("/", 200)
    body = await webapp.until("/v1/health", 200, Authorization=f"Apikey {API_KEY}")
    assert body == {"health": {}, "meta": {"version": "v2.19.4", "api_status": "stable"}}
    assert webapp.stop() == 0
    assert webapp.packages() == NEEDED | DRIVERS[clean.engine]
    assert (webapp.home / "log" / "web.log").read_text() == webapp.output
    assert (webapp.home / "log" / "error.log").read_text() == ""
    line = re.compile(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} [DIWEF] \S+ req_id=\S+ .+$")
    assert all(line.match(text) for text in webapp.output.splitlines())
    assert re.search(r"req_id=[0-9a-f]{16} GET /v1/health 200 \d+ ms", webapp.output)


async def test_before_the_schema_only_the_root_answers(database: DbEnv, start: t.Any) -> None:
    webapp = start(variables(database, WA_DB_NAME_PREFIX="nothing_here_"))
    await webapp.until("/", 200)
    for path in ("/v1/health", "/v1/users/admin", "/metrics"):
        status, body = await webapp.get(path, Authorization=f"Apikey {API_KEY}")
        assert (status, body["errors"][0]["code"]) == (503, 1011)
    assert (await webapp.get("/v1/unknown"))[0] == 404


async def test_without_a_database_the_root_answers(database: DbEnv, start: t.Any) -> None:
    webapp = start(variables(database, WA_DB_PORT=str(free_port())))
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
    webapp = start(variables(database, **{variable: value}))
    assert webapp.process.wait(timeout=PATIENCE) == 1
    [line] = webapp.output.splitlines()
    assert variable in line
    assert named in line
    assert "?now" not in line


async def test_the_self_signed_certificate_names_the_server(clean: DbEnv, start: t.Any) -> None:
    webapp = start(variables(clean))
    await webapp.until("/", 200)
    pem = ssl.get_server_certificate(("127.0.0.1", webapp.port))
    context = ssl.create_default_context(cadata=pem)
    async with aiohttp.ClientSession() as session:
        url = f"https://127.0.0.1:{webapp.port}/"
        async with session.get(url, ssl=context, server_hostname="api.example.test") as response:
            assert response.status == 200


async def _upload(database: DbEnv, pem: str) -> None:
    engine = make_engine(database)
    await certificates.write(engine, certificates.EXTERNAL, pem)
    await engine.dispose()


async def test_the_uploaded_chain_is_served_from_the_start(clean: DbEnv, start: t.Any) -> None:
    root = issue("root")
    intermediate = issue("intermediate", root)
    leaf = issue("leaf", intermediate)
    await _upload(clean, leaf.key_pem + leaf.pem + intermediate.pem)
    webapp = start(variables(clean))
    await webapp.until("/", 200)
    assert ssl.get_server_certificate(("127.0.0.1", webapp.port)) == leaf.pem
    context = ssl.create_default_context(cadata=root.pem)
    url = f"https://localhost:{webapp.port}/"
    async with aiohttp.ClientSession() as session, session.get(url, ssl=context) as response:
        assert response.status == 200


async def test_a_broken_chain_keeps_it_from_starting(clean: DbEnv, start: t.Any) -> None:
    leaf = issue("leaf")
    await _upload(clean, leaf.key_pem + leaf.pem)
    webapp = start(variables(clean))
    assert webapp.process.wait(timeout=PATIENCE) == 1
    assert "at least one intermediate" in webapp.output
    assert "at least one intermediate" in (webapp.home / "log" / "error.log").read_text()
    assert "Traceback" not in webapp.output
    assert "PRIVATE KEY" not in webapp.output


async def test_two_webapps_on_a_new_database_make_one_admin(clean: DbEnv, start: t.Any) -> None:
    webapps = [start(variables(clean)) for _ in range(2)]
    for webapp in webapps:
        await webapp.until("/v1/health", 200, Authorization=f"Apikey {API_KEY}")
    assert sum("Created the user admin" in webapp.output for webapp in webapps) == 1


async def test_docker_link_variables_do_not_matter(clean: DbEnv, start: t.Any) -> None:
    links = {"WACORE_PORT_6250-6253_TCP": "tcp://10.0.0.2:6250-6253", "DB_PORT": "tcp://10.0.0.3:3306"}
    webapp = start({**variables(clean), **links})
    await webapp.until("/", 200)


async def test_it_comes_to_life_when_the_schema_does(clean: DbEnv, start: t.Any) -> None:
    later = replace(clean, name_prefix="later_")
    webapp = start(variables(later, WA_DB_NAME_PREFIX="later_"))
    await webapp.until("/", 200)
    await asyncio.to_thread(upgrade, later, "v2.19.4")
    await webapp.until("/v1/health", 200, Authorization=f"Apikey {API_KEY}")
    await empty(later)


async def test_a_newer_client_waits_for_the_upgrade_but_shows_health(database: DbEnv, start: t.Any) -> None:
    older = replace(database, name_prefix="older_")
    await asyncio.to_thread(upgrade, older, "v2.19.4")
    webapp = start(variables(older, WA_DB_NAME_PREFIX="older_", WAEMU_VERSION="v2.45.1"))
    await webapp.until("/v1/health", 200, Authorization=f"Apikey {API_KEY}")
    status, body = await webapp.get("/v1/stats/db", Authorization=f"Apikey {API_KEY}")
    assert (status, body["errors"][0]["code"]) == (503, 1011)
    assert "upgraded" in body["errors"][0]["details"]
    await asyncio.to_thread(upgrade, older, "v2.45.1")
    await webapp.until("/v1/stats/db", 200, Authorization=f"Apikey {API_KEY}")
