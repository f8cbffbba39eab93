"""Every row of the tables, see README.md of the emulator for how to run them against another client."""

from __future__ import annotations

import pytest

from tests.conformance.row import Row, differences
from tests.conformance.tables import TABLES
from tests.conformance.target import Target
from waemu.web.app import ENDPOINTS


@pytest.mark.asyncio(loop_scope="module")
async def test_the_answer_is_what_the_table_says(target: Target, applicable: Row) -> None:
    for request in applicable.first:
        await target.send(request)
    found = differences(applicable, await target.send(applicable.request))
    assert not found, f"{applicable.request.method} {applicable.request.path}: {'; '.join(found)} ({applicable.source})"


def test_every_endpoint_has_a_table() -> None:
    named = [table.endpoint for table in TABLES]
    assert sorted(named) == sorted(set(named))
    assert set(named) == {f"{endpoint.method} {endpoint.path}" for endpoint in ENDPOINTS} | {"anything"}
