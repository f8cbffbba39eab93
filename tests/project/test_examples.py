# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Task files of docs/examples that need no cluster to be tried."""

from __future__ import annotations

import json
import sys
import typing as t
from pathlib import Path

import pytest
import yaml
from ansible_collections.waent.fleet.tests.support.checkout import ROOT, run

BEGUN = 1000.0
GAVE_UP = "got no report of the end of the cleanup"


def report(received: float, services: list[dict[str, t.Any]]) -> dict[str, t.Any]:
    """A callback as the webhook has written it down."""
    return {"received": received, "callback": {"services": services}}


def ended(received: float, node: str, status: str = "complete") -> dict[str, t.Any]:
    """A coreapp reports the end of its cleanup."""
    return report(received, [{"message": {"gc": {"messages_deleted": 3, "node": node, "status": status}}}])


OTHERS = [
    {"received": 1001.0, "callback": {"statuses": [{"id": "a", "status": "read"}]}},
    report(1001.0, [{"media": {"gc": {"items_deleted": 1, "status": "complete"}}}]),
    report(1001.0, [{"message": {"gc": {"status": "processing"}}}]),
]


@pytest.mark.parametrize(
    ("lines", "gives_up"),
    [
        ([*OTHERS, ended(1002.0, "a"), ended(1003.0, "b", "failed")], False),
        ([*OTHERS, ended(999.0, "a"), ended(1002.0, "b")], True),
        ([], True),
    ],
)
def test_the_end_of_the_cleanup_is_waited_for_at_the_webhook(
    tmp_path: Path, lines: list[dict[str, t.Any]], gives_up: bool
) -> None:
    log, playbook = tmp_path / "callbacks", tmp_path / "wait.yml"
    log.write_text("".join(json.dumps(line) + "\n" for line in lines))
    given = {
        "wa_webhook_log": str(log),
        "wa_message_cleanup_seconds": 2,
        "wa_cleanup_begun": str(BEGUN),
        "wa_cleanup_nodes": ["a", "b"],
    }
    task = {"ansible.builtin.include_tasks": str(ROOT / "docs" / "examples" / "webhook_cleanup.yml")}
    play = {"hosts": "localhost", "gather_facts": False, "tasks": [task]}
    playbook.write_text(yaml.safe_dump([play]))
    inventory = tmp_path / "hosts.yml"
    local = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
    inventory.write_text(yaml.safe_dump({"webhook": {"hosts": {"localhost": local}}}))
    done = run("ansible-playbook", "-i", str(inventory), str(playbook), "-e", json.dumps(given))
    assert done.returncode == 0, done.stdout + done.stderr
    assert (GAVE_UP in done.stdout) is gives_up, done.stdout
