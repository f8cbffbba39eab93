# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the module for stacks answered, in sentences."""

from __future__ import annotations

from ansible_collections.waent.fleet.plugins.filter.stack_changes import FilterModule as ChangesFilter
from ansible_collections.waent.fleet.plugins.filter.stack_failure import FilterModule as FailureFilter
from ansible_collections.waent.fleet.plugins.module_utils._check.aws_stack import stack_changes, stack_failure

FAILED = {
    "failed": True,
    "output": "Problem with UPDATE. Rollback complete",
    "log": [
        "AWS::EC2::Instance Host3 CREATE_FAILED: Resource creation cancelled",
        "AWS::EC2::Instance Host2 CREATE_FAILED: You have requested more vCPU capacity than your current limit\nof 32.",
    ],
}


def test_the_resource_that_failed_is_named_and_those_that_were_called_off_are_not():
    message = stack_failure(FAILED, "waent-production-enterprise")
    assert message.startswith(
        "[AWS_STACK_FAILED] AWS has not brought the stack waent-production-enterprise about: Host2"
    )
    assert "Host2 (AWS::EC2::Instance): You have requested more vCPU capacity" in message
    assert "Host3" not in message
    assert "\n" not in message


def test_without_events_it_is_what_the_module_says():
    said = "Task failed: Module failed: Failed to create stack x"
    assert "about: Failed to create stack" in stack_failure({"failed": True, "msg": said}, "x")
    nothing = {"failed": True, "output": FAILED["output"], "msg": "Task failed: Module failed: Unknown error."}
    assert "Rollback complete" in stack_failure(nothing, "x")
    assert "AWS gave no reason" in stack_failure({"failed": True}, "x")


def test_a_change_set_is_one_line_for_each_resource():
    changes = [
        {
            "ResourceChange": {
                "Action": "Modify",
                "LogicalResourceId": "Host1",
                "ResourceType": "T",
                "Replacement": "True",
            }
        },
        {"resource_change": {"action": "Add", "logical_resource_id": "Host4", "resource_type": "T"}},
    ]
    assert stack_changes({"changed": True, "meta": changes}, "s") == [
        "s: Host1 (T) changed, replaced",
        "s: Host4 (T) added",
    ]
    assert stack_changes({"changed": True, "meta": []}, "s") == ["s: would be made"]
    assert stack_changes({"changed": False, "meta": "didn't contain changes"}, "s") == ["s: no change"]


def test_the_filters_are_these_functions():
    assert ChangesFilter().filters() == {"stack_changes": stack_changes}
    assert FailureFilter().filters() == {"stack_failure": stack_failure}
