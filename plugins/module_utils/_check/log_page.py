# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The index page of an archive of logs: one file of HTML, without scripts from elsewhere. Internal. Pure."""

from __future__ import annotations

import html
import typing as t
from urllib.parse import quote

from ansible_collections.waent.fleet.plugins.module_utils._check.causes import ERROR, HINT, WARNING
from ansible_collections.waent.fleet.plugins.module_utils._check.log_events import (
    LEVELS,
    MOST_CHARACTERS,
    Events,
    moment,
)

_STYLE = """
:root{color-scheme:light dark}
body{font:14px/1.4 system-ui,sans-serif;margin:1.5em;max-width:110em}
table{border-collapse:collapse;width:100%}
td,th{padding:.15em .6em;text-align:left;vertical-align:top;border-bottom:1px solid #8884}
td.log{font-family:ui-monospace,monospace;font-size:12px;white-space:pre-wrap;overflow-wrap:anywhere}
td.time{white-space:nowrap;font-family:ui-monospace,monospace;font-size:12px}
.error{background:#d0333326}.warning{background:#d9a40026}.maybe{background:#8882}
nav a{margin-right:1.2em} .missing{color:#c22;font-weight:600} .note{color:#777}
"""

_FILTER = """
<p><label>Show only lines with <input id="q" size="40"></label>
<label><input type="checkbox" id="e"> errors and warnings only</label></p>
<script>
function f(){var q=document.getElementById('q').value.toLowerCase(),e=document.getElementById('e').checked;
document.querySelectorAll('#line tr.l').forEach(function(r){
r.hidden=(q&&r.textContent.toLowerCase().indexOf(q)<0)||(e&&!r.matches('.error,.warning'))})}
document.getElementById('q').oninput=f;document.getElementById('e').onchange=f;
</script>
"""


class Run(t.NamedTuple):
    """What the page is about. documents: files beside those of hosts. files: C([{path, bytes}]) of the archive.

    missing: a sentence for each thing that was cut or could not be read.
    """

    cluster: str
    made: str
    since: str
    hosts: t.Sequence[str]
    missing: t.Sequence[str]
    files: t.Sequence[t.Mapping[str, t.Any]]
    status: t.Sequence[str] = ()


def page(run: Run, events: Events) -> str:
    """The whole page."""
    title = "Logs of {0}, {1}".format(run.cluster, run.made)
    parts = [
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{0}</title>'.format(_text(title)),
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline';"
        " script-src 'unsafe-inline'\">",
        "<style>{0}</style></head><body>".format(_STYLE),
        "<h1>{0}</h1>".format(_text(title)),
        "<p>What was logged in the {0} before, by {1} lines of {2} nodes on {3} hosts. Times are in UTC.</p>".format(
            _text(run.since), events.lines, len(events.counts), len(run.hosts)
        ),
        '<nav><a href="#missing">Missing</a><a href="#errors">Errors</a><a href="#nodes">Nodes</a>'
        '<a href="#line">Time line</a><a href="#status">Status</a><a href="#files">Files</a></nav>',
        *_missing(run),
        *_errors(events),
        *_nodes(events),
        *_time_line(events),
        *_status(run),
        *_files(run),
        "</body></html>\n",
    ]
    return "\n".join(parts)


def _missing(run: Run) -> list[str]:
    head = '<h2 id="missing">What is missing</h2>'
    if not run.missing:
        return [head, "<p>Nothing: every host was read, and nothing was cut.</p>"]
    rows = ['<li class="missing">{0}</li>'.format(_text(sentence)) for sentence in run.missing]
    return [head, "<ul>", *rows, "</ul>"]


def _errors(events: Events) -> list[str]:
    found = ['<h2 id="errors">What was said, errors first</h2>', "<table>"]
    found.append("<tr><th>level<th>times<th>first<th>last<th>by<th>for example</tr>")
    for group in events.groups:
        level = LEVELS[group.example.line.level]
        nodes = sorted(group.nodes.items(), key=lambda item: (-item[1], item[0]))
        by = "<br>".join("{0} &times;{1}".format(_text(name), count) for name, count in nodes[:12])
        more = "<br>and {0} more".format(len(nodes) - 12) if len(nodes) > 12 else ""
        advice = '<div class="note">{0}</div>'.format(_text(group.advice)) if group.advice else ""
        found.append(
            '<tr class="{0}"><td>{0}<td>{1}<td class="time">{2}<td class="time">{3}<td>{4}{5}'
            '<td class="log">{6}{7}</tr>'.format(
                level,
                group.count,
                moment(group.first),
                moment(group.last),
                by,
                more,
                _line(group.example.line.text),
                advice,
            )
        )
    found.append("</table>")
    if not events.groups:
        found.append("<p>No line complains of anything.</p>")
    if events.groups_left_out:
        text = "<p>{0} more lines say yet other things; they are in the files.</p>"
        found.append(text.format(events.groups_left_out))
    return found


def _nodes(events: Events) -> list[str]:
    found = ['<h2 id="nodes">Nodes</h2>', "<table><tr><th>node<th>lines<th>errors<th>warnings<th>maybe</tr>"]
    for name, levels in sorted(events.counts.items()):
        cells = (sum(levels.values()), *(levels.get(level, 0) for level in (ERROR, WARNING, HINT)))
        found.append("<tr><td>{0}{1}</tr>".format(_text(name), "".join("<td>{0}".format(cell) for cell in cells)))
    return [*found, "</table>"]


def _time_line(events: Events) -> list[str]:
    shown = events.time_line
    found = ['<h2 id="line">Time line of all nodes</h2>']
    if events.left_out:
        text = "<p>The {0} most important lines, errors before warnings before others, and the newest of them; {1} more"
        found.append((text + " are in the files.</p>").format(len(shown), events.left_out))
    found += [_FILTER, "<table>"]
    for event in shown:
        found.append(
            '<tr class="l {0}"><td class="time">{1}<td>{2}<td>{3}<td class="log"><a href="{4}" title="line {5}">{6}</a>'
            " {7}</tr>".format(
                LEVELS[event.line.level],
                moment(event.line.time),
                _text(event.host),
                _text(event.node),
                quote(event.path),
                event.number,
                event.number,
                _line(event.line.text),
            )
        )
    return [*found, "</table>"]


def _status(run: Run) -> list[str]:
    lines = run.status or ("The status was not read.",)
    return ['<h2 id="status">Status</h2>', '<pre class="log">', *map(_text, lines), "</pre>"]


def _files(run: Run) -> list[str]:
    found = ['<h2 id="files">Files of the archive</h2>', "<table><tr><th>file<th>bytes</tr>"]
    for file in run.files:
        name = str(file["path"])
        found.append('<tr><td><a href="{0}">{1}</a><td>{2}</tr>'.format(quote(name), _text(name), file["bytes"]))
    return [*found, "</table>"]


def _line(text: str) -> str:
    return _text(text if len(text) <= MOST_CHARACTERS else text[:MOST_CHARACTERS] + " ...")


def _text(value: t.Any) -> str:
    return html.escape(_readable(str(value)))


def _readable(text: str) -> str:
    """Without what is no text: halves of characters, and control characters."""
    plain = text.encode("utf-8", "replace").decode("utf-8")
    return "".join(letter if letter >= " " or letter in "\t\n" else "?" for letter in plain)
