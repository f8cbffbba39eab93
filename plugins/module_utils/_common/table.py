# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pure: the status table, one line per node. Internal to waent.fleet: may change in any release."""

from __future__ import annotations

import typing as t

from ansible_collections.waent.fleet.plugins.module_utils._common.product import planned_key

COLUMNS = ("rack", "host", "node", "role", "gateway status", "shard", "version")
_NONE = "-"


SILENT_ERRORS = ("API_UNREACHABLE", "API_ANSWER_LOST")
"""Why the health of a webapp could not be read, where nobody answers at all."""

Entry = t.Mapping[str, t.Any]


def status_table(
    nodes: t.Sequence[Entry],
    placement: t.Sequence[Entry] = (),
    webapps: t.Sequence[Entry] = (),
    unread_hosts: t.Collection[str] = (),
    form: str = "cluster",
) -> list[str]:
    """Aligned lines, the header first, ordered by rack, host and node; arguments as of C(status_rows)."""
    return table_lines(status_rows(nodes, placement, webapps, unread_hosts, form))


def table_lines(rows: t.Iterable[t.Sequence[str]]) -> list[str]:
    """Rows as aligned lines, the header first."""
    return aligned([COLUMNS, *rows])


def aligned(cells: t.Sequence[t.Sequence[str]]) -> list[str]:
    """Rows of one length as lines."""
    widths = [max(len(row[column]) for row in cells) for column in range(len(cells[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in cells]


def status_rows(
    nodes: t.Sequence[Entry],
    placement: t.Sequence[Entry] = (),
    webapps: t.Sequence[Entry] = (),
    unread_hosts: t.Collection[str] = (),
    form: str = "cluster",
) -> list[list[str]]:
    """One row of C(COLUMNS) for each node.

    nodes: as in C(Cluster.as_dict()). placement: planned nodes C({name, host, rack, kind, address, api_address,
    ports}); one that no API shows is C(missing). webapps: C({url, answers, version, error}); they are not part of
    health. unread_hosts: where nobody knows what runs. form: of the cluster; where it could not be read, no node is
    known to be missing.
    """
    planned = {planned_key(entry): entry for entry in placement if entry.get("kind") != "webapp"}
    shown = {str(node["name"]): node for node in nodes}
    rows = [_node_row(node, planned.get(name)) for name, node in shown.items()]
    for key, entry in planned.items():
        if key not in shown:
            read = form != "unreadable" and entry.get("host") not in unread_hosts
            rows.append(_missing_row(entry, "missing" if read else "unknown"))
    rows += _webapp_rows([entry for entry in placement if entry.get("kind") == "webapp"], webapps)
    return sorted(rows, key=lambda row: [_natural(cell) for cell in row[:3]])


def _node_row(node: t.Mapping[str, t.Any], planned: t.Mapping[str, t.Any] | None) -> list[str]:
    entry = planned or {}
    status = node.get("gateway_status")
    errors = node.get("errors") or []
    if errors:
        status = "error {0}".format(errors[0].get("code"))
    return [
        _cell(entry.get("rack")),
        _cell(entry.get("host") or node.get("host")),
        _cell(node.get("container")),
        _cell(node.get("role") or node.get("kind")),
        _cell(status),
        _cell(_ranges(node.get("shards"))),
        _cell(node.get("version")),
    ]


def _missing_row(entry: Entry, status: str = "missing") -> list[str]:
    head = [_cell(entry.get("rack")), _cell(entry.get("host")), _cell(entry.get("name")), _cell(entry.get("kind"))]
    return head + [status, _NONE, _NONE]


def _webapp_rows(
    planned: t.Sequence[t.Mapping[str, t.Any]], webapps: t.Sequence[t.Mapping[str, t.Any]]
) -> list[list[str]]:
    """Planned webapps with what their address answered; other addresses on lines of their own."""
    by_address = {_address(str(webapp["url"])): webapp for webapp in webapps}
    rows = []
    for entry in planned:
        webapp = None
        for port in entry.get("ports") or [None]:
            key = (str(entry.get("api_address") or entry.get("address") or entry.get("host")), str(port))
            webapp = by_address.pop(key, None) or webapp
        row = _missing_row(entry)
        rows.append(row[:4] + [_web_status(webapp), _NONE, _cell(webapp.get("version") if webapp else None)])
    for (host, port), webapp in by_address.items():
        node = "{0}:{1}".format(host, port)
        rows.append([_NONE, _cell(host), node, "webapp", _web_status(webapp), _NONE, _cell(webapp.get("version"))])
    return rows


def _web_status(webapp: t.Mapping[str, t.Any] | None) -> str:
    if webapp is None:
        return "not asked"
    if webapp.get("answers"):
        return "answers"
    error = str(webapp.get("error") or SILENT_ERRORS[0])
    if error in SILENT_ERRORS:
        return "silent"
    named = {"API_AUTH": "login refused", "API_TLS": "TLS error"}.get(error)
    return named or "error " + error.removeprefix("API_").replace("HTTP_", "HTTP ")


def _address(url: str) -> tuple[str, str]:
    authority = url.partition("://")[2].partition("/")[0]
    host, separator, port = authority.rpartition(":")
    return (host, port) if separator else (authority, "443")


def _ranges(shards: t.Any) -> str | None:
    if not shards:
        return None
    return ",".join(str(shard) for shard in shards)


def _cell(value: t.Any) -> str:
    return _NONE if value in (None, "") else str(value)


def _natural(text: str) -> list[t.Any]:
    """A sort key by which C(wa-coreapp-2) comes before C(wa-coreapp-10)."""
    parts: list[t.Any] = []
    for char in text:
        is_digit = char in "0123456789"
        if is_digit and parts and isinstance(parts[-1], tuple) and parts[-1][0] == 0:
            parts[-1] = (0, parts[-1][1] * 10 + int(char), "")
        elif is_digit:
            parts.append((0, int(char), ""))
        else:
            parts.append((1, 0, char))
    return parts
