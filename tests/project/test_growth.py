# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fortieth host costs the controller what the twentieth did: nothing goes through all hosts for each host.

Counted, not timed: processes, templatings, how often Ansible puts the variables of a host together, and how much
modules are given. What a run costs whatever the number of hosts is falls away in the differences between sizes.
"""

from __future__ import annotations

import re

import pytest
from ansible_collections.waent.fleet.tests.support.pretend_hosts import BARE, CHANGED, INSTALLED, PretendFleet
from ansible_collections.waent.fleet.tests.support.sample import sampled

SIZES = (10, 20, 40)
SLACK = 1.05
"""Less than this a host may cost more among many: one list that is as long as there are hosts is no loop over them."""

PROCESSES = {
    ("playbooks/status.yml", INSTALLED): 1,
    ("playbooks/site.yml", INSTALLED): 1,
    ("playbooks/site.yml", CHANGED): 3,
    ("playbooks/site.yml", BARE): 9,
}
"""For each host. One reads it, with its images. Where a node of the fleet differs, two more ask whether the host lacks
something for it. Where there is no engine: one listens on its ports, one tries those of the others, two read the lists
of packages, one would install, one would start, and two see that nothing else is to be done in check mode."""


TASKS_AGAIN = 10
"""What site.yml does on one host, or for it, where there is nothing to do. The database of pretended hosts is not read;
in place of that it is shown what stays unknown."""


MOST_KB_OF_HOST = 500
"""What the process that keeps all answers needs for one more host of five nodes at most: what is read of them is
some 20 KB as text."""


def counted(directory, state, playbook, *arguments):
    """By size what a run costs."""
    found = {}
    for size in SIZES:
        home = directory / str(size)
        home.mkdir()
        with PretendFleet(home, size) as fleet:
            fleet.be(state)
            run = fleet.play(playbook, *arguments)
            assert "unreachable=1" not in run.output and "Traceback" not in run.output, run.output
            found[size] = fleet.counts()
    return found


def per_host(found, name, few, many):
    """What each further host costs between two sizes."""
    return (found[many][name] - found[few][name]) / (many - few)


@pytest.mark.parametrize("run", sampled(PROCESSES, [("playbooks/site.yml", INSTALLED)]))
def test_a_host_costs_among_many_what_it_costs_among_few(tmp_path, run):
    playbook, state = run
    found = counted(tmp_path, state, playbook, *([] if playbook == "playbooks/status.yml" else ["--check"]))
    small, middle, large = SIZES
    for name in ("processes", "templatings", "variables", "sent"):
        few, many = per_host(found, name, small, middle), per_host(found, name, middle, large)
        assert many <= few * SLACK, (name, few, many, found)
    assert per_host(found, "memory", small, large) <= MOST_KB_OF_HOST, found
    assert per_host(found, "processes", middle, large) == PROCESSES[playbook, state]


def test_a_second_run_has_few_tasks(tmp_path):
    with PretendFleet(tmp_path, SIZES[0]) as fleet:
        fleet.be(INSTALLED)
        run = fleet.play("playbooks/site.yml")
    assert run.code == 0, run.output
    done = re.search(r"^pretended-0000 +: ok=(\d+) +changed=0 ", run.output, re.MULTILINE)
    assert done, run.output
    # What is done once for all is counted at the first host.
    assert int(done.group(1)) == TASKS_AGAIN, run.output
