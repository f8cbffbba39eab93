# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Three machines, of which one dies: two of them have all that one shard needs."""

from __future__ import annotations

import contextlib
import typing as t
from pathlib import Path

from ansible_collections.waent.fleet.tests.support import valid_variables
from ansible_collections.waent.fleet.tests.support.container_hosts import DATABASE_IMAGE, ContainerHosts
from ansible_collections.waent.fleet.tests.support.playbook_runs import OK
from ansible_collections.waent.fleet.tests.support.printed import commands

MACHINES = ("one", "two", "three")
DEAD = "three"


@contextlib.contextmanager
def in_service(home: Path, scenario: str, images: t.Mapping[str, str] | None = None) -> t.Iterator[ContainerHosts]:
    """Each has a coreapp and a webapp, of one cluster in service. images: what their registry has besides."""
    made = ContainerHosts(home, MACHINES, scenario=scenario, images=images)
    try:
        made.create()
        write_hosts(made)
        run = made.site(variables(made))
        assert run.code == OK, run.output
        yield made
    finally:
        made.destroy()


def write_hosts(
    machines: ContainerHosts, everywhere: t.Mapping[str, t.Any] | None = None, **of_the_dead: t.Any
) -> None:
    """Numbers by hand, so that two machines have all that one shard needs.

    everywhere, of_the_dead: more variables of every host, and of that one.
    """
    hosts: dict[str, dict[str, t.Any]] = {}
    for name in MACHINES:
        fixed = {"wa_coreapps": 1, "wa_webapps": 1, "wa_masters": int(name != DEAD)}
        hosts[name] = {"ansible_become": True, "wa_address": machines.address(name), **fixed, **(everywhere or {})}
    hosts[DEAD].update(of_the_dead)
    machines.write_hosts(hosts, wa_database_hosts=["one"])


def variables(machines: ContainerHosts, **changes: t.Any) -> dict[str, t.Any]:
    return valid_variables.but(
        wa_db_host=machines.address("one"),
        wa_database_image=DATABASE_IMAGE,
        wa_extra_environment={"WAEMU_TIME_DIVISOR": "10"},
        **changes,
    )


def added_by(sentence: str) -> list[str]:
    """The arguments that it says to add to the command; what to do about a host that is gone for good comes after."""
    command = commands(sentence)[0]
    assert not command.again and not command.playbook, sentence
    return command.given()


def started(machines: ContainerHosts, name: str) -> dict[str, str]:
    """When each node on a machine has started, by its name."""
    return {known[0]: known[1] for known in machines.state(name)["containers"].values()}
