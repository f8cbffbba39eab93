# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a module says to run that is used without our playbooks, which would have refused such a cluster before."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
import yaml
from ansible_collections.waent.fleet.tests.support.live_cluster import NEW, OK, LiveCluster, Shape
from ansible_collections.waent.fleet.tests.support.playbook_runs import FAILED, Run, play, write_inventory
from ansible_collections.waent.fleet.tests.support.printed import Command, commands

pytestmark = pytest.mark.thorough

SHAPE = Shape("alone", 31800, shards=1, webapps=1, masters=1, coreapps=1, more={"wa_allow_no_ha": True})


def role(name: str, tasks: str) -> dict[str, t.Any]:
    """One of ours, as our playbooks have it."""
    given = {"name": "waent.fleet." + name, "tasks_from": tasks, "rolespec_validate": False}
    return {"name": tasks, "ansible.builtin.import_role": given}


PLAN = {
    "version": NEW,
    "shards": "{{ __wa_desired.shards }}",
    "nodes": "{{ __wa_desired.nodes }}",
    "observed": "{{ _wa_observed }}",
    "health": "{{ __wa_before }}",
    "settings": "{{ __wa_settings_read.settings }}",
}
"""As the module's example has it, which does not accept what the inventory does."""
PLAY = [
    {
        "name": "Plan an upgrade",
        "hosts": "wa_cluster:wa_database_hosts",
        "gather_facts": False,
        "module_defaults": {"group/waent.fleet.api": "{{ _wa_api_access }}"},
        "tasks": [
            role("preflight", "gather"),
            role("rollout", "gather"),
            {"name": "Plan", "waent.fleet.wa_upgrade_plan": PLAN, "delegate_to": "localhost", "run_once": True},
        ],
    }
]


@pytest.fixture
def cluster(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[LiveCluster]:
    """With one node of each kind."""
    made = LiveCluster(tmp_path_factory.mktemp("alone"), SHAPE)
    try:
        made.start()
        yield made
    finally:
        made.remove()


def planned(cluster: LiveCluster) -> Run:
    """A user's own playbook with the module."""
    path = cluster.home / "plan.yml"
    path.write_text(yaml.safe_dump(PLAY, sort_keys=False))
    return play(str(path), "-i", cluster.inventory, "-e", cluster.variables)


def raise_pins(cluster: LiveCluster, **pins: t.Any) -> None:
    """More nodes of a kind on the one host."""
    shape = cluster.shape = cluster.shape._replace(**pins)
    hosts = {shape.host: shape.host_variables()}
    write_inventory(Path(cluster.inventory), hosts, wa_database_hosts=[shape.host])


def test_without_one_to_take_over_a_node_more_of_each_kind_is_what_is_missing(cluster: LiveCluster) -> None:
    missing = ["NO_SPARE", "NO_SECOND_MASTER"]
    for pins in ({"coreapps": 2}, {"masters": 2}):
        refused = planned(cluster)
        assert refused.code == FAILED and refused.codes == missing, refused.output
        (command,) = commands(refused.sentences(missing.pop(0))[0])
        assert command == Command("site", {})
        raise_pins(cluster, **pins)
        run = cluster.play("site.yml", *command.given())
        assert run.code == OK, run.output
        assert cluster.faults(1, coreapps=2) == []
    assert planned(cluster).code == OK
    cluster.declare(wa_allow_no_ha=False)
    upgraded = cluster.upgrade(NEW)
    assert upgraded.code == OK, upgraded.output
    assert (cluster.versions(), cluster.faults(1)) == ({NEW}, [])
    status = cluster.status("-e", "wa_version=" + NEW)
    assert status.code == OK, status.output
