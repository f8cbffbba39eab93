# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Facts of the collected logs: what the cluster itself says beside them."""

from __future__ import annotations

import typing as t

from ansible_collections.waent.fleet.plugins.module_utils._check.host import engine_problems
from ansible_collections.waent.fleet.plugins.module_utils._common.failure_reason import masked, said
from ansible_collections.waent.fleet.plugins.module_utils._common.problem import summary
from ansible_collections.waent.fleet.plugins.module_utils._common.text import one_line
from ansible_collections.waent.fleet.plugins.plugin_utils.facts.desired import secrets_of
from ansible_collections.waent.fleet.plugins.plugin_utils.facts.hosts import unread_hosts_of
from ansible_collections.waent.fleet.plugins.plugin_utils.facts.play import Play, Values, observed_of
from ansible_collections.waent.fleet.plugins.plugin_utils.play_variables import read_file

LOGS_OF_CLUSTER = {"support": "support info", "health": "health", "settings": "settings"}


def _logs(play: Play) -> dict[str, Values]:
    """By host what was, or is going to be, collected of it: what wa_node_logs returned, or why nothing is."""
    unread, cluster = unread_hosts_of(play), play.value("wa_cluster_name")
    found: dict[str, Values] = {host: {"reason": why} for host, why in unread.items()}
    collected = play.results("__wa_node_logs")
    for host in observed_of(play):
        name, result = host["name"], collected[host["name"]]
        silent = summary(engine_problems(host)) or ("" if host["engine"]["answers"] else "no engine answers")
        ours = sorted(one["name"] for one in host["containers"] if one["cluster"] == cluster)
        failed = result.get("failed") or result.get("unreachable")
        why = masked(one_line(said(result)), secrets_of(play)) if failed else silent
        found[name] = {"containers": ours, "pieces": result.get("pieces") or [], "reason": why}
    return {host: found[host] for host in play.hosts if host in found}


def _log_documents(play: Play) -> Values:
    """Files for the whole cluster, and why one is missing."""
    support, status = play.result("__wa_support"), play.result("__wa_status")
    reason = one_line(said(support) or said(play.result("__wa_login")) or "the API was not asked")
    found = {"cluster/{0}.json".format(name): support.get(name) for name in LOGS_OF_CLUSTER}
    missing = {name: support.get("unread", {}).get(name, reason) for name in LOGS_OF_CLUSTER if not support.get(name)}
    found["cluster/status.json"] = status.get("document")
    found["cluster/database.json"] = play.result("__wa_database").get("database")
    path = play.value("wa_report")
    found["cluster/last-run.json"] = read_file(path).decode("utf-8", "replace") if path else ""
    reasons = {
        **{"cluster/{0}.json".format(name): why for name, why in missing.items()},
        "cluster/status.json": "the status was not read",
        "cluster/database.json": "the database was not read from the machine that runs Ansible",
        "cluster/last-run.json": "wa_report, the file in which runs write what they planned and did, "
        + ("is {0!r}, which is not there".format(path) if path else "is not set"),
    }
    return {
        "documents": {name: content for name, content in found.items() if content},
        "missing": {name: masked(reasons[name], secrets_of(play)) for name, content in found.items() if not content},
        "status": [*(status.get("lines") or ()), *str(status.get("refusal") or "").splitlines()],
    }


FACTS: dict[str, t.Callable[[Play], t.Any]] = {
    "logs": _logs,
    "log_documents": _log_documents,
}
