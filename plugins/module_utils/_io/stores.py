# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Networks and Docker volumes of a host, made where they are missing. Internal to waent.fleet: may change.

With the C(docker) command, as everything of an engine is read: a Python for each, as a module for networks and one for
volumes would be, costs ten times what the engine does.
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.waent.fleet.plugins.module_utils._io.command import NoAnswer, Run

NOT_THERE = re.compile(r"\bno such\b|\bnot found$", re.IGNORECASE)
"""How the engine says that it has nothing of a name: C(No such container: wa-db), C(network waent not found)."""

NETWORK, VOLUME = "network", "volume"
"""What can be made, as the C(docker) command names it."""


def make(run: Run, docker: str, kind: str, desired: t.Mapping[str, t.Any], check: bool) -> dict[str, t.Any]:
    """C({changed, failed, msg}), in the shape of a module's answer. What exists stays as it is, whoever made it.

    desired: C({name, labels}). check: nothing is made.
    """
    name, labels = str(desired["name"]), desired.get("labels") or {}
    try:
        missing, said = _look(run, docker, kind, name)
        if not missing or check:
            return _answer(said, changed=missing)
        options = ["--label={0}={1}".format(key, value) for key, value in sorted(labels.items())]
        code, _out, error = run([docker, kind, "create", *options, name])
        if code == 0:
            return _answer("", changed=True)
        # Somebody else may have made it meanwhile.
        missing, said = _look(run, docker, kind, name)
        return _answer(_last_line(error) if missing or said else "", changed=False)
    except NoAnswer as late:
        return _answer(str(late), changed=False)


def _look(run: Run, docker: str, kind: str, name: str) -> tuple[bool, str]:
    """Whether the engine says that there is none, and what it says instead of an answer."""
    code, out, error = run([docker, kind, "inspect", "--format={{.Name}}", name])
    if code == 0:
        # A network is found by the beginning of its ID as well.
        return out.strip() != name, ""
    said = _last_line(error)
    absent = NOT_THERE.search(said) is not None
    return absent, "" if absent else said


def _answer(said: str, changed: bool) -> dict[str, t.Any]:
    return {"changed": changed and not said, "failed": bool(said), **({"msg": said} if said else {})}


def _last_line(text: str) -> str:
    return (text.strip().splitlines() or ["it gave no reason"])[-1].strip()
