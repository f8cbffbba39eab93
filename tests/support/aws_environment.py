# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An environment in the stand-in for AWS, and how its user runs the playbooks; its hosts are made up."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
import typing as t
from pathlib import Path

from ansible_collections.waent.fleet.tests.support.aws import Aws
from ansible_collections.waent.fleet.tests.support.checkout import ROOT
from ansible_collections.waent.fleet.tests.support.playbook_runs import Run, environment
from ansible_collections.waent.fleet.tests.support.this_machine import PATIENCE

NAMES = ["waent-production-network", "waent-production-db", "waent-production-enterprise"]

#: Both hooks as reshard.yml runs them, with what the cluster does between them left out.
HOOK = """
- name: Run one hook
  hosts: "{{ groups['wa_cluster'] | first }}"
  gather_facts: false
  tasks:
    - name: As if the hosts that go had been read, and were empty
      ansible.builtin.add_host:
        name: "{{ item }}"
        groups: [wa_hosts_leaving]
        __wa_leaving:
          host: {name: "{{ item }}", engine: {state: answers, empty: true}, containers: "{{ test_containers }}"}
      loop: "{{ test_empty }}"

    - name: Run it
      ansible.builtin.include_role:
        name: waent.fleet.rollout
        tasks_from: hook

    - name: Show what it says of hosts
      ansible.builtin.debug:
        msg: >-
          leaving {{ groups['wa_hosts_leaving'] | default([]) | join(' ') }};
          added {{ groups['wa_hosts_added'] | default([]) | join(' ') }}
"""


def unfolded(run: Run) -> str:
    """What it wrote, without the ends of lines that Ansible makes in long texts."""
    return " ".join(run.output.split())


@contextlib.contextmanager
def account(directory: Path) -> t.Iterator[Environment]:
    """An account in which nothing is made, and its user. directory: for files of hers."""
    aws = Aws(directory)
    try:
        yield Environment(aws, directory)
    finally:
        aws.stop()


class Environment:
    """An environment on AWS, and its user. directory: for files of hers."""

    def __init__(self, aws: Aws, directory: Path) -> None:
        self.aws = aws
        self.directory = directory
        self.image = aws.image()
        directory.joinpath("hook.yml").write_text(HOOK)

    def arguments(self, *more: str) -> list[str]:
        """What stands on each of her commands. The hosts are made up, so they are this machine where they are tried."""
        given = [f"wa_aws_image={self.image}", "confirm=yes", "ansible_connection=local", "ansible_become=false"]
        given.append(f"ansible_python_interpreter={sys.executable}")
        return ["-i", "inventories/aws", *(word for one in given for word in ("-e", one)), *more]

    def play(self, playbook: str, *more: str) -> Run:
        """One run; with a new record."""
        self.aws.forget_calls()
        return self.aws.play(playbook, *self.arguments(*more))

    def killed(self, playbook: str, change: tuple[str, str], *more: str) -> None:
        """Run a playbook until AWS is asked for a change of a stack, and SIGKILL its process group then."""
        self.aws.forget_calls()
        process = subprocess.Popen(
            ["ansible-playbook", playbook, *self.arguments(*more)],
            cwd=ROOT,
            env=environment(**self.aws.environment()),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        deadline = time.monotonic() + PATIENCE
        while change not in self.aws.changes() and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.2)
        assert process.poll() is None, "it was over before"
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        assert change in self.aws.changes()

    def hook(
        self, side: str, shards: int, empty: t.Sequence[str] = (), containers: str = "[]", more: t.Sequence[str] = ()
    ) -> Run:
        """One side of a reshard. more: further arguments of the command."""
        lists = f'{{"test_empty": {list(empty)}, "test_containers": {containers}}}'.replace("'", '"')
        given = (f"shards={shards}", f"_wa_hook=wa_reshard_{side}", lists)
        return self.play(str(self.directory / "hook.yml"), *(word for one in given for word in ("-e", one)), *more)

    def shards(self) -> str | None:
        """What the stacks were made for."""
        return self.aws.outputs(NAMES[2]).get("Shards")
