# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One of three machines dies: it is named soon, the printed argument goes on without it, and once back it is fixed.

The first two are one story, and whoever runs only the rest gets the same cluster.
"""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.waent.fleet.tests.support.container_hosts import NEXT_VERSION, ContainerHosts
from ansible_collections.waent.fleet.tests.support.playbook_runs import FAILED, OK
from ansible_collections.waent.fleet.tests.support.printed import Command, commands
from ansible_collections.waent.fleet.tests.support.three_machines import (
    DEAD,
    added_by,
    in_service,
    started,
    variables,
    write_hosts,
)

AWAY_SECONDS = 20
"""More than this a machine that is away does not cost; a run in which all answer takes some ten seconds by itself."""

ANOTHER_KEY = {"wa_api_key": "canary-another-key-4Rw8sJ"}
"""A change that recreates webapps, and nothing else."""

UPGRADE = ("upgrade", "-e", "version=v2.19.7")
RESHARD = ("reshard", "-e", "shards=2")
BEFORE = {"upgrade": {"wa_version": "v2.19.4"}, "reshard": {"wa_shards": 1}}
"""What the inventory says before a playbook that changes it."""


@pytest.fixture(scope="module")
def machines(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[ContainerHosts]:
    """Three of one cluster in service."""
    with in_service(tmp_path_factory.mktemp("dead"), "dead", NEXT_VERSION) as made:
        yield made


def test_a_dead_machine_stops_nothing_but_itself(machines: ContainerHosts) -> None:
    healthy = machines.play("status", variables(machines))
    assert healthy.code == OK, healthy.output
    before = started(machines, "two")
    with machines.dead(DEAD):
        refused = machines.site(variables(machines, **ANOTHER_KEY))
        assert refused.code == FAILED and refused.codes == ["HOST_NOT_READ"], refused.output
        assert refused.seconds < healthy.seconds + AWAY_SECONDS, refused.output
        (sentence,) = refused.sentences("HOST_NOT_READ")
        assert sentence.startswith(DEAD + ": ")
        without = added_by(sentence)
        assert started(machines, "two") == before, "nothing was changed"

        status = machines.play("status", variables(machines))
        assert "HOST_NOT_READ" in status.codes and status.code == FAILED, status.output
        assert status.seconds < healthy.seconds + AWAY_SECONDS, status.output

        run = machines.site(variables(machines, **ANOTHER_KEY), *without)
        assert run.code == OK, run.output
        changed = {name for name, when in started(machines, "two").items() if before[name] != when}
        assert changed == {"/wa-webapp-1"}

        status = machines.play("status", variables(machines, **ANOTHER_KEY), *without)
        assert status.code == OK and "{0} is left out".format(DEAD) in status.output, status.output


def test_a_machine_that_is_back_is_red_until_site_yml_has_fixed_it(machines: ContainerHosts) -> None:
    declared = variables(machines, **ANOTHER_KEY)
    refused = machines.site(declared, "-e", '{"wa_without_hosts": ["three"]}')
    assert refused.code == FAILED and "WITHOUT_HOST_ANSWERS" in refused.codes, refused.output

    status = machines.play("status", declared)
    assert status.code == FAILED, status.output
    (sentence,) = status.sentences("HOST_BEHIND")
    assert sentence.startswith(DEAD + ": wa-webapp-1 is not as desired") and "site.yml recreates it" in sentence
    (command,) = commands(sentence)

    run = machines.play(command.playbook, declared, *command.given())
    assert run.code == OK, run.output
    status = machines.play("status", declared)
    assert status.code == OK and "site.yml would change" not in status.output, status.output


@pytest.mark.thorough
def test_a_machine_that_only_ansible_cannot_reach_is_not_left_behind(machines: ContainerHosts) -> None:
    """Nothing listens where the inventory has its SSH server now; what runs there serves as before."""
    declared, without = variables(machines, **ANOTHER_KEY), ("-e", '{"wa_without_hosts": ["three"]}')
    ready = machines.site(declared)
    assert ready.code == OK, ready.output
    write_hosts(machines, ansible_host="127.0.0.1", ansible_port=9, wa_api_address=machines.address(DEAD))
    try:
        run = machines.site(declared, *without)
    finally:
        write_hosts(machines)
    assert run.code == FAILED and run.codes == ["WITHOUT_HOST_LIVES"], run.output
    (sentence,) = run.sentences("WITHOUT_HOST_LIVES")
    address = machines.address(DEAD)
    assert "{0}:wa-coreapp-1".format(address) in sentence and "https://{0}:9090".format(address) in sentence, sentence
    (command,) = commands(sentence)
    assert command == Command("", {})
    with machines.dead(DEAD):
        write_hosts(machines, ansible_host="127.0.0.1", ansible_port=9, wa_api_address=address)
        try:
            again = machines.site(declared, *without, *command.given())
        finally:
            write_hosts(machines)
        assert again.code == OK, again.output
        status = machines.play("status", declared, *without)
        assert status.code == OK, status.output


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("command", "more", "declares", "behind", "fixed_by"),
    [
        (UPGRADE, {}, {"wa_version": "v2.19.7"}, "UPGRADE_UNFINISHED", UPGRADE),
        (RESHARD, {"wa_coreapps": 2}, {"wa_version": "v2.19.7", "wa_shards": 2}, "NODE_MISSING", ("site",)),
    ],
)
def test_what_changes_the_whole_cluster_goes_on_without_it(
    machines: ContainerHosts,
    command: tuple[str, ...],
    more: dict[str, t.Any],
    declares: dict[str, t.Any],
    behind: str,
    fixed_by: tuple[str, ...],
) -> None:
    """And once the machine is back, what status.yml says then makes it as the rest is."""
    playbook, *arguments = command
    if playbook == "reshard":
        # Also where the case before this one was not run.
        newer = machines.play("upgrade", variables(machines, **ANOTHER_KEY), *UPGRADE[1:])
        assert newer.code == OK, newer.output
    before = variables(machines, **ANOTHER_KEY, **{**declares, **BEFORE[playbook]})
    ready = machines.site(before)
    assert ready.code == OK, ready.output
    write_hosts(machines, everywhere=more)
    with machines.dead(DEAD):
        refused = machines.play(playbook, before, *arguments)
        assert refused.code == FAILED and refused.codes == ["HOST_NOT_READ"], refused.output
        without = added_by(*refused.sentences("HOST_NOT_READ"))
        run = machines.play(playbook, before, *arguments, *without)
        assert run.code == OK, run.output
        status = machines.play("status", variables(machines, **ANOTHER_KEY, **declares), *without)
        assert status.code == OK, status.output
    declared = variables(machines, **ANOTHER_KEY, **declares)
    status = machines.play("status", declared)
    assert status.code == FAILED and behind in status.codes, status.output
    assert " ".join((fixed_by[0] + ".yml", *fixed_by[1:])) in status.sentences(behind)[0], status.output
    run = machines.play(fixed_by[0], declared, *fixed_by[1:])
    assert run.code == OK, run.output
    status = machines.play("status", declared)
    assert status.code == OK, status.output


def test_a_name_that_no_machine_has_is_refused_with_the_nearest(machines: ContainerHosts) -> None:
    run = machines.site(variables(machines), "-e", '{"wa_without_hosts": ["thre"]}')
    assert run.code == FAILED and run.codes == ["WITHOUT_HOST_UNKNOWN"], run.output
    assert "the nearest one is three" in run.output
