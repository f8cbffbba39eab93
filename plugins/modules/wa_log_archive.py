#!/usr/bin/python
# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: wa_log_archive
short_description: Make one archive, with an index page, of what the nodes of a cluster have logged
version_added: 0.2.0
description:
  - V(begun) makes a directory for the run, in which M(waent.fleet.wa_node_logs) writes, and V(packed) makes of it one
    archive with a page that a browser shows without a network - what was said, errors first, by whom and when, and one
    time line of all nodes.
  - Directory, archive and page can be read by their owner only. No value of O(secrets) is in them, which is proved by
    reading the archive again before it gets its name.
  - What a run that was killed has left in O(directory) is removed by the next one.
  - Runs on the machine that runs Ansible.
author:
  - waent.fleet contributors (@waent)
extends_documentation_fragment:
  - waent.fleet.attributes
  - waent.fleet.attributes.no_group
  - waent.fleet.attributes.internal
attributes:
  check_mode:
    support: full
    details:
      - Says what would be collected and writes nothing.
  diff_mode:
    support: none
    details:
      - There is nothing to compare with.
  idempotent:
    support: none
    details:
      - Each run has an archive of its own.
options:
  state:
    description: What to do.
    type: str
    choices: [begun, packed]
    required: true
  directory:
    description: Where the archive goes; it is made where it is missing.
    type: path
    required: true
  cluster_name:
    description: The cluster, for the name of the archive.
    type: str
    required: true
  since:
    description: The span of time that is collected, such as V(3h).
    type: str
    required: true
  work:
    description: The RV(work) of V(begun).
    type: path
  hosts:
    description:
      - By name of each host the result of M(waent.fleet.wa_node_logs), with C(reason) where nothing was read of it.
    type: dict
    default: {}
  documents:
    description: Further files, by their names, each a text, or anything that is written as JSON.
    type: dict
    default: {}
  missing_documents:
    description: By name why a file could not be made.
    type: dict
    default: {}
  status:
    description: Lines about the cluster for the page.
    type: list
    elements: str
    default: []
  secrets:
    description: Values that must not be in the archive, as P(waent.fleet.failure_reason#filter) takes them.
    type: list
    elements: raw
    default: []
seealso:
  - module: waent.fleet.wa_node_logs
"""

EXAMPLES = r"""
- name: Begin an archive
  waent.fleet.wa_log_archive:
    state: begun
    directory: ~/waent-logs
    cluster_name: waent
    since: 3h
  delegate_to: localhost
  run_once: true
  register: archive
"""

RETURN = r"""
work:
  description: Directory for the files of this run.
  returned: when it is begun
  type: str
archive:
  description: Path of the archive.
  returned: when it is packed
  type: str
page:
  description: Path of its index page, which is in the archive too.
  returned: when it is packed
  type: str
missing:
  description: A sentence with a code for everything that was cut or could not be read.
  returned: always
  type: list
  elements: str
lines:
  description: What to show at the end.
  returned: always
  type: list
  elements: str
useful:
  description: Whether the log of any node was read.
  returned: always
  type: bool
refusal:
  description: Why the run ends red, with a code - there is no archive, or not one log in it. Empty where there is one.
  returned: always
  type: str
planned:
  description: What is going to be collected.
  returned: always
  type: list
  elements: str
problems:
  description: The same, one for each.
  returned: always
  type: list
  elements: dict
failure:
  description: Why there is no archive.
  returned: failure
  type: dict
  sample:
    code: WA_LOG_ARCHIVE_FAILED
    message: "1 problem was found, nothing was changed.\n[LOGS_NOT_WRITTEN] /srv/logs could not be written (...)."
    details: {codes: [LOGS_NOT_WRITTEN]}
"""

import json
import os
import time
import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.waent.fleet.plugins.module_utils._check.log_gaps import (
    amount,
    gaps,
    nothing_useful,
    planned,
    sentences,
)
from ansible_collections.waent.fleet.plugins.module_utils._check.log_page import Run
from ansible_collections.waent.fleet.plugins.module_utils._common.problem import Problem, Refusal, leave, summary
from ansible_collections.waent.fleet.plugins.module_utils._io.log_archive import (
    Packed,
    begin,
    finish,
    plain_name,
    write_document,
)

NOTHING_READ = (
    "[LOGS_NOTHING_READ] Not one log of a node could be read, for the reasons above; the archive holds what else was"
    " found."
)
CODE = "WA_LOG_ARCHIVE_FAILED"
ARGUMENTS: dict[str, t.Any] = {
    "state": {"type": "str", "choices": ["begun", "packed"], "required": True},
    "directory": {"type": "path", "required": True},
    "cluster_name": {"type": "str", "required": True},
    "since": {"type": "str", "required": True},
    "work": {"type": "path"},
    "hosts": {"type": "dict", "default": {}},
    "documents": {"type": "dict", "default": {}},
    "missing_documents": {"type": "dict", "default": {}},
    "status": {"type": "list", "elements": "str", "default": []},
    "secrets": {"type": "list", "elements": "raw", "default": [], "no_log": True},
}


def plan(params: t.Mapping[str, t.Any]) -> list[str]:
    """What is going to be collected, of the hosts as they were read."""
    reasons = {host: str(one["reason"]) for host, one in params["hosts"].items() if one.get("reason")}
    names = {host: one.get("containers") or [] for host, one in params["hosts"].items() if host not in reasons}
    return planned(names, reasons, params["since"], params["directory"])


def started(params: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """A directory for this run. Raises OSError."""
    name = "{0}-logs-{1}".format(plain_name(params["cluster_name"]), time.strftime("%Y%m%dT%H%M%SZ", time.gmtime()))
    # The process that runs the tasks of one run after the other is the parent of the one that does this task.
    return {"work": begin(params["directory"], name, os.getppid())}


def packed(params: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """The archive. Raises OSError and Refusal."""
    work, missing = params["work"], list(missing_of(params))
    name = os.path.basename(work).lstrip(".").rpartition(".part")[0].rpartition(".")[0]
    for document, content in params["documents"].items():
        text = content if isinstance(content, str) else json.dumps(content, indent=2, sort_keys=True) + "\n"
        write_document(work, document, text, params["secrets"])
    run = Run(
        params["cluster_name"],
        time.strftime("%Y-%m-%d %H:%M:%SZ", time.gmtime()),
        params["since"],
        sorted(params["hosts"]),
        missing,
        [],
        params["status"],
    )
    done = finish(work, params["directory"], name, run, params["secrets"])
    return {"archive": done.archive, "page": done.page, "lines": shown(done, missing)}


def missing_of(params: t.Mapping[str, t.Any]) -> list[str]:
    """Everything that is not there, or not as a whole."""
    return sentences(gaps(params["hosts"], params["missing_documents"]))


def shown(done: Packed, missing: t.Sequence[str]) -> list[str]:
    """What to show at the end."""
    size = os.path.getsize(done.archive)
    head = "{0} lines in {1} files, {2} packed; read {3} in a browser."
    lines = ["{0}".format(done.archive), head.format(done.lines, len(done.files), amount(size), done.page)]
    return lines + (["What is missing in it:", *("  " + one for one in missing)] if missing else [])


def answer(params: t.Mapping[str, t.Any]) -> tuple[dict[str, t.Any], list[Problem]]:
    """What was done, and why there is no archive. C(check_mode) among the options: nothing is written."""
    result: dict[str, t.Any] = {
        "planned": plan(params),
        "missing": missing_of(params),
        "useful": not nothing_useful(params["hosts"]),
        "lines": [],
        "refusal": "",
    }
    if params["check_mode"]:
        return result, []
    try:
        if params["state"] == "begun":
            return {**result, **started(params), "changed": True}, []
        result.update(packed(params), changed=True)
        return {**result, "refusal": "" if result["useful"] else NOTHING_READ}, []
    except Refusal as error:
        problem = Problem(error.code, error.message)
    except OSError as error:
        where, why = error.filename or params["directory"], error.strerror or error
        text = "{0} could not be written ({1}); give another directory as wa_logs_directory.".format(where, why)
        problem = Problem("LOGS_NOT_WRITTEN", text, "wa_logs_directory", params["directory"])
    return {**result, "refusal": summary([problem])}, [problem]


def main() -> None:
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    result, problems = answer({**module.params, "check_mode": module.check_mode})
    leave(module, CODE, problems, {"changed": False, **result})


if __name__ == "__main__":
    main()
