"""One request is followed through all nodes by its id (reference 2.3, 4.10)."""

from __future__ import annotations

import asyncio
import logging
import re
import typing as t
from pathlib import Path

import pytest

from tests.conformance.row import Request
from tests.conformance.target import in_process
from tests.core.conftest import until
from tests.web.conftest import clean, database
from waemu import messageids, requestid
from waemu.environment import DbEnv
from waemu.logs import LineFormat

__all__ = ["clean", "database"]

MESSAGE = {"to": "4917000001", "type": "text", "text": {"body": "Hello"}}


class Lines(logging.Handler):
    """What nodes log."""

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(LineFormat())
        self.found: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.found.append(self.format(record))


@pytest.fixture
def lines() -> t.Iterator[Lines]:
    handler, logger = Lines(), logging.getLogger("waemu")
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    yield handler
    logger.removeHandler(handler)
    logger.setLevel(level)


async def test_web_and_core_log_the_id_that_the_answer_has(clean: DbEnv, tmp_path: Path, lines: Lines) -> None:
    async with in_process(clean, "v2.33.4", tmp_path, registered=True) as target:
        answer = await target.send(Request("POST", "/v1/messages", json=MESSAGE))
        request_id = answer.headers["X-Request-ID"]
        said: list[str] = []

        def both() -> bool:
            said[:] = [line for line in lines.found if f"req_id={request_id} " in line]
            return len(said) == 2

        await until(both)
        assert re.search(r" server req_id=\S+ POST /messages 200 \d+ ms$", said[0])
        assert re.search(r" web req_id=\S+ POST /v1/messages 201 \d+ ms$", said[1])
        message_id = re.findall(rb'"id":"([^"]+)"', answer.body)[0].decode()
        assert answer.headers["X-Internal-Request-IDS"] == f"{request_id}|{messageids.own_part(message_id)}"


async def test_two_requests_at_a_time_keep_their_ids_apart(clean: DbEnv, tmp_path: Path, lines: Lines) -> None:
    async with in_process(clean, "v2.33.4", tmp_path, registered=True) as target:
        paths = ["/v1/settings/application"] * 10
        answers = await asyncio.gather(*(target.send(Request("GET", path)) for path in paths))
        ids = [answer.headers["X-Request-ID"] for answer in answers]
        assert len(set(ids)) == len(paths)
        for request_id, path in zip(ids, paths, strict=True):
            said = [line for line in lines.found if request_id in line]
            assert len([line for line in said if f" web req_id={request_id} GET {path} 200" in line]) == 1
            assert len([line for line in said if " server req_id=" in line]) == 1


async def test_what_monitoring_polls_does_not_fill_the_logs_of_nodes(
    clean: DbEnv, tmp_path: Path, lines: Lines
) -> None:
    async with in_process(clean, "v2.33.4", tmp_path, registered=True) as target:
        for path in ("/v1/health", "/v1/stats/app"):
            answer = await target.send(Request("GET", path))
            assert "X-Internal-Request-IDS" in answer.headers
            said = [line for line in lines.found if answer.headers["X-Request-ID"] in line]
            assert [line for line in said if " server req_id=" in line] == []


async def test_what_is_no_http_is_not_answered_with_the_name_of_a_framework(clean: DbEnv, tmp_path: Path) -> None:
    async with in_process(clean, "v2.33.4", tmp_path, registered=False) as target:
        reader, writer = await asyncio.open_connection("127.0.0.1", target.port)
        writer.write(b"nonsense\r\n\r\n")
        answer = await reader.read()
        writer.close()
        assert answer.startswith(b"HTTP/1.")
        assert b"\r\nServer: Server\r\n" in answer


@pytest.mark.parametrize("sent", ["", "x" * 32, "0" * 31, "0" * 32 + "\n", "0" * 16, None])
def test_what_is_no_id_does_not_get_into_the_log(sent: str | None) -> None:
    assert requestid.given(sent) is None
