# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is reported when a step fails: the step, the reason, what was changed, and the way on."""

from __future__ import annotations

import pytest
from ansible_collections.waent.fleet.plugins.filter.step_failure import FilterModule, from_results
from ansible_collections.waent.fleet.plugins.module_utils._plan.step import ACTIONS
from ansible_collections.waent.fleet.plugins.module_utils._plan.step_failure import CODES


def entry(step, action, key=None):
    host, _colon, name = (key or "").partition(":")
    node = {"key": "192.0.2.1:" + name, "name": name, "host": host} if key else None
    return {"step": step, "host": "h", "action": action, "node": node, "sentence": "Step {0}.".format(step)}


BATCHES = [
    [entry(1, "replace", "h:c1")],
    [entry(2, "switchover", "h:c2")],
    [entry(3, "replace", "h:c2"), entry(3, "replace", "h:c3")],
    [entry(4, "remove", "h:c4")],
]
PLAN = {"operation": "upgrade", "target": "v2.19.7", "batches": BATCHES}


def test_the_whole_message():
    node = {
        "name": "c2",
        "exists": True,
        "state": "exited",
        "exit_code": 3,
        "log": ["token hunter22", "no such library"],
    }
    examined = {"results": [{"item": {"key": "h"}, "nodes": [node]}]}
    message = from_results(BATCHES[2][0], PLAN, "[NODE_NOT_STARTED] it ended", examined, ["hunter22"])
    assert message.splitlines() == [
        "[UPGRADE_STOPPED] The upgrade to v2.19.7 stopped at step 3: Step 3.",
        "Why: [NODE_NOT_STARTED] it ended",
        "[NODE_EXITED] c2 on h has ended with exit code 3; its log says: no such library.",
        "Last log lines:",
        "  token ********",
        "  no such library",
        "Replaced: h:c1.",
        "Not yet: h:c2, h:c3, h:c4.",
        "Nodes that were not touched serve as before. Fix the reason and run the playbook again: it goes on where it"
        " stopped.",
    ]


def test_the_way_back_is_shown_while_there_is_one():
    """An upgrade goes back as long as a node of the old version is left: upgrade.yml refuses a downgrade."""
    back = "playbooks/upgrade.yml -e version=OLD leads back in the same order, OLD being the version before."
    ends = [from_results(batch[0], PLAN, "why").endswith(back) for batch in BATCHES]
    assert ends == [True, True, False, False]


def test_the_first_step_changed_nothing():
    assert "No node was changed." in from_results(BATCHES[0][0], PLAN, "why").splitlines()


def test_what_is_still_short_is_reported():
    assert "timers could not be restored" in from_results(BATCHES[1][0], PLAN, "why", still_shortened=True)


def test_a_failed_schema_upgrade_names_the_container_and_the_snapshot():
    message = from_results(entry(5, "schema_upgrade"), PLAN, "why", one_shot="wa-schema-upgrade")
    assert "remove the container wa-schema-upgrade" in message
    assert "restore the snapshot" in message


@pytest.mark.parametrize("operation", CODES)
@pytest.mark.parametrize("action", ACTIONS)
def test_every_action_of_every_operation_has_a_message(operation, action):
    failed = entry(1, action, "h:c9")
    message = from_results(failed, {"operation": operation, "target": 4, "batches": [[failed]]}, "why")
    assert message.startswith("[{0}] ".format(CODES[operation]))
    assert "Why: why" in message


def test_the_filter_has_its_name():
    assert FilterModule().filters() == {"step_failure": from_results}
