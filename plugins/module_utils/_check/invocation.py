# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a playbook was called in a way in which it can do its work. Internal to waent.fleet: may change. Pure.

Ansible skips a play whose hosts it does not find, and a task whose tags were not asked for, and ends with 0. A group
that is misspelt, a C(--limit) or a C(--tags) would so make a run that does nothing look like one that found nothing
to do. Every playbook asks here first, before any host is contacted.
"""

from __future__ import annotations

import typing as t

from ansible_collections.waent.fleet.plugins.module_utils._check.drill import DRILLS, unknown_drill
from ansible_collections.waent.fleet.plugins.module_utils._check.log_request import since_problems
from ansible_collections.waent.fleet.plugins.module_utils._check.rotation import SECRETS, unknown_secret
from ansible_collections.waent.fleet.plugins.module_utils._check.without import VARIABLE, left_out, without_problems
from ansible_collections.waent.fleet.plugins.module_utils._common.instruction import instruction
from ansible_collections.waent.fleet.plugins.module_utils._common.nearest import misspelt
from ansible_collections.waent.fleet.plugins.module_utils._common.problem import Problem
from ansible_collections.waent.fleet.plugins.module_utils._common.product import KINDS, SHARD_COUNTS
from ansible_collections.waent.fleet.plugins.module_utils._common.text import enumerate_all
from ansible_collections.waent.fleet.plugins.module_utils._desired.values import names_in
from ansible_collections.waent.fleet.plugins.module_utils._desired.variables import COMMAND_LINE

CLUSTER = "wa_cluster"

SKIPS_EVERYTHING = frozenset(("all", "always", "tagged", "untagged"))
"""Values of --skip-tags by which tasks that have no tags, or this very check, are left out."""

KIND_GROUPS = tuple("wa_{0}_hosts".format(kind) for kind in KINDS)
DATABASE = "wa_database_hosts"
"""The only group that may be missing: a database may run elsewhere."""
FOUND = "wa_adopt_hosts"
"""Hosts of which nothing is known yet but that compose files have started nodes there: adopt.yml describes them."""

MAKES_HOSTS = ("aws", "aws_remove")
"""Playbooks that are there before any host is, or after."""

WHOLE_CLUSTER = {
    "site": "it places the nodes of the whole cluster",
    "status": "it checks the cluster as a whole",
    "reshard": "it plans for the whole cluster",
    "upgrade": "it plans for the whole cluster",
    "drain": "it plans for the whole cluster",
    "drill": "it breaks a part of the cluster and watches the rest",
    "adopt": "it describes and adopts the cluster as a whole",
    "backup": "a registration belongs to the whole cluster",
    "restore": "a registration belongs to the whole cluster",
    "certificates": "it plans for the whole cluster",
    "rotate": "it changes a secret of the whole cluster",
}
"""Playbooks that cannot work on part of a cluster, and why. All others do on each host what they say."""


class Argument(t.NamedTuple):
    """What a playbook has to be given: its name, what is said without it, and what may be given."""

    name: str
    code: str
    meaning: str
    added: str
    allowed: str


ARGUMENT = {
    "reshard": Argument(
        "shards",
        "SHARDS_MISSING",
        "the number of shards to change to",
        instruction("shards_missing"),
        "one of " + enumerate_all(SHARD_COUNTS),
    ),
    "upgrade": Argument(
        "version",
        "VERSION_MISSING",
        "the version to upgrade to",
        instruction("version_missing"),
        "for example v2.19.7",
    ),
    "drain": Argument(
        "host",
        "HOST_MISSING",
        "the host to empty",
        instruction("host_missing"),
        "its name in the inventory, or several with commas",
    ),
    "aws": Argument(
        "shards",
        "SHARDS_MISSING",
        "the number of shards to make an environment for",
        instruction("aws_shards_missing"),
        "one of " + enumerate_all(SHARD_COUNTS),
    ),
    "drill": Argument(
        "drill",
        "DRILL_MISSING",
        "what to break",
        instruction("drill_missing"),
        "one of " + enumerate_all(DRILLS),
    ),
    "restore": Argument(
        "backup",
        "BACKUP_MISSING",
        "the backup to restore",
        instruction("backup_missing"),
        "the file of a backup",
    ),
    "rotate": Argument(
        "rotate",
        "ROTATE_MISSING",
        "which secret to rotate",
        instruction("rotate_missing"),
        "one of " + enumerate_all(SECRETS),
    ),
}
"""What has to stand on the command line, by playbook. The inventory says how the cluster is meant to be in the long
run; only a command can say that it is to change now."""

UNKNOWN: dict[str, t.Callable[[t.Any], list[Problem]]] = {"drill": unknown_drill, "rotate": unknown_secret}
"""Who knows what an argument may be."""

RENAMED = {"strategy": "upgrade_strategy"}
"""Names of the command line that were used before."""

RESERVED = {"environment": "wa_aws_environment"}
"""Names that Ansible keeps for itself, where ours is likely to be meant: a task would see its own."""

NAMED = 8
"""So many hosts are named where one of them is meant."""

NEAR = 2
"""So many wrong letters are a typing error, more are another name."""


class Call(t.NamedTuple):
    """How a playbook was called.

    playbook: C(site), C(status) ... groups: C({group: [host]}), the whole inventory, whatever C(limit) says. hosts:
    those that C(limit) leaves, localhost among them or not. sources: where the inventory was read. arguments: what
    the command line gave, by name. extra: names of everything that it gave with -e. pattern_mismatch: Ansible's setting
    host_pattern_mismatch. without: wa_without_hosts as it is.
    """

    playbook: str
    groups: t.Mapping[str, t.Sequence[str]]
    hosts: t.Sequence[str]
    limit: str = ""
    tags: t.Sequence[str] = ("all",)
    skip_tags: t.Sequence[str] = ()
    sources: t.Sequence[str] = ()
    arguments: t.Mapping[str, t.Any] = {}
    extra: t.Sequence[str] = ()
    pattern_mismatch: str = "ignore"
    without: t.Any = None


def hosts_left_out(call: Call) -> list[str]:
    """The hosts that the playbook goes on without. One that works on each host by itself leaves out none."""
    return left_out(call.without) if call.playbook in WHOLE_CLUSTER else []


def call_problems(call: Call) -> list[Problem]:
    """Everything that keeps the playbook from doing what it was called for."""
    if call.playbook.startswith("_"):
        return [_internal(call.playbook)]
    if call.playbook == "adopt" and call.groups.get(FOUND):
        return _describing_problems(call)
    groups = [] if call.playbook in MAKES_HOSTS else group_problems(call)
    if call.playbook == "adopt":
        groups += _adopting_problems(call)
    return (
        groups
        + ([] if groups else limit_problems(call))
        + ([] if groups or call.playbook not in WHOLE_CLUSTER else without_problems(call.without, call.groups))
        + tag_problems(call)
        + argument_problems(call)
        + host_problems(call)
        + (since_problems(call.arguments.get("since")) if call.playbook == "logs" else [])
        + misspelt_problems(call)
        + setting_problems(call)
    )


def _internal(playbook: str) -> Problem:
    message = "The playbook waent.fleet.{0} is used by the playbooks of this collection; run waent.fleet.site instead."
    return Problem("PLAYBOOK_INTERNAL", message.format(playbook), "playbook", playbook)


def _describing_problems(call: Call) -> list[Problem]:
    """adopt.yml without an inventory of the cluster: it writes one, and needs none of its groups."""
    found: list[Problem] = []
    hosts = list(call.groups[FOUND])
    if call.groups.get(CLUSTER):
        message = (
            "The inventory has {0}, whose nodes are to be described, and {1}, a cluster that is described already; name"
            " one inventory with -i, that with {0} to describe, the one that was written to adopt."
        )
        found.append(Problem("ADOPT_BOTH_GROUPS", message.format(FOUND, CLUSTER), FOUND))
    if call.arguments.get("into") is None:
        message = (
            "adopt.yml was not given where the inventory is to be written; add {0} to the command (a directory that has"
            " none yet)."
        )
        found.append(Problem("INTO_MISSING", message.format(instruction("into_missing")), "into"))
    return found + _limited(call, hosts) + tag_problems(call) + misspelt_problems(call) + setting_problems(call)


def _adopting_problems(call: Call) -> list[Problem]:
    """What adopt.yml needs beside the groups that all need."""
    if not call.groups.get(CLUSTER):
        return [_nothing_to_describe()]
    left = left_out(call.without)
    if not left:
        return []
    message = (
        "wa_without_hosts is {0}, and adopt.yml does not go on without a host: nodes that a compose file has started"
        " there would stay, seen by nobody. Have the host answer, or take it out of the inventory where it is gone."
    )
    return [Problem("ADOPT_NEEDS_ALL_HOSTS", message.format(enumerate_all(left)), VARIABLE, left)]


def _nothing_to_describe() -> Problem:
    message = (
        "The inventory has no group {0} either; where there is no inventory of the cluster yet, put the hosts on which"
        " docker-compose has started its nodes into {0}, to have one written."
    )
    return Problem("ADOPT_HOSTS_MISSING", message.format(FOUND), FOUND)


# Groups


def group_problems(call: Call) -> list[Problem]:
    """Groups that are missing, empty or misspelt, and hosts that are in the group of a kind only."""
    problems = [_missing(call, name) for name in (CLUSTER,) + KIND_GROUPS if not call.groups.get(name)]
    known = (CLUSTER,) + KIND_GROUPS + (DATABASE,)
    for name in sorted(call.groups):
        meant = next((one for one in known if name not in known and _misspelt(name, one, call.groups)), None)
        # A required group that is missing is reported already, with this name as the nearest.
        if meant and (meant == DATABASE or call.groups.get(meant)):
            problems.append(_stray(name, meant, call.groups))
    members = set(call.groups.get(CLUSTER) or ())
    for kind in KIND_GROUPS if members else ():
        outside = sorted(set(call.groups.get(kind) or ()) - members)
        if outside:
            problems.append(_outside(kind, outside))
    return problems


def _missing(call: Call, name: str) -> Problem:
    where = "The inventory ({0})".format(", ".join(call.sources)) if call.sources else "The inventory"
    purpose = "all hosts of the cluster" if name == CLUSTER else "the hosts that may run {0}s".format(name[3:-6])
    if name in call.groups:
        return Problem(
            "WA_GROUP_EMPTY",
            "{0} has no host in the group {1}; it must hold {2}, at least one.".format(where, name, purpose),
            name,
        )
    near = nearest(name, call.groups)
    hint = "; the nearest name there is {0}".format(near) if near else ""
    advice = "rename or add the group" if near else "add the group, or name another inventory with -i"
    return Problem(
        "WA_GROUP_MISSING",
        "{0} has no group {1}{2}; {3}: it must hold {4}, at least one.".format(where, name, hint, advice, purpose),
        name,
        near,
    )


def _stray(name: str, meant: str, groups: t.Mapping[str, t.Sequence[str]]) -> Problem:
    hosts = sorted(set(groups[name]) - set(groups.get(meant) or ()))
    return Problem(
        "WA_GROUP_UNKNOWN",
        "The group {0} is not one that this collection reads, and {1} is not in {2}; rename {0} to {2}, or to"
        " something less alike.".format(name, enumerate_all(hosts), meant),
        meant,
        name,
    )


def _outside(kind: str, hosts: t.Sequence[str]) -> Problem:
    return Problem(
        "WA_GROUP_OUTSIDE",
        "{0} of the group {1} {2} not in the group wa_cluster; make {1} a child of wa_cluster.".format(
            enumerate_all(hosts), kind, "is" if len(hosts) == 1 else "are"
        ),
        CLUSTER,
        kind,
    )


def _misspelt(name: str, known: str, groups: t.Mapping[str, t.Sequence[str]]) -> bool:
    """Whether C(name) is C(known) with a typing error, and has hosts that C(known) lacks.

    Beside a group that is in use only another way of writing the same name counts: wa_cluster_b may be meant so.
    """
    if not set(groups[name]) - set(groups.get(known) or ()):
        return False
    if groups.get(known):
        return _plain(name) == _plain(known)
    return distance(_plain(name), _plain(known)) <= NEAR


def nearest(name: str, groups: t.Iterable[str]) -> str | None:
    """The group whose name is most like C(name), None where none is alike."""
    limit = len(name) // 3
    near = [(distance(_plain(name), _plain(group)), group) for group in groups if group not in KIND_GROUPS + (CLUSTER,)]
    best = min(near, default=(limit + 1, ""))
    return best[1] if best[0] <= limit else None


def _plain(name: str) -> str:
    """A name without what is easily written in another way: C(WA-Clusters) is C(wa_cluster)."""
    return name.lower().replace("-", "_").replace(" ", "_").replace(".", "_").rstrip("s")


def distance(one: str, other: str) -> int:
    """How many letters have to be changed, added or left out to make one text from the other (Levenshtein)."""
    row = list(range(len(other) + 1))
    for count, left in enumerate(one, 1):
        above, row = row, [count]
        for position, right in enumerate(other):
            row.append(min(above[position] + (left != right), above[position + 1] + 1, row[position] + 1))
    return row[-1]


# The command line


def limit_problems(call: Call) -> list[Problem]:
    """Hosts of the cluster that C(--limit) leaves out where that cannot be, or leaves none of."""
    targets = list(dict.fromkeys(list(call.groups.get(CLUSTER) or ()) + list(call.groups.get(DATABASE) or ())))
    return _limited(call, targets)


def _limited(call: Call, targets: t.Sequence[str]) -> list[Problem]:
    """The same for these hosts."""
    left_out = [host for host in targets if host not in set(call.hosts)]
    if not left_out:
        return []
    why = WHOLE_CLUSTER.get(call.playbook)
    if why:
        message = (
            "{0}.yml cannot be limited to some hosts (--limit {1}): {2}, and would take what it does not see for"
            " missing; run {3}. A host that is away is named in wa_without_hosts.".format(
                call.playbook, call.limit, why, instruction("limit_not_allowed")
            )
        )
        return [Problem("LIMIT_NOT_ALLOWED", message, "--limit", call.limit)]
    if len(left_out) == len(targets):
        message = (
            "--limit {0} leaves no host of the groups {1} and {2}, so there is nothing to do; name some of {3}.".format(
                call.limit, CLUSTER, DATABASE, enumerate_all(targets)
            )
        )
        return [Problem("LIMIT_EXCLUDES_CLUSTER", message, "--limit", call.limit)]
    return []


def tag_problems(call: Call) -> list[Problem]:
    """Tags: no task has any of its own, so whoever runs some gets a run that does nothing.

    To skip a tag that nothing has, skips nothing: molecule always names some. Ansible's own words for all tasks do.
    """
    problems = []
    run = [str(tag) for tag in call.tags]
    skipped = [str(tag) for tag in call.skip_tags if tag in SKIPS_EVERYTHING]
    for option, given in (("--tags", [] if run == ["all"] else run), ("--skip-tags", skipped)):
        if given:
            message = "{0}.yml has no tags, so {1} {2} would leave out what it is for; run {3}.".format(
                call.playbook, option, ",".join(given), instruction("tags_not_allowed", option=option)
            )
            problems.append(Problem("TAGS_NOT_ALLOWED", message, option, ",".join(given)))
    return problems


def start_problems(playbook: str, task: str | None) -> list[Problem]:
    """C(--start-at-task), of whatever task: what it skips is how each of the others knows what to do."""
    if task is None:
        return []
    option = "--start-at-task"
    message = (
        "{0}.yml does not begin in the middle ({1} {2!r}): every task relies on what those before it have read and"
        " checked. A run that was stopped goes on by itself where it was; run {3}."
    ).format(playbook, option, task, instruction("tags_not_allowed", option=option))
    return [Problem("START_AT_TASK_NOT_ALLOWED", message, option, task)]


def argument_problems(call: Call) -> list[Problem]:
    """What the command has to say itself."""
    if call.playbook not in ARGUMENT:
        return []
    name, code, meaning, added, allowed = ARGUMENT[call.playbook]
    # An inventory may well have a variable that is called host.
    if call.arguments.get(name) is not None and (name != "host" or name in call.extra):
        look = UNKNOWN.get(name)
        return look(call.arguments[name]) if look else []
    message = "{0}.yml was not given {1}; add {2} to the command ({3}).".format(call.playbook, meaning, added, allowed)
    return [Problem(code, message, name)]


def host_problems(call: Call) -> list[Problem]:
    """Hosts to empty that are none of the cluster's."""
    members = list(call.groups.get(CLUSTER) or ())
    if call.playbook != "drain" or "host" not in call.extra or not members:
        return []
    asked = names_in(call.arguments.get("host") or ())
    if not asked:
        return [Problem("HOST_UNKNOWN", "host is empty; allowed are names of hosts in wa_cluster.", "host")]
    more = len(members) - NAMED
    allowed = enumerate_all(members if more <= 0 else [*members[:NAMED], "{0} more".format(more)])
    return [
        Problem(
            "HOST_UNKNOWN",
            "host is {0!r}, which is not in the group wa_cluster; allowed are {1}.".format(name, allowed),
            "host",
            name,
        )
        for name in asked
        if name not in members
    ]


def misspelt_problems(call: Call) -> list[Problem]:
    """Names given with -e that are a slip away from one that some playbook reads: Ansible ignores what nobody reads."""
    problems = []
    renamed = {**RENAMED, **(RESERVED if call.playbook in MAKES_HOSTS else {})}
    for name in sorted(set(call.extra) - COMMAND_LINE.keys()):
        meant = renamed.get(name) or misspelt(name, COMMAND_LINE)
        if meant is not None:
            message = "-e {0}= is no argument of this collection; {1} is. Correct the name, or give yours another one."
            problems.append(Problem("ARGUMENT_UNKNOWN", message.format(name, meant), name))
    return problems


def setting_problems(call: Call) -> list[Problem]:
    """A setting of Ansible that would end the run in the middle."""
    if call.pattern_mismatch != "error":
        return []
    message = (
        "host_pattern_mismatch is error in Ansible's configuration, and would end the run in the middle, since plays"
        " name groups that are empty where there is nothing to do; set it to ignore, in ansible.cfg under [inventory]."
    )
    return [Problem("PATTERN_MISMATCH_NOT_ALLOWED", message, "host_pattern_mismatch", "error")]
