# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host whose first process is systemd, for what only that does: timers, credentials, users that exist for one run."""

from __future__ import annotations

import subprocess
import time
import typing as t

import docker
from ansible_collections.waent.fleet.tests.support.debian_image import image_of
from ansible_collections.waent.fleet.tests.support.this_machine import PATIENCE

PACKAGES = ("systemd", "python3", "openssl", "ca-certificates")


class SystemdHost:
    """A container on this machine's engine; Ansible reaches it with docker exec, as root."""

    def __init__(self, name: str, suite: str = "bookworm") -> None:
        self.name, self.suite = name, suite
        self.engine = docker.from_env(timeout=120)

    def __enter__(self) -> SystemdHost:
        image = image_of("systemd", self.suite, PACKAGES)
        # Credentials are mounted where others see them, and what an engine gives a container is private.
        shared = "mount --make-rshared / && exec /lib/systemd/systemd"
        self.container = self.engine.containers.run(
            image, ["sh", "-c", shared], name=self.name, detach=True, tty=True, cap_add=["ALL"],
            cap_drop=["SYS_RESOURCE"], security_opt=["seccomp=unconfined", "apparmor=unconfined"], cgroupns="host",
            volumes={"/sys/fs/cgroup": {"bind": "/sys/fs/cgroup", "mode": "rw"}}, tmpfs={"/run": "", "/run/lock": ""},
            environment={"container": "docker"},
        )  # fmt: skip
        try:
            self.wait()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_error: object) -> None:
        self.container.remove(force=True, v=True)

    def wait(self) -> None:
        """Until it has started."""
        deadline = time.monotonic() + PATIENCE
        while self.run("systemctl", "is-system-running").stdout.strip() not in ("running", "degraded"):
            if time.monotonic() > deadline:
                raise RuntimeError("systemd did not start: " + self.container.logs().decode(errors="replace")[-2000:])
            time.sleep(0.5)

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """A command on it, as root."""
        return subprocess.run(["docker", "exec", self.name, *words], capture_output=True, text=True, check=False)

    def variables(self) -> dict[str, t.Any]:
        """Of the host in an inventory."""
        return {
            "ansible_connection": "community.docker.docker",
            "ansible_host": self.name,
            # Who is root already needs no sudo, which is not there.
            "ansible_user": "root",
            "ansible_python_interpreter": "/usr/bin/python3",
        }
