"""Whom the tables are compared with, see README.md of the emulator."""

from __future__ import annotations

import contextlib
import os
import typing as t

import aiohttp
import pytest
import pytest_asyncio

from tests.conformance.row import Row
from tests.conformance.tables import TABLES
from tests.conformance.target import AGENT, Target, in_process
from tests.web.conftest import database, empty
from waemu import versions

__all__ = ["database"]

VERSIONS: t.Final = ("v2.19.4", "v2.33.4", "v2.43.1", "v2.63.0")
"""The first one, the one that was recorded, the first with contacts that are always valid, the last one."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Of a run against anything else than the emulator in this process."""
    group = parser.getgroup("conformance")
    group.addoption("--api-url", help="https://HOST:PORT of a webapp; CONFORMANCE_PASSWORD is its administrator's")
    group.addoption("--api-user", default="admin", help="user name of the administrator (default: admin)")
    group.addoption(
        "--api-changes",
        action="store_true",
        help="also send requests that leave something different behind: for installations that serve nobody",
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test for each row, and in this process for each version that it is true of."""
    if "row" not in metafunc.fixturenames:
        return
    url = metafunc.config.getoption("--api-url", default=None)
    changes = metafunc.config.getoption("--api-changes", default=False)
    found = []
    for table in TABLES:
        for row in table.rows:
            name = f"{table.endpoint} {row.what}"
            if url is not None:
                if row.registered and (changes or not (row.changes or row.request.auth == AGENT)):
                    found.append(pytest.param(("", True, ""), row, id=name))
                continue
            for version in VERSIONS:
                if row.is_of(versions.parse(version)):
                    # A registration is for good: who has to be without one gets an installation of its own.
                    own = "" if row.registered else name
                    found.append(pytest.param((version, row.registered, own), row, id=f"{version} {name}"))
    metafunc.parametrize(("target", "row"), found, indirect=["target"], scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def target(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> t.AsyncIterator[Target]:
    """The installation that the row is compared with."""
    url = request.config.getoption("--api-url", default=None)
    if url is not None:
        async with aiohttp.ClientSession() as session:
            found = Target(url, session, os.environ.get("CONFORMANCE_API_KEY", ""))
            user = request.config.getoption("--api-user")
            await found.log_in(user, os.environ["CONFORMANCE_PASSWORD"])
            async with contextlib.AsyncExitStack() as stack:
                if request.config.getoption("--api-changes"):
                    await stack.enter_async_context(found.with_agent())
                yield found
        return
    version, registered, _own = request.param
    env = request.getfixturevalue("database")
    await empty(env)
    folder = tmp_path_factory.mktemp("media")
    async with in_process(env, version, folder, registered=registered) as found:
        yield found


@pytest.fixture
def applicable(target: Target, row: Row) -> Row:
    """The row, where the version that answers is one of its versions."""
    if not row.is_of(target.version):
        pytest.skip(f"not of {target.version}")
    return row
