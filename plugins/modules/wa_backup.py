#!/usr/bin/python
# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: wa_backup
short_description: Back up and restore the registration of a phone number
version_added: 0.2.0
description:
  - V(saved) has the client make its own backup of settings and registration keys, and writes it to an encrypted file
    on the machine that runs Ansible, in the format of ansible-vault. The facts of the cluster stand beside it - number,
    shards, masters, coreapps, version, settings, and names of users.
  - V(restored) compares these facts with the installation, refuses what does not fit, with every reason, and restores
    the backup. A number that is registered here already is left alone.
  - Neither messages nor users are in a backup.
  - Two installations with one registration get the number banned. The other one has to be off before.
  - An action plugin encrypts and decrypts. O(encryption_password) does not leave the machine that runs Ansible.
author:
  - waent.fleet contributors (@waent-fleet)
extends_documentation_fragment:
  - waent.fleet.api
  - waent.fleet.attributes
  - waent.fleet.attributes.api_group
attributes:
  check_mode:
    support: full
    details:
      - Reads and compares all that it does otherwise, and neither makes nor restores a backup.
  diff_mode:
    support: none
    details:
      - What differs is registration keys.
  idempotent:
    support: partial
    details:
      - V(saved) makes another backup each time; V(restored) leaves a registered number alone.
options:
  state:
    description: What to do.
    type: str
    choices: [saved, restored]
    required: true
  path:
    description: The file, on the machine that runs Ansible. One that is there is not overwritten.
    type: path
    required: true
  encryption_password:
    description: Password with which the file is encrypted; C(ansible-vault view) takes the same.
    type: str
    required: true
  users:
    description: Names of users to look for; the API has no call that lists them.
    type: list
    elements: str
    default: [admin]
  number:
    description: The number that the backup has to be of, digits with country code; empty where any will do.
    type: str
    default: ""
  sets_shards:
    description:
      - Whether whoever calls the module sets the shards before he restores, so that another number of them is answered
        in RV(shards_to_set) where the installation has no number, and not refused. Only for check mode, in which
        nothing is restored.
    type: bool
    default: false
  document:
    description: Content of the file, from the action plugin.
    type: str
seealso:
  - module: waent.fleet.wa_account
"""

EXAMPLES = r"""
- name: Back up the registration
  waent.fleet.wa_backup:
    state: saved
    path: ~/waent-backups/before-the-move.vault
    encryption_password: "{{ wa_backup_password }}"
    api_url: https://wa-1:9090
    api_token: "{{ wa_login.token }}"
  delegate_to: localhost

- name: Restore it, once the other installation is off
  waent.fleet.wa_backup:
    state: restored
    path: ~/waent-backups/before-the-move.vault
    encryption_password: "{{ wa_backup_password }}"
    api_url: https://wa-9:9090
    api_token: "{{ wa_login_there.token }}"
  delegate_to: localhost
"""

RETURN = r"""
facts:
  description: The facts of the cluster that is, or was, backed up, without settings.
  returned: always
  type: dict
  sample: {number: "15550100", shards: 1, masters: 2, coreapps: 2, version: v2.19.4, users: {admin: ROLE_ADMIN}}
made:
  description: When the backup was made, in UTC; empty in check mode of V(saved).
  returned: always
  type: str
  sample: "2026-11-29T19:00:00Z"
path:
  description: The file.
  returned: success
  type: str
lines:
  description: The facts for a reader.
  returned: always
  type: list
  elements: str
notes:
  description: What differs from the facts after it was restored, and is in no backup.
  returned: always
  type: list
  elements: str
question:
  description: What to ask before it is restored; empty where nothing would be.
  returned: always
  type: str
shards_to_set:
  description: How many shards have to be set before it is restored; 0 where there are as many already.
  returned: always
  type: int
  sample: 0
problems:
  description: Why there is no backup, or it does not fit.
  returned: always
  type: list
  elements: dict
failure:
  description: Why the module failed.
  returned: failure
  type: dict
  sample:
    code: WA_BACKUP_REFUSED
    message: "1 problem was found, nothing was changed.\n[BACKUP_SHARDS_DIFFER] The backup is of 2 shards, ..."
    details: {codes: [BACKUP_SHARDS_DIFFER]}
"""

import secrets
import time
import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.waent.fleet.plugins.module_utils._check import backup
from ansible_collections.waent.fleet.plugins.module_utils._check.backup import Backup
from ansible_collections.waent.fleet.plugins.module_utils._check.health import Expected
from ansible_collections.waent.fleet.plugins.module_utils._common.problem import Refusal, refusal_for
from ansible_collections.waent.fleet.plugins.module_utils._io.client import (
    Client,
    ClientError,
    LostAnswer,
    UnexpectedReply,
)
from ansible_collections.waent.fleet.plugins.module_utils._io.failure import fail
from ansible_collections.waent.fleet.plugins.module_utils._io.health_reader import HealthReader
from ansible_collections.waent.fleet.plugins.module_utils._io.options import api_options, client_from
from ansible_collections.waent.fleet.plugins.module_utils._io.user import read_role

CODE = "WA_BACKUP_REFUSED"
SETTINGS = "/v1/settings/application"
OPTIONS: dict[str, t.Any] = {
    "state": {"type": "str", "choices": ["saved", "restored"], "required": True},
    "path": {"type": "path", "required": True},
    "encryption_password": {"type": "str", "required": True, "no_log": True},
    "users": {"type": "list", "elements": "str", "default": ["admin"]},
    "number": {"type": "str", "default": ""},
    "sets_shards": {"type": "bool", "default": False},
    "document": {"type": "str", "no_log": True},
}


def read_users(client: Client, names: t.Iterable[str]) -> dict[str, str]:
    """The role of each user that there is."""
    roles = {name: read_role(client, name) for name in names}
    return {name: role for name, role in roles.items() if role is not None}


def read_settings(client: Client) -> dict[str, t.Any]:
    """The application settings. Raises UnexpectedReply."""
    reply = client.get(SETTINGS)
    settings = reply.member("settings", "application")
    if not isinstance(settings, dict):
        raise UnexpectedReply("{0} answered no application settings.".format(reply.url), url=reply.url)
    return settings


def read_cluster(client: Client) -> dict[str, t.Any]:
    """C(cluster) of wa_cluster_health. Raises a ClientError where it cannot be read."""
    observed = HealthReader(client, Expected(), waits=False).read()
    if observed.error:
        raise observed.error
    return observed.cluster.as_dict()


def saved(client: Client, params: t.Mapping[str, t.Any], check_mode: bool) -> dict[str, t.Any]:
    """The facts, and the backup as C(document). Raises Refusal and ClientError."""
    facts, problems = backup.facts_of(read_cluster(client), read_settings(client), read_users(client, params["users"]))
    if params["number"] and facts["number"] and facts["number"] != params["number"]:
        problems += backup.misfits(facts, {"registered": False, "nodes": []}, params["number"])[:1]
    if problems:
        raise refusal_for(CODE, problems)
    if check_mode:
        done = result_of(facts, "", changed=True)
        return {**done, "lines": [*done["lines"], "It would be written to {0}.".format(params["path"])]}
    password = secrets.token_urlsafe(32)
    reply = client.call("POST", "/v1/settings/backup", body={"password": password}, repeatable=True)
    data = reply.member("settings", "data")
    if not isinstance(data, str) or not data:
        raise UnexpectedReply("{0} answered no backup.".format(reply.url), url=reply.url)
    made = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    document = backup.written(Backup(facts, data, password, made))
    done = result_of(facts, made, changed=True)
    lines = [*done["lines"], "Encrypted in {0}, which was read again.".format(params["path"])]
    return {**done, "lines": lines, "document": document}


def restored(client: Client, params: t.Mapping[str, t.Any], check_mode: bool) -> dict[str, t.Any]:
    """Restores where it fits and is not there yet. Raises Refusal and ClientError."""
    kept = backup.read(params["document"] or "")
    cluster = read_cluster(client)
    if backup.is_there(kept.facts, cluster):
        notes = backup.notes_after(kept.facts, read_settings(client), read_users(client, kept.facts["users"]))
        done = result_of(kept.facts, kept.made, changed=False, notes=notes)
        return {**done, "lines": [*done["lines"], backup.THERE_ALREADY]}
    shards = backup.shards_to_set(kept.facts, cluster) if check_mode and params["sets_shards"] else 0
    assumed = {**cluster, "shards": shards or cluster.get("shards")}
    problems = backup.misfits(kept.facts, assumed, params["number"])
    if problems:
        raise refusal_for(CODE, problems)
    if check_mode:
        done = result_of(kept.facts, kept.made, changed=True)
        lines = [*done["lines"], *backup.steps_before(shards)]
        return {**done, "lines": lines, "question": backup.question(kept.facts), "shards_to_set": shards}
    body = {"password": kept.password, "data": kept.data}
    try:
        client.call("POST", "/v1/settings/restore", body=body)
    except LostAnswer:
        # What became of it is seen by whoever waits for the number to be served.
        return result_of(kept.facts, kept.made, changed=True)
    notes = backup.notes_after(kept.facts, read_settings(client), read_users(client, kept.facts["users"]))
    return result_of(kept.facts, kept.made, changed=True, notes=notes)


def result_of(
    facts: t.Mapping[str, t.Any], made: str, *, changed: bool, notes: t.Sequence[str] = ()
) -> dict[str, t.Any]:
    """The same keys on every path; settings may hold passwords."""
    kept = {name: value for name, value in facts.items() if name != "settings"}
    lines = backup.shown(facts, made or "now")
    return {
        "changed": changed,
        "facts": kept,
        "made": made,
        "lines": lines,
        "notes": list(notes),
        "question": "",
        "shards_to_set": 0,
    }


def main() -> None:
    module = AnsibleModule(argument_spec=dict(api_options(), **OPTIONS), supports_check_mode=True)
    work = saved if module.params["state"] == "saved" else restored
    empty: dict[str, t.Any] = {"facts": {}, "made": "", "lines": [], "notes": [], "question": "", "shards_to_set": 0}
    try:
        result = work(client_from(module.params), module.params, module.check_mode)
    except (ClientError, Refusal) as error:
        found = error.problems if isinstance(error, Refusal) else ()
        fail(module, error, changed=False, problems=[problem.as_dict() for problem in found], **empty)
    module.exit_json(problems=[], path=module.params["path"], **result)


if __name__ == "__main__":
    main()
