"""Any input: no 5xx, and every answer is one that the served description has."""

from __future__ import annotations

import asyncio
import re
import sys
import typing as t
from pathlib import Path

import pytest

from tests.web.conftest import Api, Cluster, running, web_env
from waemu.environment import DbEnv
from waemu.schema import tables
from waemu.store.engine import in_seconds
from waemu.web import routing

CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "unsupported_method",
    "negative_data_rejection",
    "ignored_auth",
)
EXAMPLES = 15
DAY = 86400.0
SETTINGS = {"application": {"heartbeat_interval": 5}}


async def agreeable(nodes: Cluster) -> None:
    """A cluster of stand-ins that agree to everything."""
    master = await nodes.add("wa-master-1", "master")
    await nodes.primary("wa-master-1")
    master.status("primary_master", "disconnected")
    done: dict[str, t.Any] = {"ok": True}
    master.replies.update(
        {
            "POST /account": {"http_status": 202, "vname": "Shop"},
            "POST /account/verify": done,
            "POST /account/shards": done,
            "POST /settings/account/two-step": done,
            "DELETE /settings/account/two-step": done,
            **dict.fromkeys((f"{m} /settings/application" for m in ("GET", "PATCH", "DELETE")), SETTINGS),
        }
    )
    owner = await nodes.add("wa-coreapp-1")
    await nodes.own("wa-coreapp-1", 0)
    owner.status("coreapp", "connected", [[-1, -1], [0, 0]], "UP")
    owner.replies.update(
        {
            "POST /messages": lambda body: {"id": body["id"]},
            "POST /contacts": lambda body: {"contacts": [{"input": c, "status": "invalid"} for c in body["contacts"]]},
            "POST /services/message/gc": {"status": "processing"},
        }
    )


async def seen_long_ago(nodes: Cluster) -> None:
    """Stand-ins write their rows once: let those be as old as they get on the slowest machine."""
    async with nodes.engine.begin() as connection:
        await connection.execute(tables.nodes.update().values(last_seen=in_seconds(-DAY)))


@pytest.mark.parametrize("version", ["v2.19.4", pytest.param("v2.63.0", marks=pytest.mark.thorough)])
async def test_the_description_holds_for_any_input(
    clean: DbEnv, api: Api, nodes: Cluster, tmp_path: Path, version: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(routing, "NODE_ROW_KEPT", 2 * DAY)  # however long it takes, no node is forgotten
    await agreeable(nodes)
    await seen_long_ago(nodes)
    async with running(web_env(clean, version=version), api.webapp.media_dir) as web:
        program = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "schemathesis.cli", "run", str(web.client.make_url("/openapi.json"))),
            *("--header", f"Authorization: Bearer {api.token}", "--checks", ",".join(CHECKS)),
            *("--exclude-path", "/v1/users/logout"),  # it would end the token that all other calls use
            # Bytes come back with the type they were uploaded with, which the program then tries to read as YAML.
            *("--exclude-operation-id", "GET_v1_media_id"),
            *("--max-examples", str(EXAMPLES), "--phases", "examples,coverage,fuzzing", "--seed", "1"),
            *("--suppress-health-check", "all", "--no-color", "--generation-database", "none"),
            cwd=tmp_path,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        output, _ = await program.communicate()
    text = output.decode()
    assert program.returncode == 0, text
    assert "Exception" not in text, text  # a thread that dies takes its share of the operations with it
    tested = re.findall(r"✅ (\d+) passed", text)
    [selected] = re.findall(r"Operations: +(\d+) selected", text)
    assert tested == [selected] * 2, text
