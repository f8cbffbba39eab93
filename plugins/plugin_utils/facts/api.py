# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Facts of the API: how it is reached, the session of this run, its authority and certificates."""

from __future__ import annotations

import typing as t

from ansible_collections.waent.fleet.plugins.module_utils._check.certificates import CHAIN
from ansible_collections.waent.fleet.plugins.module_utils._common.addresses import webapp_url
from ansible_collections.waent.fleet.plugins.module_utils._desired import access
from ansible_collections.waent.fleet.plugins.module_utils._desired.variables import switch_on
from ansible_collections.waent.fleet.plugins.module_utils._io import pem
from ansible_collections.waent.fleet.plugins.module_utils._plan.certificates import (
    certificate_lines,
    certificate_nodes,
    node_with_ca,
)
from ansible_collections.waent.fleet.plugins.plugin_utils.facts.hosts import known_nodes_of
from ansible_collections.waent.fleet.plugins.plugin_utils.facts.play import Play, Values, kept_of, observed_of, token_of
from ansible_collections.waent.fleet.plugins.plugin_utils.pins import (
    PinFile,
    inventory_directory,
    pin_file,
    pin_problems,
)
from ansible_collections.waent.fleet.plugins.plugin_utils.play_variables import read_file

API = ("wa_validate_certs", "wa_api_ca_path")
PIN = ("wa_api_ca_path", "wa_cluster_name")


def _api_access(play: Play) -> Values:
    nodes = play.result("__wa_desired").get("nodes") or ()
    return access_to(play, nodes)


def access_to(play: Play, nodes: t.Iterable[t.Mapping[str, t.Any]]) -> Values:
    file = _pin_file(play)
    variables = {**play.values(API), "wa_api_ca_path": file.path if file.given or file.exists else ""}
    trusted = kept_of(play, "_wa_trusted").get("sha256") or ()
    return access.api_access(variables, nodes, token_of(play), kept_of(play, "_wa_served"), trusted)


def _pin_file(play: Play) -> PinFile:
    ca_path, cluster = play.values(PIN).values()
    return pin_file(ca_path, cluster, inventory_directory(play.hostvars, play.groups))


def _pin_problems(play: Play) -> list[Values]:
    """What is wrong with what is pinned."""
    variables = play.values(("wa_validate_certs", "wa_api_ca_fingerprint"))
    given = {name[len("wa_") :]: value for name, value in variables.items()}
    problems, _notes = pin_problems(given, _pin_file(play))
    return [problem.as_dict() for problem in problems]


def _authority(play: Play) -> Values:
    """The authority of the API, where it has to be pinned: where, and by which webapp.

    asks_system: whether one that the system knows would do.
    """
    file = _pin_file(play)
    nodes = play.result("__wa_desired").get("nodes") or ()
    webapps = sorted((node for node in nodes if node["kind"] == "webapp"), key=lambda node: not node.get("exists"))
    webapp = webapps[0] if webapps else None
    if webapp is None or file.exists or not switch_on(play.value("wa_validate_certs")):
        return {"missing": False}
    return {
        "missing": True,
        "path": file.path,
        "asks_system": not file.given and not play.value("wa_api_ca_fingerprint"),
        "host": webapp["host"],
        "url": webapp_url(webapp),
        "url_there": access.url_on_its_host(webapp, play.value("wa_publish_address")),
    }


def _webapps_there(play: Play) -> list[str]:
    """Base URLs of the webapps that run on the host that the task is about, as that host reaches them."""
    read = play.result("__wa_host").get("host") or {}
    running = {container["name"] for container in read.get("containers") or () if container["state"] == "running"}
    nodes = play.result("__wa_desired").get("nodes") or ()
    mine = [node for node in nodes if node["host"] == read.get("name") and node["name"] in running]
    publish = play.value("wa_publish_address")
    return [access.url_on_its_host(node, publish) for node in mine if node["kind"] == "webapp"]


def _certificates_trusted(play: Play) -> list[str]:
    """SHA-256 of the certificates that webapps serve on their own hosts, and of the one that is brought to them."""
    found = [
        one.get("sha256") for result in play.results("__wa_serves").values() for one in result.get("results") or ()
    ]
    return list(dict.fromkeys([*filter(None, found), *pem.fingerprints(str(play.value(CHAIN) or ""))[:1]]))


def _certificate_results(play: Play) -> tuple[Values, Values]:
    """What wa_certificate found out about the chain of the API and the CA of the webhook."""
    return play.result("__wa_chain"), play.result("__wa_webhook_ca")


def _certificate_nodes(play: Play) -> list[Values]:
    """The placed nodes, with what those that have to be restarted are created for."""
    nodes = play.result("__wa_desired").get("nodes") or ()
    return certificate_nodes(nodes, observed_of(play), *_certificate_results(play))


def _node_of_step(play: Play) -> Values:
    """The node that a step runs; of a coreapp with the CA that it is going to take, where that is known."""
    return node_with_ca(play.value("_wa_node") or {}, play.result("__wa_taken_ca"))


def _api_access_running(play: Play) -> Values:
    """For a plan: every webapp whose container runs, on whatever host, as those it has made are not asked yet."""
    placed = play.result("__wa_desired")
    running = {
        (host["name"], container["name"])
        for host in observed_of(play)
        for container in host["containers"]
        if container["state"] == "running"
    }
    nodes = [*(placed.get("nodes") or ()), *(placed.get("leaving") or ())]
    there = [node for node in nodes if (node["host"], node["name"]) in running]
    return access_to(play, there or nodes)


def _api_access_once(play: Play) -> Values:
    """For who looks once: only webapps that exist, or that may on a host that could not be read."""
    nodes = [node for node in known_nodes_of(play) if node["kind"] == "webapp"]
    placed = play.result("__wa_desired").get("nodes") or ()
    return {**access_to(play, nodes or placed), "api_once": True}


def _login(play: Play) -> Values:
    """What a login says about the cluster, without its token."""
    kept = ("failed", "failure", "msg", "password_changed")
    return {name: value for name, value in play.result("__wa_login").items() if name in kept}


def _own_pin(play: Play) -> str:
    """The file in which the authority is pinned where the user names none; empty where nothing is."""
    file = _pin_file(play)
    return file.path if file.exists and not file.given else ""


def _authority_pem(play: Play) -> str:
    """What is pinned of the API's authority, as text; empty where nothing is."""
    file = _pin_file(play)
    return read_file(file.path).decode("utf-8", "replace") if file.exists else ""


FACTS: dict[str, t.Callable[[Play], t.Any]] = {
    "api_access": _api_access,
    "authority": _authority,
    "webapps_there": _webapps_there,
    "certificates_trusted": _certificates_trusted,
    "certificate_nodes": _certificate_nodes,
    "certificate_lines": lambda play: certificate_lines(_certificate_nodes(play), *_certificate_results(play)),
    "node_of_step": _node_of_step,
    "pin_problems": _pin_problems,
    "pins": lambda play: bool(kept_of(play, "_wa_served") and token_of(play)),
    "api_access_once": _api_access_once,
    "api_access_running": _api_access_running,
    "token": token_of,
    "login": _login,
    "own_pin": _own_pin,
    "authority_pem": _authority_pem,
}
