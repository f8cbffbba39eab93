# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which drills there are, and a drill that was left. Internal to waent.fleet: may change. Pure."""

from __future__ import annotations

import typing as t

from ansible_collections.waent.fleet.plugins.module_utils._common.instruction import instruction
from ansible_collections.waent.fleet.plugins.module_utils._common.problem import Problem
from ansible_collections.waent.fleet.plugins.module_utils._common.text import enumerate_all

COREAPP, MASTER, WEBAPP, HOST, RACK, PARTITION, DATABASE = DRILLS = (
    "coreapp",
    "master",
    "webapp",
    "host",
    "rack",
    "partition",
    "database",
)
"""What can be broken on purpose."""


def unknown_drill(drill: t.Any) -> list[Problem]:
    """The problem of a drill that there is not."""
    if drill in DRILLS:
        return []
    message = "drill is {0!r}; allowed are {1}.".format(str(drill), enumerate_all(DRILLS))
    return [Problem("DRILL_UNKNOWN", message, "drill", str(drill))]


def script_name(cluster_name: str) -> str:
    """Name of the script, in the home of the user on the host, that restores what a drill has broken there.

    It is there from before the breakage until it was restored, so it also says that a drill was left.
    """
    return ".waent-drill-{0}.sh".format(cluster_name)


def mark(drill: str, begun: str, containers: t.Iterable[str]) -> str:
    """The line of that script which says what it is about."""
    return "# drill {0}, begun {1}, {2}".format(drill, begun, " ".join(containers))


def left_drill(path: str, script: str) -> dict[str, str]:
    """What a script says that is still there: C({path, drill, what}); drill is empty where it says nothing."""
    what = next((line[2:] for line in script.splitlines() if line.startswith("# drill ")), "")
    return {"path": path, "drill": what.partition(",")[0].partition(" ")[2], "what": what or "of an unknown kind"}


def left_problems(observed: t.Mapping[str, t.Any]) -> list[Problem]:
    """A drill that has broken something on this host and has not restored it yet."""
    left = observed.get("drill")
    if not left:
        return []
    message = (
        "A drill is under way here or was left ({0}). The host restores by itself what it broke, unless it was rebooted"
        " meanwhile: wait, or {1}run sh {2} on {3}.".format(
            left["what"],
            "run {0}, which breaks nothing more then, or ".format(instruction("drill_left", drill=left["drill"]))
            if left["drill"]
            else "",
            left["path"],
            observed["name"],
        )
    )
    return [Problem("DRILL_LEFT", message, None, None, observed["name"])]
