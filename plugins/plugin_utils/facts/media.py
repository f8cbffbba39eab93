# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Facts of the media share: what each host is given to do, and what came of the proof."""

from __future__ import annotations

import base64
import typing as t

from ansible_collections.waent.fleet.plugins.module_utils._check.host import cluster_nodes
from ansible_collections.waent.fleet.plugins.module_utils._check.media_copy import (
    copied_lines,
    left_behind,
    left_under,
    nowhere,
)
from ansible_collections.waent.fleet.plugins.module_utils._check.media_share import Limits, share_problems
from ansible_collections.waent.fleet.plugins.module_utils._check.media_status import share_status
from ansible_collections.waent.fleet.plugins.module_utils._common.failure_reason import said
from ansible_collections.waent.fleet.plugins.module_utils._common.problem import Problem, problem_from, summary
from ansible_collections.waent.fleet.plugins.module_utils._common.product import MEDIA_TARGET
from ansible_collections.waent.fleet.plugins.module_utils._desired.media_server import (
    CLIENTS,
    GRACE_SECONDS,
    in_grace,
    is_exported,
    media_server,
    not_answering,
    not_exported,
)
from ansible_collections.waent.fleet.plugins.module_utils._desired.media_share import (
    MOUNTED,
    OF_INVENTORY,
    PROBED,
    MediaShare,
    inventory_share,
)
from ansible_collections.waent.fleet.plugins.module_utils._desired.nfs_packages import nfs_packages, unknown_manager
from ansible_collections.waent.fleet.plugins.module_utils._desired.values import whole_number
from ansible_collections.waent.fleet.plugins.module_utils._desired.variables import switch_on
from ansible_collections.waent.fleet.plugins.module_utils._plan.media_share import Seen, seen_share
from ansible_collections.waent.fleet.plugins.module_utils._plan.remount import stop_order
from ansible_collections.waent.fleet.plugins.module_utils._plan.site import is_apart
from ansible_collections.waent.fleet.plugins.module_utils._state.engine import may_hold
from ansible_collections.waent.fleet.plugins.module_utils._state.mounts import SHORT_ID
from ansible_collections.waent.fleet.plugins.plugin_utils.facts.desired import MEDIA_SHARE
from ansible_collections.waent.fleet.plugins.plugin_utils.facts.play import Play, Values


def _share(play: Play) -> MediaShare | None:
    """The media share. What is wrong with it is reported by wa_placement."""
    return inventory_share(play.value("wa_media_share"))[0]


def _media_hosts(play: Play) -> list[str]:
    """The hosts that have to have the media share: all that may get a node."""
    if _share(play) is None:
        return []
    hosts = [host["name"] for host in play.inventory() if not switch_on(host["drained"])]
    return [host for host in hosts if host not in play.left_out]


def _media_share(play: Play) -> Values:
    """The share as wa_nfs_media takes it."""
    asked, (uid, free) = play.value("wa_media_share") or {}, play.values(MEDIA_SHARE).values()
    given = {key: asked[key] for key in OF_INVENTORY if asked.get(key) is not None}
    opts = given.get("opts")
    return {
        **given,
        **({"opts": opts.split(",")} if isinstance(opts, str) else {}),
        "container_uid": whole_number(uid),
        "free_mb": whole_number(free),
        "run": play.result("__wa_media_asked").get("run"),
        "later": play.value("inventory_hostname") in _remounts(play),
    }


def _remounts(play: Play) -> list[str]:
    """The hosts on which the share is mounted again later in this run, as their nodes have to stop for that."""
    return play.result("__wa_preflight").get("remounts") or []


def _media_state(play: Play) -> str:
    """What the share of the host that the task is about is brought to by the role."""
    return PROBED if play.value("inventory_hostname") in _remounts(play) else MOUNTED


def _media_replaced(play: Play) -> list[str]:
    """The containers of the host that the task is about which this run recreates, by the beginning of their ids.

    What these have mounted is no problem: they get the share with their next start.
    """
    names = (play.result("__wa_preflight").get("recreation") or {}).get("nodes") or []
    read = play.result("__wa_host").get("host")
    return [node["id"][:SHORT_ID] for node in cluster_nodes(read) if node["name"] in names] if read else []


def _media_remount(play: Play) -> Values:
    """The options of wa_nfs_media for a host of which all nodes are stopped. It alone is asked, and nobody waits."""
    host = play.result("_wa_entry").get("host") or ""
    proof = ((play.facts(host, "__wa_media_asked") if host else None) or {}).get("run")
    return {**_media_share(play), "name": host, "run": "", "proof": proof}


def _coreapps_to_stop(play: Play) -> list[list[str]]:
    """Which coreapps of the host of a step are stopped together, in this order."""
    return stop_order(play.result("_wa_entry").get("coreapps") or [], play.result("__wa_now"))


def _engine_waits_for_share(play: Play) -> bool:
    """Whether the engine of the host that the task is about may hold nodes, which would start before the proof."""
    engine = (play.result("__wa_engine_read").get("host") or {}).get("engine")
    return bool(engine and may_hold(engine)) and play.value("inventory_hostname") in _media_hosts(play)


def _media_groups(play: Play) -> list[str]:
    """The groups whose plays concern the hosts that have to have the share."""
    moves = ["_wa_media_move", *([] if play.value("ansible_check_mode") else ["_wa_media_moved"])]
    return ["_wa_media", *(moves if play.value("wa_media_from") else [])]


def left_behind_of(play: Play) -> list[str]:
    """What stays behind in volumes that nodes have for media until now, and are not moved by this run."""
    share = _share(play)
    if share is None or play.value("wa_media_from"):
        return []
    reads = play.reads(_media_hosts(play))
    seen = {host: read["host"] for host, read in reads.items() if read.get("host")}
    stores = {
        host: [node["mounts"][MEDIA_TARGET] for node in cluster_nodes(one) if MEDIA_TARGET in node["mounts"]]
        for host, one in seen.items()
    }
    apart = [host for host, one in seen.items() if any(is_apart(one, node) for node in cluster_nodes(one))]
    return left_behind(share.source, share.path, stores) + left_under(share.source, share.path, apart)


def _media_limits(play: Play) -> tuple[int, Limits]:
    """The user of the containers, and what has to be free."""
    uid, free = (whole_number(value) or 0 for value in play.values(MEDIA_SHARE).values())
    return uid, Limits(free_mb=free)


def _media_proved(play: Play) -> list[str]:
    """The hosts of the play that take part in its proof of the share.

    One that does not answer is no matter of the share: whoever reads the hosts next refuses to go on.
    """
    results = [play.results(name) for name in ("__wa_media_asked", "__wa_media_left", "__wa_media_compared")]
    return [host for host in play.hosts if not any(one[host].get("unreachable") for one in results)]


def _media_refusal(play: Play) -> str:
    """What came of a proof by the hosts of the play; empty where it is proved."""
    problems = _media_problems(play)
    return "\n".join([NOT_PROVED, summary(problems)]) if problems else ""


NOT_PROVED = "The media share is not proved, and no node was touched."


def _media_problems(play: Play) -> list[Problem]:
    share = _share(play)
    if share is None:
        return []
    asked = play.result("__wa_media_asked")
    if asked.get("problems"):
        return [problem_from(one) for one in asked["problems"]]
    left, compared = play.results("__wa_media_left"), play.results("__wa_media_compared")
    hosts = _media_proved(play)
    found = {host: compared[host] if left[host].get("answer") else left[host] for host in hosts}
    adopts = play.value("_wa_playbook") == "adopt"
    answers = {
        host: {**(result.get("answer") or {"msg": said(result) or said(asked)}), "adopts": adopts}
        for host, result in found.items()
    }
    refused = {host: [problem_from(one) for one in result.get("refused") or ()] for host, result in found.items()}
    return share_problems(share, hosts, answers, *_media_limits(play), refused)


def media_seen_of(play: Play) -> dict[str, Seen]:
    """By host what was read of its media share, of those that have to have it."""
    share = _share(play)
    reads = play.reads(_media_hosts(play))
    uid, limits = _media_limits(play)
    return {
        host: seen_share(share, host, read["host"]["media_share"], uid, limits, _stoppable(play, read["host"]))
        for host, read in reads.items()
        if share and read.get("host") and read["host"].get("media_share")
    }


def _stoppable(play: Play, host: Values) -> set[str]:
    """The nodes of a host that the run stops where its share has to be mounted again, by their short ids."""
    nodes = cluster_nodes(host) if play.value("_wa_remounts") else []
    return {node["id"][:SHORT_ID] for node in nodes}


def _media_server(play: Play) -> Values:
    """What the role media_server does on its host, or why it does not. exported: whether that is in force."""
    addresses = [host["address"] for host in play.inventory() if host["name"] not in play.left_out]
    uid = whole_number(play.value("wa_container_uid")) or 0
    server, problems = media_server(
        _share(play), play.value(CLIENTS), addresses, uid, str(play.value("wa_cluster_name"))
    )
    if server is None:
        return {"refusal": "\n".join([NO_SERVER, summary(problems)])}
    table = play.result("__wa_media_etab").get("content") or ""
    return {
        "refusal": "",
        "directory": {
            "path": server.directory,
            "owner": server.owner,
            "group": server.group,
            "mode": "{0:04o}".format(server.mode),
        },
        "exports": {"dest": server.exports_file, "content": server.exports},
        "not_exported": summary([not_exported(server)]),
        "not_answering": summary([not_answering(server)]),
        "in_grace": summary([in_grace(server)]),
        "grace_seconds": GRACE_SECONDS,
        "exported": is_exported(server, base64.b64decode(table).decode("utf-8", "replace")),
    }


NO_SERVER = "Nothing was changed on the media server."


def _nfs_packages(play: Play) -> Values:
    """Names of the packages of the host that the task is about, or why it has none."""
    manager = str(play.result("ansible_facts").get("pkg_mgr") or "")
    found = nfs_packages(manager)
    unknown = unknown_manager(manager, str(play.value("inventory_hostname")))
    return {**found._asdict(), "refusal": ""} if found else {"refusal": summary([unknown])}


def _media_copy(play: Play) -> Values:
    """The options of wa_media_copy, which are those of the share but for what it does not have."""
    options = {key: value for key, value in _media_share(play).items() if key in COPY_OPTIONS}
    return {**options, "source": play.value("wa_media_from")}


COPY_OPTIONS = ("server", "export", "path", "opts", "container_uid")


def _media_copied(play: Play) -> Values:
    """What came of copying on all hosts: why it failed, and the table of it."""
    share, source = _share(play), play.value("wa_media_from")
    # In check mode a share that is not mounted yet is left out.
    results = {host: one for host, one in play.results("__wa_media_copied").items() if not one.get("skipped")}
    if share is None or not results:
        return {"refusal": "", "lines": []}
    problems = [problem_from(one) for result in results.values() for one in result.get("problems") or ()]
    problems += [
        Problem("MEDIA_COPY_FAILED", said(result) or "the host gave no answer.", "wa_media_from", source, host)
        for host, result in results.items()
        if not result.get("problems") and (result.get("failed") or result.get("unreachable") or "copied" not in result)
    ]
    copied = {host: result.get("copied") or {} for host, result in results.items()}
    if not problems and not any(copied.values()):
        problems = [nowhere(source)]
    return {
        "refusal": "\n".join([NOT_COPIED, summary(problems)]) if problems else "",
        "lines": copied_lines(source, share.source, copied),
    }


NOT_COPIED = "Not every file is on the share. What was copied stays there, and the volume is as it was."


def _media_status(play: Play) -> Values:
    """What status.yml shows of the share."""
    share = _share(play)
    if share is None:
        return {}
    reads = play.reads(_media_hosts(play))
    seen = {host: (read.get("host") or {}).get("media_share") for host, read in reads.items()}
    found = share_status(share, {host: one for host, one in seen.items() if one}, *_media_limits(play))
    return {**found._asdict(), "problems": [one.as_dict() for one in found.problems]}


def media_changes_of(play: Play) -> dict[str, Values]:
    """By host what is done for its media share."""
    share = _share(play)
    what = "{0} at {1}".format(share.source, share.path) if share else ""
    return {
        host: {"what": what, "why": list(seen.change.reasons), "remount": seen.remount}
        for host, seen in media_seen_of(play).items()
    }


FACTS: dict[str, t.Callable[[Play], t.Any]] = {
    "media_hosts": _media_hosts,
    "engine_waits_for_share": _engine_waits_for_share,
    "media_groups": _media_groups,
    "media_share": _media_share,
    "media_state": _media_state,
    "media_replaced": _media_replaced,
    "media_remount": _media_remount,
    "coreapps_to_stop": _coreapps_to_stop,
    "media_proved": _media_proved,
    "media_refusal": _media_refusal,
    "media_status": _media_status,
    "media_server": _media_server,
    "nfs_packages": _nfs_packages,
    "media_copy": _media_copy,
    "media_copied": _media_copied,
}
