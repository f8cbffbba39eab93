# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which nodes have to be restarted for certificates that were brought to the API. Internal to waent.fleet. Pure.

A webapp shows which chain it took: it serves it. Which CA a coreapp has taken nobody can see, so a label of its
container says for which one it was created; the CA is uploaded before, or the API was seen to have it. A label that is
missing is unknown, and unknown is restarted.
"""

from __future__ import annotations

import hashlib
import typing as t

from ansible_collections.waent.fleet.plugins.module_utils._common.addresses import webapp_url
from ansible_collections.waent.fleet.plugins.module_utils._common.product import LABELS
from ansible_collections.waent.fleet.plugins.module_utils._common.text import amount, enumerate_all

LABEL = LABELS + "certificate"
AGAIN = ", again"
"""Added to a label for the same certificates: another text is what has the container recreated."""

Result = t.Mapping[str, t.Any]
"""What wa_certificate returned; empty where its certificates are not declared."""


def certificate_nodes(
    nodes: t.Sequence[t.Mapping[str, t.Any]], hosts: t.Iterable[Result], chain: Result, webhook: Result
) -> list[dict[str, t.Any]]:
    """The placed nodes, those that have to be restarted with a label that their containers do not have.

    hosts: as wa_host_info returns them.
    """
    labels = {
        (host["name"], container["name"]): str(((container["options"] or {}).get("labels") or {}).get(LABEL) or "")
        for host in hosts
        for container in host["containers"]
    }
    found = []
    for node in nodes:
        label = labels.get((node["host"], node["name"]), "")
        certificates = _of(node, label, chain, webhook)
        text = certificates + AGAIN if certificates == label else certificates
        found.append({**node, "labels": {LABEL: text}} if certificates else dict(node))
    return found


def _of(node: t.Mapping[str, t.Any], label: str, chain: Result, webhook: Result) -> str:
    """What a node has to be restarted for; empty where it has not."""
    if node["kind"] == "webapp" and chain.get("certificates"):
        leaf = str(chain["certificates"][0]["sha256"])
        serves = chain["serves"].get(webapp_url(node)) == leaf
        return "" if serves and not _only_above(chain) else leaf
    if node["kind"] == "coreapp" and webhook.get("certificates"):
        ca = name_of(webhook)
        return "" if not webhook["restart_required"] and label in (ca, ca + AGAIN) else ca
    return ""


def node_with_ca(node: t.Mapping[str, t.Any], webhook: Result) -> dict[str, t.Any]:
    """A node that is about to be run, with the label of the CA that it takes.

    webhook: what wa_certificate found out in check mode just before; it says nothing where it failed, where it was not
    asked, and where the API has another CA than the inventory.
    """
    known = webhook.get("certificates") and not webhook.get("restart_required") and not webhook.get("failure")
    if node.get("kind") != "coreapp" or not known or node.get("labels"):
        return dict(node)
    return {**node, "labels": {LABEL: name_of(webhook)}}


def _only_above(chain: Result) -> bool:
    """Whether every webapp serves the certificate, and it is what the API names above it that differs."""
    leaf = chain["certificates"][0]["sha256"]
    return bool(chain["restart_required"]) and set(chain["serves"].values()) == {leaf}


def name_of(webhook: Result) -> str:
    """One name for all certificates of the webhook's CA, whatever their order."""
    shown = sorted(str(one["sha256"]) for one in webhook["certificates"])
    return shown[0] if len(shown) == 1 else hashlib.sha256(" ".join(shown).encode()).hexdigest()


def certificate_lines(nodes: t.Iterable[t.Mapping[str, t.Any]], chain: Result, webhook: Result) -> list[str]:
    """What is brought, before the plan is shown. nodes: as certificate_nodes returns them."""
    restarted = [node for node in nodes if LABEL in (node.get("labels") or {})]
    lines = []
    for result, what, kind in (
        (chain, "The certificate of the API is for {0}, valid until {1}", "webapp"),
        (webhook, "The CA of the webhook is {0}, valid until {1}", "coreapp"),
    ):
        if not result.get("certificates"):
            continue
        first = result["certificates"][0]
        who = enumerate_all(first["names"]) if kind == "webapp" else first["subject"]
        count = sum(node["kind"] == kind for node in restarted)
        sends = "it is uploaded, and then " if result["restart_required"] else ""
        does = "{0}{1} {2} restarted".format(sends, amount(count, kind), "is" if count == 1 else "are")
        end = does if count else "and every {0} has taken it".format(kind)
        lines.append("{0}; {1}.".format(what.format(who, first["ends"]), end).replace("; and", ", and"))
        lines += ["Warning: " + note for note in result["notes"]]
    return lines
