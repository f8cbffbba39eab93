# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a node is of the version that its image is tagged with. Internal to waent.fleet: may change. Pure."""

from __future__ import annotations

import typing as t

from ansible_collections.waent.fleet.plugins.module_utils._common.addresses import webapp_url
from ansible_collections.waent.fleet.plugins.module_utils._common.version import parse_version


def wrong_version(health: t.Mapping[str, t.Any], node: t.Mapping[str, t.Any], version: str) -> str:
    """The sentence about a node that reports another version; empty where it reports this one, or none.

    health: what wa_cluster_health returned. node: as wa_placement returned it. Not every version of the client reports
    its own (reference 3.5).
    """
    if node["kind"] == "webapp":
        shown = [webapp for webapp in health.get("webapps") or [] if webapp["url"] == webapp_url(node)]
    else:
        shown = [one for one in (health.get("cluster") or {}).get("nodes") or [] if one["name"] == node["key"]]
    reported = {str(one["version"]) for one in shown if one.get("version")}
    others = sorted(one for one in reported if parse_version(one) != parse_version(version))
    if not others:
        return ""
    return "[WRONG_VERSION] {0} runs, and reports that it is {1}.".format(node["key"], ", ".join(others))
