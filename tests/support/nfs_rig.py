# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An NFS server and machines with a kernel of their own that mount it: what the kernel of this machine need not know.

Each is a container. A client is User-mode Linux, which has the container's address and, as its root, the container's
root; it is reached over SSH. So what engines do to containers is what happens to machines: C(pause) is a machine that
answers nothing, C(kill) one without power, and what was written to its disk is there after C(start). The server is
nfs-ganesha, which needs no kernel for it either.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import subprocess
import tempfile
import time
import typing as t
from pathlib import Path

import docker
import docker.errors
from ansible_collections.waent.fleet.tests.support.checkout import ROOT
from ansible_collections.waent.fleet.tests.support.debian_image import LABEL, image_of
from ansible_collections.waent.fleet.tests.support.playbook_runs import write_inventory
from ansible_collections.waent.fleet.tests.support.this_machine import PATIENCE, RUN_PATIENCE
from docker.models.containers import Container
from docker.types import IPAMConfig, IPAMPool

KIND = "nfs"
NAME = "waent-nfs"
PACKAGES = (
    "iproute2", "kmod", "mount", "nfs-common", "nfs-ganesha", "nfs-ganesha-vfs", "nfs-kernel-server", "openssh-server",
    "procps", "python3", "rpcbind", "tini", "user-mode-linux",
)  # fmt: skip
FILES = ROOT / "tests" / "support" / "nfs"

# The guest looks for its modules where every kernel does.
MODULES = 'mkdir -p "$1/usr/lib/modules" && cp -a "$1"/usr/lib/uml/modules/. "$1/usr/lib/modules/"'
MODULES += ' && for one in "$1"/usr/lib/modules/*; do chroot "$1" depmod "${one##*/}"; done'

# Set aside for tests of networks (RFC 2544).
SUBNET = "198.18.77.0/24"
ADDRESS = "198.18.77.{0}"
SERVERS = {"server": 10, "server-2": 11}
DATABASE = 12
FIRST_CLIENT = 20
AMBIGUOUS = "nas-1"
"""A name that leads the first client to the first server, and all others to the second."""

EXPORTS = {
    "media": "size=64m,mode=0777",
    "other": "size=64m,mode=0777",
    "read-only": "size=64m,mode=0777",
    "squashed": "size=64m,mode=0700",
    "full": "size=64k,mode=0777",
    "few": "size=64m,nr_inodes=8,mode=0777",
}
"""Those of nfs/ganesha.conf, with the options of the file system that each lies in."""

SSH_OPTIONS = ("-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR")

GUEST_PATIENCE = 5 * PATIENCE
"""What costs a guest dozens of times as much gets more time: on a machine that is very busy a program needs most of a
minute to start, and a command is some programs."""

# Docker's own profiles keep User-mode Linux from laying out its memory as it needs it.
PRIVILEGES: dict[str, t.Any] = {
    "cap_add": ["ALL"],
    "cap_drop": ["SYS_RESOURCE"],
    "security_opt": ["seccomp=unconfined", "apparmor=unconfined"],
}


@contextlib.contextmanager
def alone() -> t.Iterator[None]:
    """As the only run on this machine, of whatever checkout, that has these containers; the others wait.

    Whoever makes them removes those of others. A connection to an address without its network leads nowhere, so that
    the machines of a run beside it would not be away, but silent.
    """
    with (Path(tempfile.gettempdir()) / (NAME + ".lock")).open("a") as lock:
        deadline = time.monotonic() + RUN_PATIENCE
        while not _locked(lock):
            if time.monotonic() > deadline:
                raise RuntimeError("Another run has had the containers {0}-* for {1:.0f} s.".format(NAME, RUN_PATIENCE))
            time.sleep(1)
        yield


def _locked(file: t.IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


class NfsRig:
    """Two servers, of which most tests use the first, and their clients. directory: for the key and the inventory."""

    def __init__(self, directory: Path, clients: t.Sequence[str] = ("media-1", "media-2")) -> None:
        self.clients = tuple(clients)
        self.inventory = directory / "inventory.yml"
        self._directory = directory
        self._key = directory / "key"
        self._engine = docker.from_env(timeout=120)
        self._turn: contextlib.ExitStack | None = None

    # --- its life -----------------------------------------------------------------------------------------------------

    def create(self) -> None:
        """Make it, and wait until every machine answers. What a run that was killed has left goes first.

        There can be one on a machine: it waits until another run has removed its own.
        """
        turn = contextlib.ExitStack()
        turn.enter_context(alone())
        self._turn = turn
        self._remove_all()
        image = image_of(KIND, "bookworm", PACKAGES, MODULES)
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(self._key)], check=True)
        pool = IPAMPool(subnet=SUBNET)
        self._engine.networks.create(NAME, ipam=IPAMConfig(pool_configs=[pool]), labels={LABEL: KIND})
        tmpfs = {"/exports/" + name: options for name, options in EXPORTS.items()}
        for name, number in SERVERS.items():
            self._start(image, name, number, ["/nfs/server.sh"], tmpfs=tmpfs)
        for number, name in enumerate(self.clients):
            leads_to = ADDRESS.format(SERVERS["server-2" if number else "server"])
            self._start(
                image, name, FIRST_CLIENT + number, ["/nfs/client.sh"], extra_hosts={AMBIGUOUS: leads_to},
                tmpfs={"/guest-memory": "exec,size=600m"}, devices=["/dev/net/tun"],
            )  # fmt: skip
        self.write_inventory()
        for name in self.clients:
            self.wait_for(name)

    def _start(self, image: str, name: str, number: int, command: list[str], **options: t.Any) -> None:
        volumes = ["{0}:/nfs:ro".format(FILES), "{0}.pub:/key.pub:ro".format(self._key)]
        self.join(image, name, number, command, volumes=volumes, **PRIVILEGES, **options)

    def join(self, image: str, name: str, number: int, command: list[str] | None = None, **options: t.Any) -> str:
        """Start a container in the network of the machines; its address. It goes with them."""
        address = ADDRESS.format(number)
        endpoint = self._engine.api.create_endpoint_config(ipv4_address=address)
        made = self._engine.containers.create(
            image, command, name=self._name(name), hostname=name, labels={LABEL: KIND}, network=NAME,
            networking_config={NAME: endpoint}, **options,
        )  # fmt: skip
        made.start()
        return address

    def unpack(self, image: str, client: str, directory: str) -> dict[str, str]:
        """Have the files of an image in a directory of a client; the variables that its containers get."""
        self.container(client).exec_run(["mkdir", "-p", directory])
        source = self._engine.containers.create(image, labels={LABEL: KIND})
        try:
            with tempfile.TemporaryFile() as archive:
                for piece in source.export():
                    archive.write(piece)
                archive.seek(0)
                self.container(client).put_archive(directory, archive)
        finally:
            source.remove()
        variables = self._engine.images.get(image).attrs["Config"]["Env"]
        return dict(variable.split("=", 1) for variable in variables)

    def remove(self) -> None:
        """The machines and their network. Before it has been made there is nothing of its own to remove."""
        if self._turn:
            with self._turn:
                self._remove_all()
            self._turn = None

    def _remove_all(self) -> None:
        for container in self._engine.containers.list(all=True, filters={"label": "{0}={1}".format(LABEL, KIND)}):
            container.remove(force=True, v=True)
        with contextlib.suppress(docker.errors.NotFound):
            self._engine.networks.get(NAME).remove()

    # --- its machines -------------------------------------------------------------------------------------------------

    @staticmethod
    def _name(machine: str) -> str:
        return "{0}-{1}".format(NAME, machine)

    def container(self, machine: str) -> Container:
        """The container of a machine; C(server) is one."""
        return self._engine.containers.get(self._name(machine))

    @property
    def server_address(self) -> str:
        """Where clients mount from."""
        return ADDRESS.format(SERVERS["server"])

    @property
    def other_address(self) -> str:
        """Of the second server."""
        return ADDRESS.format(SERVERS["server-2"])

    def address(self, client: str) -> str:
        """Of a client."""
        return ADDRESS.format(FIRST_CLIENT + self.clients.index(client))

    def write_inventory(self) -> None:
        """The clients, for Ansible."""
        common = {
            "ansible_user": "root",
            "ansible_ssh_private_key_file": str(self._key),
            "ansible_ssh_common_args": " ".join(SSH_OPTIONS),
            "ansible_python_interpreter": "/usr/bin/python3",
            "ansible_timeout": int(PATIENCE),
        }
        write_inventory(self.inventory, {name: {**common, "ansible_host": self.address(name)} for name in self.clients})

    def run(self, client: str, command: str, timeout: float = GUEST_PATIENCE) -> str:
        """Output of a command on a client; it must succeed."""
        done = self._ssh(client, command, timeout)
        if done.returncode != 0:
            raise RuntimeError("{0}: {1}\n{2}{3}".format(client, command, done.stdout, done.stderr))
        return done.stdout

    def _ssh(
        self, client: str, command: str, timeout: float, connect: float = PATIENCE
    ) -> subprocess.CompletedProcess[str]:
        """connect: for a connection; one that boots has lost the first of it, and nobody tries that again soon."""
        limits = ["-o", "ConnectTimeout={0:.0f}".format(connect), "-o", "BatchMode=yes"]
        arguments = ["ssh", "-i", str(self._key), *SSH_OPTIONS, *limits]
        whole = [*arguments, "root@" + self.address(client), command]
        try:
            return subprocess.run(
                whole, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout, check=False
            )
        except subprocess.TimeoutExpired as expired:
            raise RuntimeError("{0}\n{1}".format(expired, self.state_of(client))) from expired

    def state_of(self, client: str) -> str:
        """What a client does that gives no answer: how much it works, what its kernel waits for, what it says."""
        container = self.container(client)
        began, used = time.monotonic(), self._cpu_seconds(client)
        container.exec_run(["python3", "/nfs/console.py", "sysrq w", "sysrq m"])
        time.sleep(1)
        used, took = self._cpu_seconds(client) - used, time.monotonic() - began
        return "{0}: worked {1:.1f} of {2:.1f} s, with a load of this machine of {3[0]:.0f}\n{4}".format(
            client, used, took, os.getloadavg(), container.logs(tail=200).decode(errors="replace")
        )

    def _cpu_seconds(self, client: str) -> float:
        return self.container(client).stats(stream=False)["cpu_stats"]["cpu_usage"]["total_usage"] / 1e9

    def wait_for(self, client: str) -> None:
        """Until a client answers."""
        deadline = time.monotonic() + GUEST_PATIENCE
        while self._ssh(client, "true", GUEST_PATIENCE, connect=5).returncode != 0:
            if time.monotonic() > deadline:
                raise RuntimeError("{0} does not answer:\n{1}".format(client, self.state_of(client)))
            time.sleep(0.3)

    def reboot(self, client: str) -> None:
        """Without a warning, as when power fails."""
        self.container(client).kill()
        self.container(client).start()
        self.wait_for(client)

    # --- its server ---------------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def silent_server(self) -> t.Iterator[None]:
        """The server is there and answers nothing."""
        self.container("server").pause()
        try:
            yield
        finally:
            self.container("server").unpause()

    @contextlib.contextmanager
    def unreachable_server(self) -> t.Iterator[None]:
        """The server runs, and no way leads to it."""
        network = self._engine.networks.get(NAME)
        network.disconnect(self.container("server"))
        try:
            yield
        finally:
            network.connect(self.container("server"), ipv4_address=self.server_address)

    def rebuild_server(self) -> None:
        """All its exports are new file systems afterwards, and empty."""
        self.container("server").restart(timeout=0)

    def on_server(self, command: str, server: str = "server") -> str:
        """Output of a command on a server; it must succeed."""
        code, said = self.container(server).exec_run(["sh", "-c", command])
        if code != 0:
            raise RuntimeError("{0}: {1}\n{2}".format(server, command, said.decode(errors="replace")))
        return said.decode(errors="replace")
