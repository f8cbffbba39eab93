# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What speaks against setting the number of shards, and how long each shard was without service.

Internal to waent.fleet: may change in any release. Pure. Facts: reference 3.4, 4.3, 6.5.
"""

from __future__ import annotations

import datetime
import typing as t
from dataclasses import dataclass

from ansible_collections.waent.fleet.plugins.module_utils._check.health import present
from ansible_collections.waent.fleet.plugins.module_utils._check.identity import number_problem
from ansible_collections.waent.fleet.plugins.module_utils._common.api_codes import ACCESS_DENIED
from ansible_collections.waent.fleet.plugins.module_utils._common.instruction import instruction
from ansible_collections.waent.fleet.plugins.module_utils._common.problem import Problem, Refusal
from ansible_collections.waent.fleet.plugins.module_utils._common.product import SHARD_COUNTS
from ansible_collections.waent.fleet.plugins.module_utils._common.version import Version, parse_version
from ansible_collections.waent.fleet.plugins.module_utils._desired.certificate import certificate_problems
from ansible_collections.waent.fleet.plugins.module_utils._desired.credentials import check_number, check_pin
from ansible_collections.waent.fleet.plugins.module_utils._state.cluster import CONNECTED, Cluster

#: Without a certificate the call is safe only for so long after the registration (reference 4.3).
SAFE_DAYS = 7
#: First version that takes a certificate, and first one that insists on it (reference 4.3).
CERT_SINCE = Version(2, 39, 1)
CERT_REQUIRED_SINCE = Version(2, 45, 0)
_DAY = 86400.0


@dataclass(frozen=True)
class ReshardRequest:
    """What the caller wants. registered_at: seconds since 1970, where the caller knows better than the API.

    for_backup: the cluster has no number and is to get that of a backup, which it takes only with as many shards.
    """

    shards: int
    number: str
    cert: str | None = None
    allow_no_spare: bool = False
    allow_disconnect: bool = False
    registered_at: float | None = None
    for_backup: bool = False


def request_from(params: t.Mapping[str, t.Any]) -> ReshardRequest:
    """The request in the options of wa_shards. Raises a Refusal for what cannot be meant."""
    check_number(params["cc"], params["phone_number"])
    check_pin(params["pin"] or None)
    return ReshardRequest(
        shards=params["shards"],
        number=params["cc"] + params["phone_number"],
        cert=params["cert"] or None,
        allow_no_spare=params["allow_no_spare"],
        allow_disconnect=params["allow_disconnect"],
        registered_at=registered_at(params["registered_at"]),
        for_backup=params["for_backup"],
    )


def registered_at(text: str | None) -> float | None:
    """Seconds since 1970 of an ISO date or time; without a zone it is UTC."""
    if not text:
        return None
    try:
        moment = datetime.datetime.fromisoformat(text.strip().replace("Z", "+00:00"))
    except ValueError:
        message = "registered_at is {0!r}; allowed is a date like 2024-01-31 or a time like 2024-01-31T12:00:00+00:00."
        raise Refusal("REGISTERED_AT_INVALID", message.format(text)) from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=datetime.timezone.utc)).timestamp()


def call_body(params: t.Mapping[str, t.Any], cluster: Cluster) -> dict[str, t.Any]:
    """What is sent. A version that does not know the certificate would refuse it as not required."""
    names = ["cc", "phone_number", "shards", "pin"] + (["cert"] if takes_cert(cluster.version) else [])
    return {name: params[name] for name in names if params[name]}


def temporarily_unavailable(status: int | None, code: int | None) -> bool:
    """403 that is not about rights or the certificate: the same call may succeed later (reference 4.3)."""
    return status == 403 and code != ACCESS_DENIED


def reached(request: ReshardRequest, cluster: Cluster, healthy: bool) -> bool:
    """Whether the restart is over: every shard of the new number has one connected owner."""
    return healthy and cluster.shards == request.shards


def lost_answer(request: ReshardRequest, shards: int, message: str, url: str | None) -> Refusal | None:
    """What an unknown answer comes to, once the number was read again; None where the call was carried out."""
    if shards == request.shards:
        return None
    text = "{0} The number of shards still reads {1}, so nothing was changed: run {2}.".format(
        message, shards, instruction("shards_unchanged")
    )
    return Refusal("ANSWER_LOST", text, {"url": url, "shards": shards})


def input_problems(request: ReshardRequest, today: datetime.date) -> list[Problem]:
    """What is wrong about the request itself, whatever the cluster is like."""
    problems = []
    if request.shards not in SHARD_COUNTS:
        text = "shards is {0}; allowed are {1}.".format(request.shards, ", ".join(str(count) for count in SHARD_COUNTS))
        problems.append(Problem("SHARDS_INVALID", text, "shards", request.shards))
    if request.cert is not None:
        problems += certificate_problems(request.cert, request.number, today)
    return problems


def cluster_problems(request: ReshardRequest, cluster: Cluster, now: float) -> list[Problem]:
    """What about the cluster speaks against the call. C(now): seconds since 1970."""
    if cluster.form != "cluster":
        text = "The API shows no cluster; only a cluster has shards to set (WA_APP_MULTICONNECT=1)."
        return [Problem("NOT_A_CLUSTER", text)]
    if cluster.registered is None:
        text = "Whether the number is registered could not be read, as no node answers: start the nodes."
        return [Problem("REGISTRATION_UNREAD", text)]
    if not cluster.registered and not request.for_backup:
        text = (
            "The number is not registered, and without a number there are no shards to set: run {0}, which registers it"
            " and sets the shards of a new cluster to wa_shards."
        ).format(instruction("not_registered"))
        return [Problem("NOT_REGISTERED", text)]
    other = number_problem(cluster.registered_number, request.number)
    problems = [other] if other else []
    return (
        problems
        + _coreapp_problems(request, len(present(cluster.coreapps, cluster.registered)))
        + _missing_cert_problems(request, cluster, now)
    )


def _coreapp_problems(request: ReshardRequest, live: int) -> list[Problem]:
    if live < request.shards:
        text = "shards is {0}, and only {1} coreapps answer; every shard needs a coreapp of its own: start {2} more."
        text = text.format(request.shards, live, request.shards - live)
        return [Problem("TOO_FEW_COREAPPS", text, "shards", request.shards)]
    if live == request.shards and not request.allow_no_spare:
        text = "shards is {0}, and as many coreapps answer, so that none stands by when one fails: start one more, or"
        text = (text + " set wa_allow_no_ha to true.").format(request.shards)
        return [Problem("NO_SPARE", text, "shards", request.shards)]
    return []


def _missing_cert_problems(request: ReshardRequest, cluster: Cluster, now: float) -> list[Problem]:
    """A certificate that lacks, by version and by how long ago the number was registered."""
    version = parse_version(cluster.version)
    cert_known = takes_cert(cluster.version)
    if request.cert is not None and cert_known:
        return []
    if version is not None and version >= CERT_REQUIRED_SINCE:
        text = "wa_cert is not set; version {0} needs the verified-name certificate to set the shards.".format(version)
        return [Problem("CERT_REQUIRED", text, "wa_cert")]
    if not cluster.registered:
        return []
    since = cluster.registered_at if request.registered_at is None else request.registered_at
    if since is not None and now - since <= SAFE_DAYS * _DAY:
        return []
    return _late_problems(request, version, cert_known, since, now)


def _late_problems(
    request: ReshardRequest, version: Version | None, cert_known: bool, since: float | None, now: float
) -> list[Problem]:
    if since is None:
        when = "when the number was registered cannot be read"
    else:
        when = "the number was registered {0:.0f} days ago".format((now - since) / _DAY)
    if cert_known:
        text = "wa_cert is not set, and {0}; more than {1} days after that the client is disconnected without it."
        return [Problem("CERT_REQUIRED", text.format(when, SAFE_DAYS), "wa_cert")]
    if request.allow_disconnect:
        return []
    text = (
        "Version {0} cannot take a certificate, and {1}; more than {2} days after that setting the shards disconnects"
        " the client: upgrade to {3} first."
    )
    text = text.format(version, when, SAFE_DAYS, CERT_SINCE)
    return [Problem("WOULD_DISCONNECT", text, "allow_disconnect", False)]


def takes_cert(version: str | None) -> bool:
    """Whether this version knows the certificate in the call. One that cannot be read is taken for a newer one."""
    parsed = parse_version(version)
    return parsed is None or parsed >= CERT_SINCE


# --- Service while it goes on ----------------------------------------------------------------------------------------


def served(cluster: Cluster, shards: int) -> frozenset[int]:
    """The shards that have exactly one owner, and a connected one."""
    connected = {node.name for node in cluster.nodes if node.gateway_status == CONNECTED}
    owners = cluster.owners
    return frozenset(
        shard for shard in range(shards) if len(owners.get(shard, [])) == 1 and owners[shard][0] in connected
    )


@dataclass(frozen=True)
class Sample:
    """One observation. seconds: since the call. served: which of the new shards had service then."""

    seconds: float
    served: frozenset[int]


def samples(observed: t.Sequence[tuple[float, Cluster]], before: int, after: int) -> list[Sample]:
    """Observations as samples. As long as every old shard is served, the restart has not begun: all have service."""
    found = []
    restarting = False
    for seconds, cluster in observed:
        restarting = restarting or len(served(cluster, before)) < before
        now = served(cluster, after) if restarting else frozenset(range(after))
        found.append(Sample(seconds, now))
    return found


def downtimes(observed: t.Sequence[Sample], after: int) -> list[dict[str, t.Any]]:
    """C({shard, seconds, recovered}) of every shard: from the last sample with service to the first one again.

    Without such a sample before, it counts from the call (0 seconds); without one after, up to the last sample.
    """
    return [dict(shard=shard, **_downtime(observed, shard)) for shard in range(after)]


def _downtime(observed: t.Sequence[Sample], shard: int) -> dict[str, t.Any]:
    down = [number for number, sample in enumerate(observed) if shard not in sample.served]
    if not down:
        return {"seconds": 0.0, "recovered": True}
    first, last = down[0], down[-1]
    start = observed[first - 1].seconds if first > 0 else 0.0
    recovered = last + 1 < len(observed)
    end = observed[last + 1].seconds if recovered else observed[last].seconds
    return {"seconds": round(end - start, 1), "recovered": recovered}
