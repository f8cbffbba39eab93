# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pure: what runs after what, and one result of what came of it. Internal to waent.fleet: may change in any release.

What containers need is made before them, and a container that others wait for before the others. Where anything of a
stage failed, nothing of the next one is begun.
"""

from __future__ import annotations

import typing as t

from ansible_collections.waent.fleet.plugins.module_utils._common.product import LABELS
from ansible_collections.waent.fleet.plugins.module_utils._common.text import enumerate_all

Thing = t.Mapping[str, t.Any]
Answer = t.Mapping[str, t.Any]

STAGES = ("networks", "volumes", "first", "containers")
"""Options of wa_containers, in the order of their work."""

CODES = {"database": "DATABASE_NOT_STARTED"}
"""What a failure is called, by the kind of container; whoever runs containers has a code for all others."""


def in_stages(
    stages: t.Iterable[tuple[str, t.Sequence[Thing]]], act: t.Callable[[str, t.Sequence[Thing]], t.Sequence[Answer]]
) -> tuple[list[Thing], list[Answer]]:
    """What was tried, and the answers, in their order.

    stages: by the names of STAGES. act: does one of them, and answers for each thing in it.
    """
    things: list[Thing] = []
    answers: list[Answer] = []
    for name, desired in stages:
        if not desired:
            continue
        found = act(name, desired)
        things += desired
        answers += found
        if any(answer.get("failed") or answer.get("unreachable") for answer in found):
            break
    return things, answers


def together(things: t.Sequence[Thing], answers: t.Sequence[Answer]) -> dict[str, t.Any]:
    """C({changed, failed, results, msg}), in the shape of a loop over them.

    things: networks, volumes and containers, each with its name. answers: what came of each, in their order. No
    environment gets into it.
    """
    results = [_one(thing, answer) for thing, answer in zip(things, answers)]
    failed = [one for one in results if one["failed"]]
    found: dict[str, t.Any] = {
        "changed": any(one["changed"] for one in results),
        "failed": bool(failed),
        "results": results,
    }
    if failed:
        found["msg"] = "{0} failed.".format(enumerate_all(one["item"]["name"] for one in failed))
    return found


def _one(thing: Thing, answer: Answer) -> dict[str, t.Any]:
    failed = bool(answer.get("failed"))
    one = {"item": {"name": thing.get("name")}, "changed": bool(answer.get("changed")), "failed": failed}
    if not failed:
        return one
    message = str(answer.get("msg") or "")
    labels = thing.get("labels")
    code = CODES.get(str(labels.get(LABELS + "kind"))) if isinstance(labels, dict) else None
    return {**one, "msg": message, **({"failure": {"code": code, "message": message}} if code else {})}
