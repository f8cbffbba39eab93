#!/usr/bin/python
# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: wa_backup_timer
short_description: Have a host back up the registration of a cluster on a schedule
version_added: 0.2.0
description:
  - Installs a timer of systemd and a program that makes the same backup as M(waent.fleet.wa_backup), and runs it.
  - The backup is encrypted to O(recipient). The host has no key that opens it, so whoever takes the host opens
    none that was made before.
  - The host has the password of the user admin, as only that user may make backups. It can be read by root there, and
    the service gets it from systemd for as long as it runs.
  - Needs systemd 247 or newer, Python and C(openssl) on the host, and C(become).
author:
  - waent.fleet contributors (@waent)
extends_documentation_fragment:
  - waent.fleet.attributes
  - waent.fleet.attributes.no_group
  - waent.fleet.attributes.internal
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
    details:
      - The files hold a password. RV(files) names those that differ.
  idempotent:
    support: full
    details:
      - Where nothing differs, nothing is written and no backup is made.
options:
  state:
    description:
      - Whether the host has it. V(absent) leaves the backups.
      - V(renewed) gives one that is there another O(password), makes a backup with it, and leaves all else as it is.
      - V(read) changes nothing, and returns RV(found).
    type: str
    choices: [present, absent, renewed, read]
    default: present
  cluster_name:
    description: The cluster.
    type: str
    required: true
  schedule:
    description: When, as C(OnCalendar) of systemd has it.
    type: str
    default: daily
  keep:
    description: So many backups stay, the newest.
    type: int
    default: 30
  urls:
    description: Base URLs of the web applications.
    type: list
    elements: str
    default: []
  verify:
    description: Whether the certificate of the API is verified.
    type: bool
    default: true
  authority:
    description: PEM of the authority that is pinned for the API; empty for those that the host knows.
    type: str
    default: ""
  recipient:
    description: PEM of the certificate to encrypt to.
    type: str
    default: ""
  password:
    description: Password of the user admin.
    type: str
    default: ""
  number:
    description: The number that has to be registered, digits with country code; empty where any will do.
    type: str
    default: ""
  users:
    description: Names of users to look for.
    type: list
    elements: str
    default: [admin]
  program:
    description: The program as base64. The action plugin packs it.
    type: str
    default: ""
seealso:
  - module: waent.fleet.wa_backup
"""

EXAMPLES = r"""
- name: Back up every night
  waent.fleet.wa_backup_timer:
    cluster_name: waent
    schedule: "*-*-* 03:00"
    urls: [https://wa-1:9090]
    authority: "{{ lookup('ansible.builtin.file', 'api_ca.pem') }}"
    recipient: "{{ lookup('ansible.builtin.file', 'backup.pem') }}"
    password: "{{ wa_admin_password }}"
  become: true
"""

RETURN = r"""
name:
  description: Name of the units, without their kind.
  returned: always
  type: str
  sample: waent-backup-waent
files:
  description: Paths of the files that differed, or with V(absent) were there.
  returned: success
  type: list
  elements: str
backup:
  description: The backup that was made to prove that it works; empty where nothing differed.
  returned: success
  type: str
found:
  description: What there is, as RV(waent.fleet.wa_host_info#module:host) has it as C(backup); null where there is none.
  returned: with O(state=read)
  type: dict
failure:
  description: Why the module failed.
  returned: failure
  type: dict
  sample:
    code: BACKUP_NO_OPENSSL
    message: This host has no openssl, which encrypts the backup; install it.
    details: {}
"""

import base64
import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.waent.fleet.plugins.module_utils._common.problem import Refusal, refusal_for
from ansible_collections.waent.fleet.plugins.module_utils._desired import backup_schedule
from ansible_collections.waent.fleet.plugins.module_utils._desired.backup_schedule import Schedule
from ansible_collections.waent.fleet.plugins.module_utils._io import backup_timer
from ansible_collections.waent.fleet.plugins.module_utils._io.refused import refuse

CODE = "WA_BACKUP_TIMER_REFUSED"
ARGUMENTS: dict[str, t.Any] = {
    "state": {"type": "str", "choices": ["present", "absent", "renewed", "read"], "default": "present"},
    "cluster_name": {"type": "str", "required": True},
    "schedule": {"type": "str", "default": "daily"},
    "keep": {"type": "int", "default": 30},
    "urls": {"type": "list", "elements": "str", "default": []},
    "verify": {"type": "bool", "default": True},
    "authority": {"type": "str", "default": ""},
    "recipient": {"type": "str", "default": ""},
    "password": {"type": "str", "default": "", "no_log": True},
    "number": {"type": "str", "default": ""},
    "users": {"type": "list", "elements": "str", "default": ["admin"]},
    "program": {"type": "str", "default": ""},
}


def schedule_from(params: t.Mapping[str, t.Any]) -> Schedule:
    """What the options ask for. Raises Refusal."""
    asked = Schedule(
        cluster=params["cluster_name"],
        schedule=params["schedule"],
        keep=params["keep"],
        urls=tuple(params["urls"]),
        number=params["number"],
        users=tuple(params["users"]),
        password=params["password"],
        authority=params["authority"],
        recipient=params["recipient"],
        verify=params["verify"],
        program=base64.b64decode(params["program"]),
    )
    problems = backup_schedule.problems(asked)
    if problems:
        raise refusal_for(CODE, problems)
    return asked


def present(module: AnsibleModule, name: str, root: str) -> dict[str, t.Any]:
    """Install what differs, and prove it. Raises Refusal and OSError."""
    files = backup_schedule.files(schedule_from(module.params))
    backup_timer.check_host(module.run_command, module.get_bin_path)
    different = backup_timer.differing(files, root)
    waits = backup_timer.enabled(module.run_command, name)
    result: dict[str, t.Any] = {"files": [file.path for file in different], "backup": ""}
    # A run that was killed may have installed all of it and seen no backup.
    if not different and waits and backup_timer.backups(name, root):
        return {**result, "changed": False}
    if not module.check_mode:
        backup_timer.write(different, root)
        backup_timer.enable(module.run_command, name)
        result["backup"] = backup_timer.prove(module.run_command, name, root)
    return {**result, "changed": True}


def renewed(module: AnsibleModule, name: str, root: str) -> dict[str, t.Any]:
    """Another password of the user admin where there is one, and a backup as proof. Raises Refusal and OSError."""
    file = backup_schedule.password_file(module.params["cluster_name"], module.params["password"])
    differs = backup_timer.has_another(file, root)
    # A run before may have written it, and seen that no backup came of it.
    unproved = not differs and backup_timer.failed(module.run_command, name, root)
    result: dict[str, t.Any] = {"files": [file.path] if differs else [], "backup": ""}
    if (differs or unproved) and not module.check_mode:
        backup_timer.write([file] if differs else [], root)
        result["backup"] = backup_timer.prove(module.run_command, name, root)
    return {**result, "changed": differs or unproved}


def absent(module: AnsibleModule, name: str, root: str) -> dict[str, t.Any]:
    """Remove what there is. Raises Refusal and OSError."""
    there = backup_timer.installed(name, root)
    if there and not module.check_mode:
        backup_timer.remove(module.run_command, name, root)
    return {"files": there, "backup": "", "changed": bool(there)}


def read(module: AnsibleModule, name: str, root: str) -> dict[str, t.Any]:
    """What there is, as wa_host_info has it."""
    there = backup_timer.installed(name, root)
    found = backup_timer.read_state(module.run_command, name, root) if there else None
    return {"files": there, "backup": "", "changed": False, "found": found}


STATES = {"present": present, "absent": absent, "renewed": renewed, "read": read}


def main(root: str = "") -> None:
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    name = backup_schedule.unit_name(module.params["cluster_name"])
    try:
        result = STATES[module.params["state"]](module, name, root)
    except Refusal as error:
        refuse(module, error, name=name)
    except OSError as error:
        text = "{0} could not be written ({1}); it takes root.".format(error.filename, error.strerror or error)
        refuse(module, Refusal("BACKUP_NOT_INSTALLED", text), name=name)
    module.exit_json(name=name, **result)


if __name__ == "__main__":
    main()
