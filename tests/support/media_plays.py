# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Playbooks with wa_nfs_media for the machines of nfs_rig, and what is on those machines afterwards."""

from __future__ import annotations

import json
import typing as t

from ansible_collections.waent.fleet.tests.support.nfs_rig import NfsRig
from ansible_collections.waent.fleet.tests.support.playbook_runs import Run, play
from ansible_collections.waent.fleet.tests.support.this_machine import PATIENCE

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


PROCESSES = """
echo $(ps -o sid= -p 1; ps -o sid= -p $$; cat /tmp/*.pid /run/automount-* 2>/dev/null | xargs -r -n 1 ps -o sid= -p)
ps -e -o sid=,stat=,comm=
"""


def left_behind(rig: NfsRig, client: str) -> list[str]:
    """Names of the processes that runs have left there, whatever they are: what waits for the server, and for that.

    Everything but the kernel's own, sshd, what began with the machine, and what tests have in the background.
    """
    own, *others = rig.run(client, PROCESSES).splitlines()
    found = [line.split(None, 2) for line in others]
    ours = {"0", *own.split()}
    return [name for session, state, name in found if session not in ours and name != "sshd" and state[0] not in "ZX"]


class SecondService:
    """A server beside the one on the second machine, with a configuration of its own. A context manager.

    protocols, version_4: what it is given in these sections. It is killed as when power fails; what it knows of its
    clients is there when it is started again.
    """

    PORT = 4049
    # Neither the port nor other programs of the server that it stands beside.
    CORE = "NFS_Port = {0}; Enable_NLM = false; Enable_RQUOTA = false; ".format(PORT)
    START = "ganesha.nfsd -f /tmp/second.conf -p /run/second -L /tmp/second.log"
    WAIT = (
        "for n in $(seq {0}); do ss -ltn | grep -q :{1} && exit 0; sleep 0.5; done; tail -n 30 /tmp/second.log; exit 1"
    )
    STOP = "kill -9 $(cat /run/second); while ss -ltn | grep -q :{0}; do sleep 0.1; done".format(PORT)

    def __init__(self, rig: NfsRig, protocols: str, version_4: str = "") -> None:
        self._rig = rig
        export = "EXPORT {{ Export_Id = 9; Path = /exports/other; Pseudo = /other; Protocols = {0}; Access_Type = RW;"
        export += " Squash = No_Root_Squash; SecType = sys; Transports = TCP; FSAL {{ Name = VFS; }} }}"
        self._configuration = "NFS_CORE_PARAM {{ {0}{1} }} NFSV4 {{ {2} }} {3}".format(
            self.CORE, protocols, version_4, export.format("3" if "Protocols = 3" in protocols else "4")
        )

    @property
    def share(self) -> dict[str, t.Any]:
        """Options of wa_nfs_media for what it exports."""
        return {"server": self._rig.other_address, "export": "/other", "opts": ["port={0}".format(self.PORT)]}

    def start(self) -> None:
        """Until it can be connected to."""
        self._do(self.START)
        self._do(self.WAIT.format(int(2 * PATIENCE), self.PORT))

    def kill(self) -> None:
        self._do(self.STOP)

    def _do(self, command: str) -> None:
        self._rig.on_server(command, "server-2")

    def __enter__(self) -> SecondService:
        self._do("echo '{0}' > /tmp/second.conf".format(self._configuration))
        self.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self.kill()
