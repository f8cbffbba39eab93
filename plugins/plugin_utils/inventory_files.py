# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An inventory as files of a directory, on the machine that runs Ansible. Internal to waent.fleet: may change any time.

Nothing that is there is written over: whoever has read an inventory may have changed it. Secrets are in a file of their
own, encrypted where Ansible was given a vault password, and for their owner only in any case.
"""

from __future__ import annotations

import os
import typing as t

import yaml
from ansible_collections.waent.fleet.plugins.module_utils._common.instruction import instruction
from ansible_collections.waent.fleet.plugins.module_utils._common.problem import Problem
from ansible_collections.waent.fleet.plugins.module_utils._common.product import KINDS
from ansible_collections.waent.fleet.plugins.module_utils._io.whole_file import write_whole
from ansible_collections.waent.fleet.plugins.module_utils._plan.found_inventory import FoundInventory

SUFFIX = ".yml"
HOSTS, MAIN, VAULT = (path + SUFFIX for path in ("hosts", "group_vars/all/main", "group_vars/all/vault"))
MISSING = {
    "wa_cc": "country code, in quotes",
    "wa_phone_number": "the number without its country code, in quotes",
    "wa_cert": "verified-name certificate, base64",
    "wa_admin_password": "password of the user admin",
    "wa_jwt_key": "64 random letters and digits; all webapps need the same",
}
"""What the user has to write, and what is said of it."""


class _Unsafe(str):
    """Text that is no template, whatever is in it."""


class _Dumper(yaml.SafeDumper):
    """One of our own, so that nobody else's gets the representer."""


_Dumper.add_representer(_Unsafe, lambda dumper, text: dumper.represent_scalar("!unsafe", str(text), style='"'))


def _plain(value: t.Any) -> t.Any:
    """Without Ansible's own types; text with what a template begins with is marked as none."""
    if isinstance(value, dict):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    if isinstance(value, str):
        return _Unsafe(value) if "{{" in value or "{%" in value or "{#" in value else "".join(value)
    if value is None or isinstance(value, bool):
        return value
    return int(value) if isinstance(value, int) else float(value) if isinstance(value, float) else str(value)


def _dump(value: t.Any) -> str:
    return yaml.dump(_plain(value), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=200)


def rendered(inventory: FoundInventory) -> dict[str, str]:
    """The files by their paths in the directory. That with the secrets is in clear."""
    groups: dict[str, t.Any] = {"wa_cluster": {"children": {"wa_{0}_hosts".format(kind): None for kind in KINDS}}}
    for kind in KINDS:
        groups["wa_{0}_hosts".format(kind)] = {"hosts": dict.fromkeys(inventory.groups[kind])}
    hosts = {name: variables or None for name, variables in inventory.hosts.items()}
    notes = "".join("# {0}\n".format(note) for note in inventory.notes)
    document = _dump({"all": {"children": groups, "hosts": hosts}}).replace(": null\n", ":\n")
    secrets = {**{name: "" for name in inventory.missing if name not in ("wa_cc", "wa_phone_number")}}
    main = _variables(inventory.variables, inventory.comments)
    main += "".join(_line(name, '""') for name in ("wa_cc", "wa_phone_number") if name in inventory.missing)
    vault = "".join(_line(name, '""') for name in secrets) + _variables(inventory.secrets, {})
    return {
        HOSTS: "# What was found. Read it, write what is missing, and run {0} with it.\n".format(
            instruction("inventory_written")
        )
        + notes
        + document,
        MAIN: "# What was found. The secrets are in a file of their own beside this one.\n" + main,
        VAULT: "# Secrets of the nodes that were found, and those that only you know.\n" + vault,
    }


def _line(name: str, value: str) -> str:
    return "{0}: {1} # to be written: {2}\n".format(name, value, MISSING[name])


def _variables(variables: t.Mapping[str, t.Any], comments: t.Mapping[str, str]) -> str:
    lines = ""
    for name, value in variables.items():
        lines += "# {0}\n".format(comments[name]) if name in comments else ""
        lines += _dump({name: value})
    return lines


def outcome_of(directory: str, files: t.Mapping[str, str]) -> tuple[bool, list[Problem]]:
    """Whether something is to be written, and why it may not be. The file of the secrets is not looked into."""
    there = {name: _read(os.path.join(directory, name)) for name in files}
    if all(text is None for text in there.values()):
        return True, []
    other = [name for name in (HOSTS, MAIN) if there[name] != files[name]]
    if not other and there[VAULT] is not None:
        return False, []
    message = (
        "{0} has an inventory that is not what would be written now ({1}); it may be yours by now, so nothing is"
        " written over it. Name another directory, or run {2} with that one."
    ).format(directory, ", ".join(other) or VAULT, instruction("inventory_written"))
    return False, [Problem("INVENTORY_EXISTS", message, "into", directory)]


def _read(path: str) -> str | None:
    """Content of a file, None where there is none. Raises OSError for one that cannot be read."""
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except FileNotFoundError:
        return None


def write(directory: str, files: t.Mapping[str, str], seal: t.Callable[[str], str | None]) -> bool:
    """Writes the files, that with the secrets first. seal: encrypts, or gives None where there is no vault password.

    Returns whether the secrets are encrypted. Raises OSError.
    """
    os.makedirs(os.path.join(directory, os.path.dirname(MAIN)), exist_ok=True)
    sealed = seal(files[VAULT])
    write_whole(os.path.join(directory, VAULT), files[VAULT] if sealed is None else sealed, mode=0o600)
    for name in (MAIN, HOSTS):
        write_whole(os.path.join(directory, name), files[name])
    return sealed is not None
