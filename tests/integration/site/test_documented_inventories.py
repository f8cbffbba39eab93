# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Inventories that are there to be copied: with their secrets, nothing is wrong until the hosts are contacted."""

from __future__ import annotations

import json
import re
import typing as t
from pathlib import Path

import pytest
from ansible_collections.waent.fleet.tests.support.playbook_runs import FAILED, ROOT, Doorbell, play

# What the documentation says belongs in the vault, or is the reader's own.
SECRETS = {
    "wa_db_username": "waent",
    "wa_db_password": "Sup3rgeheim",
    "wa_admin_password": "Canary-admin-5Kd9wQ",
    "wa_cert": "Y2FuYXJ5LWNlcnRpZmljYXRl",
    "wa_jwt_key": "0123456789abcdef0123456789abcdef",
    "wa_registration_code": "123456",
    "wa_db_check_host": "",
}


def written() -> t.Iterator[t.Any]:
    """Every inventory in a page, as it is printed there."""
    for page in (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))):
        for number, block in enumerate(re.findall(r"```yaml\n(.*?)```", page.read_text(), re.DOTALL)):
            if block.lstrip().startswith("all:"):
                yield pytest.param(block, id="{0}-{1}".format(page.stem, number))


def directories() -> t.Iterator[t.Any]:
    """Those of the checkout that stand for machines of the reader's."""
    for name in ("single", "racks"):
        yield pytest.param(ROOT / "inventories" / name, id=name)


WRITTEN = list(written())


def test_the_pages_have_some() -> None:
    assert {parameter.id.partition("-")[0] for parameter in WRITTEN} >= {"README", "install"}


@pytest.mark.parametrize("inventory", [*WRITTEN, *directories()])
def test_nothing_is_wrong_with_it(inventory: str | Path, tmp_path: Path) -> None:
    path = inventory if isinstance(inventory, Path) else tmp_path / "hosts.yml"
    if isinstance(inventory, str):
        indent = len(inventory) - len(inventory.lstrip(" "))
        path.write_text("\n".join(line[indent:] for line in inventory.splitlines()))
    bell = Doorbell()
    try:
        reached = {"ansible_host": "127.0.0.1", "ansible_port": bell.port}
        run = play("playbooks/site.yml", "-i", str(path), "--check", "-e", json.dumps({**SECRETS, **reached}))
        assert run.code == FAILED and set(run.codes) == {"HOST_NOT_READ"} and bell.calls > 0, run.output
    finally:
        bell.close()
