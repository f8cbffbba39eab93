# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which secrets can be rotated, what each costs, and what keeps one from being. Internal to waent.fleet. Pure."""

from __future__ import annotations

import typing as t

from ansible_collections.waent.fleet.plugins.module_utils._common.problem import Problem
from ansible_collections.waent.fleet.plugins.module_utils._common.product import NODE_SECRET, TOKEN_KEY
from ansible_collections.waent.fleet.plugins.module_utils._common.text import enumerate_all

USER, PASSWORD = "WA_DB_USERNAME", "WA_DB_PASSWORD"


class Secret(t.NamedTuple):
    """One secret that can be rotated.

    declared: where the inventory has the new one. environment: variables of nodes that may differ for it, and no
    others; empty where no node has it. costs: what it does to the service. outage: whether that is without service.
    """

    declared: str
    environment: t.Tuple[str, ...]
    costs: str
    outage: bool = False


SECRETS: dict[str, Secret] = {
    "admin_password": Secret(
        "wa_admin_password",
        (),
        "No node is touched and no request fails: tokens that exist are valid until they end. Whoever logs in as admin"
        " with the old password is refused from then on; a host that backs up on a schedule gets the new one.",
    ),
    "api_key": Secret(
        "wa_api_key",
        ("WA_API_KEY",),
        "Webapps are recreated one after the other; behind a balancer no message fails. Until the last one is new,"
        " webapps refuse (401) requests for health, metrics and statistics that have the key of the others, and the"
        " product has no way around that: pause probes that use the key, or give them a login.",
    ),
    "jwt_key": Secret(
        "wa_jwt_key",
        (TOKEN_KEY,),
        "Webapps are recreated one after the other. Every token ends with it, so whoever sends messages logs in again."
        " Until the last webapp is new, webapps refuse (401) tokens of the other key, also behind a balancer, and the"
        " product has no way around that: senders have to log in again and try again for that time.",
    ),
    "database_password": Secret(
        "wa_db_username and wa_db_password",
        (USER, PASSWORD),
        "Every node is recreated with the second user, one after the other; old and new ones work side by side, and"
        " behind a balancer no message is lost. Each shard changes its owner, about 10 s without service there.",
    ),
    "wa_secret": Secret(
        "WA_SECRET in wa_extra_environment",
        (NODE_SECRET,),
        "Nodes with another WA_SECRET do not understand each other, so there is no going node by node: all are"
        " recreated kind by kind, and no message is accepted until webapps and coreapps are back.",
        outage=True,
    ),
}
"""By what -e rotate= may be, in the order in which a sentence names them."""


class Found(t.NamedTuple):
    """A node that is not as desired. differs: names of variables; other: what else of its container, in words."""

    name: str
    differs: t.FrozenSet[str]
    other: t.Tuple[str, ...] = ()


MISSING = ("it is not there",)
"""What is other about a node without a container."""


def nobody_problems(site: str) -> list[Problem]:
    """Where no node is there, the desired state would be installed, for which nobody has asked. site: what does it."""
    message = (
        "No node of the cluster is there, so there is no secret to rotate; {0} installs the cluster with the new one."
    )
    return [Problem("ROTATE_NOBODY", message.format(site), "rotate")]


def unknown_secret(asked: t.Any) -> list[Problem]:
    """The problem of a secret that there is not."""
    if asked in SECRETS:
        return []
    message = "rotate is {0!r}; allowed are {1}.".format(str(asked), enumerate_all(SECRETS))
    return [Problem("ROTATE_UNKNOWN", message, "rotate", str(asked))]


def rotation_problems(asked: str, found: t.Iterable[Found], site: str) -> list[Problem]:
    """What keeps it from being rotated. site: what to run for other differences."""
    secret = SECRETS[asked]
    problems = []
    for node in found:
        others = [*node.other, *sorted(node.differs - set(secret.environment))]
        if others:
            text = (
                "{0} differs from the inventory in more than {1} ({2}), and would change with it: run {3} for that"
                " first, with the old {1}, and rotate afterwards."
            )
            message = text.format(node.name, secret.declared, "; ".join(others), site)
            problems.append(Problem("ROTATE_OTHER_CHANGES", message, "rotate", asked, node.name))
    one_user = sorted(node.name for node in found if PASSWORD in node.differs and USER not in node.differs)
    if asked == "database_password" and one_user:
        text = (
            "wa_db_password is another one than {0} has, and wa_db_username is the same: as soon as the password of"
            " that user changes in the database, running nodes are refused. Make a second user there with the same"
            " rights, and declare both wa_db_username and wa_db_password as those of the second."
        )
        problems.append(Problem("ROTATE_SAME_USER", text.format(enumerate_all(one_user)), "wa_db_username", None))
    return problems


def rotation_lines(asked: str, nodes: t.Sequence[str]) -> list[str]:
    """What is going to be done, and what it costs; or that there is nothing to do."""
    secret = SECRETS[asked]
    if secret.environment and not nodes:
        return [
            "Every node has {0} as the inventory says: nothing to rotate. Change it there first.".format(
                secret.declared
            )
        ]
    if not secret.environment:
        return ["The password of the user admin changes to {0}.".format(secret.declared), secret.costs]
    return ["{0} goes to {1}.".format(secret.declared, enumerate_all(nodes)), secret.costs]


def left_problems(asked: str, found: t.Iterable[Found]) -> list[Problem]:
    """Nodes that still have another secret after all is done."""
    names = set(SECRETS[asked].environment)
    left = sorted(node.name for node in found if node.differs & names)
    if not left:
        return []
    message = "{0} still has another {1} than the inventory says.".format(enumerate_all(left), SECRETS[asked].declared)
    return [Problem("ROTATE_UNFINISHED", message, "rotate", asked)]
