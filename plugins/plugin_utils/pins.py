# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The file in which the authority of a cluster's API is pinned, on the machine that runs Ansible. Internal.

Where it is, is decided by C(_check/authority.py).
"""

from __future__ import annotations

import os
import time
import typing as t

from ansible_collections.waent.fleet.plugins.module_utils._check import authority
from ansible_collections.waent.fleet.plugins.module_utils._common.instruction import instruction
from ansible_collections.waent.fleet.plugins.module_utils._common.problem import Problem
from ansible_collections.waent.fleet.plugins.module_utils._desired.variables import switch_on
from ansible_collections.waent.fleet.plugins.module_utils._io.tls import read_authorities

COLLECTION = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))


def inventory_directory(hostvars: t.Any, groups: t.Mapping[str, t.Sequence[str]]) -> str:
    """Where the inventory of the cluster is: that of its first host. Empty where it has none, as C(-i one,)."""
    hosts = groups.get("wa_cluster") or ()
    found = hostvars.raw_get(hosts[0]).get("inventory_dir") if hosts and hostvars is not None else None
    return os.path.realpath(str(found)) if found else ""


class PinFile(t.NamedTuple):
    """path: empty where there is no place for it. given: whether the inventory names it."""

    path: str
    given: bool

    @property
    def exists(self) -> bool:
        """Whether something is pinned."""
        return bool(self.path) and os.path.exists(self.path)

    @property
    def can_be_made(self) -> bool:
        """Whether site.yml could make it."""
        return bool(self.path) and not self.exists and os.path.isdir(os.path.dirname(self.path))


def pin_file(ca_path: t.Any, cluster: t.Any, directory: str) -> PinFile:
    """By wa_api_ca_path and wa_cluster_name. directory: of the inventory."""
    given = os.path.expanduser(ca_path) if isinstance(ca_path, str) else ""
    return PinFile(authority.place(given, directory, str(cluster or ""), COLLECTION), bool(given))


def pin_problems(given: t.Mapping[str, t.Any], file: PinFile) -> tuple[list[Problem], list[str]]:
    """What is wrong with what is pinned, and warnings. given: the play's variables by their names without C(wa_).

    A file that cannot be read is reported where all files are.
    """
    expected = given.get("api_ca_fingerprint")
    expected = expected if isinstance(expected, str) and authority.FINGERPRINT.match(expected) else ""
    if not switch_on(given.get("validate_certs", True)):
        message = (
            "wa_api_ca_fingerprint is set, and wa_validate_certs is false, so nothing would be compared with it: leave"
            " one of the two out."
        )
        return ([Problem(authority.DIFFERS, message, "wa_api_ca_fingerprint", expected)] if expected else []), []
    if not file.exists:
        text = "wa_api_ca_path is {0!r}, where there is no file yet; the authority of the cluster will be pinned there."
        return [], [text.format(file.path)] if file.given and file.can_be_made else []
    try:
        pinned, _others = read_authorities(file.path)
    except OSError as error:
        return ([] if file.given else [_unreadable(file.path, error)]), []
    if not pinned:
        return [], []
    now = int(time.time())
    problems = authority.pinned_problems(pinned, expected, now, file.path)
    return problems, authority.pinned_notes(pinned, now, file.path)


def _unreadable(path: str, error: OSError) -> Problem:
    text = (
        "{0}, where the authority of the API is pinned, cannot be used ({1}): remove it and run {2}, which pins it"
        " again, or give another file as wa_api_ca_path."
    )
    return Problem(
        "WA_API_CA_PATH",
        text.format(path, error.strerror or error, instruction("authority_unreadable")),
        "wa_api_ca_path",
        path,
    )
