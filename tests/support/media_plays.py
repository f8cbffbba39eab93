# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Playbooks with wa_nfs_media for the machines of nfs_rig, and what is on those machines afterwards."""

from __future__ import annotations

import json
import typing as t

from ansible_collections.waent.fleet.tests.support.nfs_rig import NfsRig
from ansible_collections.waent.fleet.tests.support.playbook_runs import Run, play

PLAYBOOKS = "tests/integration/media/playbooks/"
PATH = "/srv/media"


class Play:
    """The playbooks of these tests, for the machines."""

    def __init__(self, rig: NfsRig) -> None:
        self.rig = rig

    def __call__(
        self, playbook: str, *arguments: str, only: str = "wa_cluster", meanwhile: str | None = None, **share: t.Any
    ) -> Run:
        """meanwhile: a command of this machine, run when all hosts have left their tokens."""
        whole = {"server": self.rig.server_address, "export": "/media", "path": PATH, **share}
        given = json.dumps({"share": whole, "only": only, **({"meanwhile": meanwhile} if meanwhile else {})})
        return play(PLAYBOOKS + playbook + ".yml", "-i", str(self.rig.inventory), "-e", given, *arguments)

    def changed(self, run: Run) -> list[str]:
        """On which machines something was changed."""
        return sorted(name for name, number in run.changes.items() if number)


def mounts(rig: NfsRig, client: str) -> str:
    """What the kernel has mounted at the path."""
    return rig.run(client, "grep ' {0} ' /proc/self/mountinfo || true".format(PATH))


def fstab(rig: NfsRig, client: str) -> str:
    return rig.run(client, "grep ' {0} ' /etc/fstab || true".format(PATH))


def in_background(rig: NfsRig, client: str, command: str) -> None:
    """Run a command on a client until the end of the test; it has begun when this returns."""
    whole = (
        "({0}) </dev/null >/tmp/background.log 2>&1 & echo $! >> /tmp/background.pid; sleep 1; cat /tmp/background.log"
    )
    said = rig.run(client, whole.format(command))
    if said:
        raise RuntimeError("{0}: {1}\n{2}".format(client, command, said))


def end_background(rig: NfsRig, client: str) -> None:
    """End what C(in_background) has begun."""
    rig.run(client, "xargs kill -9 < /tmp/background.pid; rm /tmp/background.pid")


def children(rig: NfsRig, client: str) -> int:
    """Processes that a deadline has left behind."""
    return int(rig.run(client, "cat /proc/[0-9]*/comm 2>/dev/null | grep -c '^wa-media-' || true"))
