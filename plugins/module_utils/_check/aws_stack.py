# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What amazon.aws.cloudformation answered, in sentences. Internal to waent.fleet: may change in any release. Pure."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.waent.fleet.plugins.module_utils._common.instruction import instruction
from ansible_collections.waent.fleet.plugins.module_utils._common.problem import Problem, summary
from ansible_collections.waent.fleet.plugins.module_utils._common.text import one_line

Result = t.Mapping[str, t.Any]

_EVENT = re.compile(r"(?P<kind>\S+) (?P<resource>\S+) (?P<status>\S+_FAILED): (?P<reason>.*)", re.DOTALL)

_PREFIX = re.compile(r"(?:(?:Task|Module|Action) failed: )+")
"""What Ansible puts before what the module says."""


def stack_failure(result: Result, stack: str) -> str:
    """Why AWS has not done it, with the resource and the reason of the first that failed. result: one that failed."""
    # The newest comes first; what was only called off because of another one is no reason.
    events = [_EVENT.match(line) for line in reversed(result.get("log") or [])]
    reasons = [
        "{resource} ({kind}): {reason}".format(**{**event.groupdict(), "reason": one_line(event["reason"])})
        for event in events
        if event and "cancelled" not in event["reason"]
    ]
    # Where the module has nothing to say, newer releases of Ansible call that an unknown error.
    said = one_line(_PREFIX.sub("", str(result.get("output") or result.get("msg") or "AWS gave no reason")))
    why = "; ".join(reasons[:3]) or said
    message = "AWS has not brought the stack {0} about: {1}; correct that, and run {2}."
    text = message.format(stack, why, instruction("aws_stack_failed"))
    return summary([Problem("AWS_STACK_FAILED", text, "stack", stack)])


def stack_changes(result: Result, stack: str) -> list[str]:
    """What a change set would change, one line for each resource."""
    if result.get("failed"):
        return []
    changes = result.get("meta")
    if not isinstance(changes, list) or not changes:
        return ["{0}: {1}".format(stack, "would be made" if result.get("changed") else "no change")]
    lines = []
    for change in changes:
        one = _lower(change.get("resource_change") or change.get("ResourceChange") or {})
        replaced = ", replaced" if str(one.get("replacement")) == "True" else ""
        words = {"Add": "added", "Modify": "changed", "Remove": "removed"}
        done = words.get(str(one.get("action")), str(one.get("action")))
        text = "{0}: {1} ({2}) {3}{4}"
        lines.append(text.format(stack, one.get("logicalresourceid"), one.get("resourcetype"), done, replaced))
    return sorted(lines)


def _lower(change: Result) -> dict[str, t.Any]:
    """AWS and the module write the names in different ways."""
    return {key.replace("_", "").lower(): value for key, value in change.items()}
