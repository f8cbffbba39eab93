# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two machines with Debian 13, as containers in this machine's own network: one that runs Ansible, and a host for it.

The first has Python 3.13, which newer releases of ansible-core need, and the system packages that
meta/execution-environment.yml names; nothing else. The host has what README requires of hosts, and shares the engine of
this machine. Python packages are fetched outside: neither machine reaches an index.
"""

from __future__ import annotations

import contextlib
import getpass
import os
import shlex
import socket
import subprocess
import tempfile
import time
import typing as t
from pathlib import Path

import docker
import docker.errors
from ansible_collections.waent.fleet.tests.support import debian_image, machine_power
from ansible_collections.waent.fleet.tests.support.checkout import ROOT, load
from ansible_collections.waent.fleet.tests.support.this_machine import PATIENCE

SUITE, PYTHON = "trixie", "3.13"
LABEL = debian_image.LABEL
HOST_PACKAGES = ("docker-cli", "openssh-server", "python3", "python3-requests")
SOCKET = "/var/run/docker.sock"
PLATFORMS = [f"manylinux{name}_x86_64" for name in ("1", "2014", "_2_5", "_2_17", "_2_28", "_2_34")]


def system_packages() -> tuple[str, ...]:
    """What meta/execution-environment.yml asks of a Debian machine."""
    named = load(ROOT / "meta" / "execution-environment.yml")["dependencies"]["system"]
    entries = [line.partition("#")[0].split(maxsplit=1) for line in (ROOT / named).read_text().splitlines()]
    return tuple(entry[0] for entry in entries if entry and "platform:rpm" not in "".join(entry[1:]))


def image_of(packages: t.Sequence[str]) -> str:
    """Name of an image that holds these packages of Debian 13; made where it is missing."""
    return debian_image.image_of("debian13", SUITE, packages)


# --- the machine that runs Ansible ------------------------------------------------------------------------------------


def fetch_wheels(requirements: Path, directory: Path) -> None:
    """Everything a lock file names, for the Python of the machine that runs Ansible."""
    command = ["python3", "-m", "pip", "--disable-pip-version-check", "download", "--quiet", "--no-deps"]
    command += ["--only-binary=:all:", "--implementation=cp", "--python-version=" + PYTHON]
    command += ["--platform=" + platform for platform in PLATFORMS]
    subprocess.run([*command, "--dest", str(directory), "-r", str(requirements)], check=True)


def controller_command(home: Path | None = None, *mounts: Path) -> list[str]:
    """Beginning of a command for that machine: options of its own may follow, then C(controller_image()).

    Without C(home) it sees the checkout and the directory for temporary files, and has a home that is gone afterwards;
    with one it sees that and C(mounts), and nothing of the checkout.
    """
    command = ["docker", "run", "--rm", "--init", "--network=host", "--label=" + LABEL + "=debian13"]
    command += ["--user={0}:{1}".format(os.getuid(), os.getgid()), "--env=USER=" + getpass.getuser()]
    command += ["--volume=/etc/passwd:/etc/passwd:ro", "--volume=/etc/group:/etc/group:ro"]
    command += ["--env=LC_ALL=C.UTF-8", "--env=ANSIBLE_NOCOLOR=1"]
    if home is None:
        seen = (ROOT, Path(tempfile.gettempdir()), *mounts)
        command += ["--tmpfs=/home/ansible:mode=1777,exec", "--env=HOME=/home/ansible"]
    else:
        seen = (home, *mounts)
        command += ["--env=HOME={0}".format(home)]
    return [*command, *("--volume={0}:{0}".format(path) for path in seen)]


def controller_image() -> str:
    """Its image."""
    return image_of(("python3", "python3-venv", *system_packages()))


def make_environment(directory: Path, wheels: Path, *packages: str, home: Path | None = None) -> None:
    """A virtual environment of that machine with these packages (arguments of pip install), out of the wheels alone."""
    pip = [str(directory / "bin" / "python"), "-m", "pip", "--disable-pip-version-check"]
    install = [*pip, "install", "--quiet", "--no-compile", "--no-index", "--find-links", str(wheels), *packages]
    steps = [["python3", "-m", "venv", str(directory)], install, [*pip, "check"]]
    script = " && ".join(shlex.join(step) for step in steps)
    command = [*controller_command(home, directory.parent, wheels), controller_image(), "sh", "-c", script]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


PROGRAM = """#!/bin/sh
# Runs a program on the machine with Debian 13, in the same directory and with the same variables of Ansible.
set -- {image} {program} "$@"
for name in $(env | sed -n 's/^\\(ANSIBLE_[A-Z0-9_]*\\)=.*/\\1/p'); do
  set -- --env "$name" "$@"
done
exec {command} --workdir "$PWD" "$@"
"""


def write_programs(directory: Path, environment: Path, *mounts: Path) -> None:
    """Programs of an environment of that machine that this one can run by their names."""
    directory.mkdir(exist_ok=True)
    for name in ("ansible-playbook", "ansible-doc"):
        text = PROGRAM.format(
            image=controller_image(),
            program=shlex.quote(str(environment / "bin" / name)),
            command=shlex.join(controller_command(None, *mounts)),
        )
        path = directory / name
        path.write_text(text)
        path.chmod(0o755)


# --- the host ---------------------------------------------------------------------------------------------------------


class Host:
    """The host, reached over SSH as root. directory: for its key; seen by the machine that runs Ansible."""

    def __init__(self, directory: Path) -> None:
        self._engine = docker.from_env(timeout=120)
        self._key = directory / "key"
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(self._key)], check=True)
        with socket.create_server(("127.0.0.1", 0)) as free:
            self._port = free.getsockname()[1]
        serve = "/usr/sbin/sshd -D -e -o ListenAddress=127.0.0.1:{0} -o StrictModes=no -o AuthorizedKeysFile=/key.pub"
        stores = self._engine.info()["DockerRootDir"]
        self._container = self._engine.containers.run(
            image_of(HOST_PACKAGES), ["sh", "-c", "mkdir -p /run/sshd && exec " + serve.format(self._port)],
            detach=True, network_mode="host", labels={LABEL: "debian13"},
            volumes=[
                "{0}:{0}".format(SOCKET),
                # Whether a store can be written is tried there, in files without a name.
                "{0}/volumes:{0}/volumes".format(stores),
                "{0}.pub:/key.pub:ro".format(self._key),
            ],
        )  # fmt: skip
        self._wait()

    def _wait(self) -> None:
        deadline = time.monotonic() + PATIENCE
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self._port), timeout=5):
                return
            if time.monotonic() > deadline:
                raise RuntimeError("no SSH server came up: " + self._container.logs().decode(errors="replace"))
            time.sleep(0.2)

    def variables(self) -> dict[str, t.Any]:
        """How it is reached, for an inventory."""
        return {
            "ansible_connection": "ssh",
            "ansible_host": "127.0.0.1",
            "ansible_port": self._port,
            "ansible_user": "root",
            "ansible_ssh_private_key_file": str(self._key),
            "ansible_ssh_common_args": "-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null",
            "ansible_python_interpreter": "/usr/bin/python3",
        }

    def write(self, path: str, program: str) -> None:
        """A program there."""
        words = ["sh", "-c", 'printf %s "$1" >"$2" && chmod 755 "$2"', "sh", program, path]
        code, said = self._container.exec_run(words)
        assert code == 0, said

    def has(self, path: str) -> bool:
        """Whether there is such a file."""
        return bool(self._container.exec_run(["test", "-e", path]).exit_code == 0)

    @contextlib.contextmanager
    def frozen(self) -> t.Iterator[None]:
        """It takes what is sent, as its kernel does, and answers nothing: all on it has stopped."""
        with machine_power.frozen([self._container]):
            yield

    def remove(self) -> None:
        """The container and its anonymous volumes; nothing where it is gone."""
        with contextlib.suppress(docker.errors.NotFound):
            self._container.remove(force=True, v=True)
