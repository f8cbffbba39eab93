# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run playbooks as a user does, in a process of their own, and read what she would read."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import tempfile
import threading
import time
import typing as t
from dataclasses import dataclass
from pathlib import Path

import yaml
from ansible_collections.waent.fleet.tests.support.checkout import ROOT, TOOLS
from ansible_collections.waent.fleet.tests.support.this_machine import RUN_PATIENCE

PROBLEM = re.compile(r"^\s*\[([A-Z][A-Z0-9_]+)\] (.*\S)\s*$", re.MULTILINE)
WARNING = re.compile(r"^\s*Warning: \[([A-Z][A-Z0-9_]+)\] ", re.MULTILINE)

# What ansible-playbook ends with.
OK, FAILED = 0, 2


@dataclass(frozen=True)
class Run:
    """What a playbook run left behind. output: standard output and error as the user sees them, together."""

    code: int
    output: str
    seconds: float

    @property
    def text(self) -> str:
        """The output as one line: Ansible folds long sentences."""
        return " ".join(self.output.split())

    @property
    def problems(self) -> list[tuple[str, str]]:
        """Code and sentence of every problem in the output, in order, each once: Ansible prints a message twice."""
        return list(dict.fromkeys((code, text) for code, text in PROBLEM.findall(self.output)))

    @property
    def codes(self) -> list[str]:
        """The codes alone, in order, with one entry for each different sentence."""
        return [code for code, _text in self.problems]

    @property
    def warnings(self) -> list[str]:
        """Codes of what is only warned of, in order, each once."""
        return list(dict.fromkeys(WARNING.findall(self.output)))

    def sentences(self, code: str) -> list[str]:
        """The sentences of one code."""
        return [text for found, text in self.problems if found == code]

    @property
    def sessions(self) -> int:
        """How often it kept a session that began elsewhere than on the host that keeps it.

        One session for all begins on that host, or is the first that another one has; every further one is kept again.
        """
        kept = r"^TASK \[waent\.fleet\.cluster : Login \| Keep the session .*\*\n+ok: "
        return len(re.findall(kept, self.output, re.MULTILINE))

    @property
    def recap(self) -> dict[str, dict[str, int]]:
        """The numbers of the recap by host: C({"one": {"ok": 3, "changed": 0, ...}})."""
        found = {}
        for line in self.output.rpartition("PLAY RECAP")[2].splitlines():
            name, colon, numbers = line.partition(" : ")
            if colon:
                found[name.strip()] = {key: int(value) for key, value in re.findall(r"(\w+)=(\d+)", numbers)}
        return found

    @property
    def changes(self) -> dict[str, int]:
        """How many tasks changed something, by host; the controller, where every playbook begins, is one of them."""
        return {name: numbers["changed"] for name, numbers in self.recap.items()}


def environment(**extra: str) -> dict[str, str]:
    """The user's environment in the checkout, with the programs of this Python's environment first."""
    path = os.pathsep.join([str(TOOLS), os.environ.get("PATH", os.defpath)])
    return {**os.environ, "PATH": path, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "ANSIBLE_NOCOLOR": "1", **extra}


def play(playbook: str, *arguments: str, **extra: str) -> Run:
    """Run a playbook of the checkout to its end. extra: environment variables."""
    return _run([playbook, *arguments], ROOT, environment(**extra))


def play_installed(playbook: str, directory: Path, *arguments: str, **extra: str) -> Run:
    """Run a playbook of the collection as somebody who has installed it: no checkout, and no ansible.cfg of ours.

    directory: an empty one, from which it is run. Connections that other runs have left open are not used.
    """
    variables = {**environment(), "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".collections"), **extra}
    del variables["ANSIBLE_CONFIG"]
    # The path of a socket may have some hundred characters, fewer than a test's directory.
    with tempfile.TemporaryDirectory() as sockets:
        own = {**variables, "ANSIBLE_SSH_CONTROL_PATH_DIR": sockets}
        return _run(["waent.fleet." + playbook, *arguments], directory, own)


def _run(arguments: list[str], directory: Path, variables: t.Mapping[str, str]) -> Run:
    started = time.monotonic()
    done = subprocess.run(
        ["ansible-playbook", *arguments],
        cwd=directory,
        env=variables,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=RUN_PATIENCE,
        check=False,
    )
    return Run(done.returncode, done.stdout, time.monotonic() - started)


def write_variables(path: Path, variables: t.Mapping[str, t.Any]) -> str:
    """The argument that hands variables over without showing them: C(@file), readable by its owner only."""
    path.touch(mode=0o600)
    path.write_text(json.dumps(variables))
    return "@{0}".format(path)


def write_inventory(path: Path, hosts: t.Mapping[str, t.Mapping[str, t.Any]], **groups: t.Sequence[str]) -> str:
    """An inventory in which the hosts may run everything; groups adds to that or, by name, replaces it."""
    kinds = ("wa_webapp_hosts", "wa_master_hosts", "wa_coreapp_hosts")
    members: dict[str, t.Sequence[str]] = {kind: list(hosts) for kind in kinds}
    members.update(groups)
    children: dict[str, t.Any] = {name: {"hosts": dict.fromkeys(names)} for name, names in members.items()}
    children["wa_cluster"] = {"children": dict.fromkeys(kinds)}
    path.write_text(
        yaml.safe_dump({"all": {"hosts": {name: dict(hosts[name]) for name in hosts}, "children": children}})
    )
    return str(path)


class Doorbell:
    """A port that only notes who calls: as the SSH port of a host it shows whether that host was contacted."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self.calls = 0
        self._thread = threading.Thread(target=self._answer, daemon=True)
        self._thread.start()

    def _answer(self) -> None:
        while True:
            try:
                caller, _address = self._socket.accept()
            except OSError:  # closed
                return
            self.calls += 1
            caller.close()

    def close(self) -> None:
        """Stop listening."""
        # close() alone does not wake a thread that is in accept().
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(timeout=5)
