# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pure: one result of what came of several containers. Internal to waent.fleet: may change in any release."""

from __future__ import annotations

import typing as t

from ansible_collections.waent.fleet.plugins.module_utils._common.text import amount


def together(
    containers: t.Sequence[t.Mapping[str, t.Any]], answers: t.Sequence[t.Mapping[str, t.Any]]
) -> dict[str, t.Any]:
    """C({changed, failed, results, msg}), in the shape of a loop over the containers.

    answers: what docker_container answered for each, in their order. No environment gets into it.
    """
    results = [_one(container, answer) for container, answer in zip(containers, answers)]
    failed = [one for one in results if one["failed"]]
    found: dict[str, t.Any] = {
        "changed": any(one["changed"] for one in results),
        "failed": bool(failed),
        "results": results,
    }
    if failed:
        found["msg"] = "{0} of {1} failed.".format(len(failed), amount(len(results), "container"))
    return found


def _one(container: t.Mapping[str, t.Any], answer: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    failed = bool(answer.get("failed"))
    one = {"item": {"name": container.get("name")}, "changed": bool(answer.get("changed")), "failed": failed}
    return {**one, "msg": str(answer.get("msg") or "")} if failed else one
