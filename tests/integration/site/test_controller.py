# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""On a controller without sudo: whatever is set for hosts, the controller's own tasks stay those of its user.

The sudo here is a trip wire that notes who called and fails. Ansible asks it for a user who is root already, too, so
that the tests show the same whoever runs them.
"""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
import yaml
from ansible_collections.waent.fleet.tests.support import valid_variables
from ansible_collections.waent.fleet.tests.support.playbook_runs import (
    FAILED,
    ROOT,
    Run,
    environment,
    play,
    write_inventory,
    write_variables,
)

HOST = {"wa_address": "one.example.com", "wa_api_address": "127.0.0.1"}
#: Nobody listens here: each host, its database and its API are looked for, and not found.
CLOSED = {"ansible_host": "127.0.0.1", "ansible_port": 9}
VARIABLES = valid_variables.but(wa_db_check_host="127.0.0.1", wa_db_port=9, wa_webapp_port=9)
NOWHERE = "/no/such/python3"


class Form(t.NamedTuple):
    """One way of setting things for hosts: arguments, lines for ansible.cfg, variables of all and of the host."""

    arguments: t.Sequence[str] = ()
    configuration: str = ""
    all: t.Mapping[str, t.Any] = {}
    host: t.Mapping[str, t.Any] = {}
    localhost: t.Mapping[str, t.Any] | None = None


FORMS = {
    "-b": Form(arguments=("-b",)),
    "ansible.cfg": Form(configuration="\n[privilege_escalation]\nbecome = true\n"),
    "group all": Form(
        all={
            **CLOSED,
            "ansible_become": True,
            "ansible_connection": "ssh",
            "ansible_user": "deploy",
            "ansible_ssh_common_args": "-o Port=9",
            "ansible_python_interpreter": NOWHERE,
            "ansible_remote_tmp": "/proc/nowhere",
        }
    ),
    # These win over every variable that a task can set.
    "extra variables": Form(
        arguments=("-e", "ansible_become=true ansible_connection=ssh ansible_python_interpreter=" + NOWHERE)
    ),
    "localhost is in the inventory": Form(
        arguments=("-b",), localhost={**CLOSED, "ansible_connection": "ssh", "ansible_python_interpreter": NOWHERE}
    ),
}
#: status.yml speaks to the API too, and waits for it.
FORMS_OF_STATUS = ("group all", "extra variables")


class Controller:
    """A directory with an inventory, an ansible.cfg and a sudo that notes its calls."""

    def __init__(self, directory: Path, form: Form) -> None:
        self.directory, self.form = directory, form
        self.calls = directory / "calls"
        tools = directory / "tools"
        tools.mkdir()
        (tools / "sudo").write_text(
            "#!/bin/sh\necho \"$@\" >>'{0}'\necho 'sudo: not found' >&2\nexit 127\n".format(self.calls)
        )
        (tools / "sudo").chmod(0o755)
        self.inventory = directory / "hosts.yml"
        write_inventory(self.inventory, {"one": {**CLOSED, **HOST, **form.host}})
        self.add_to_inventory()
        configuration = (ROOT / "ansible.cfg").read_text()
        for name in ("collections_path = ", "inventory = "):
            configuration = configuration.replace("\n" + name, "\n{0}{1}/".format(name, ROOT))
        (directory / "ansible.cfg").write_text(configuration + form.configuration)
        self.environment = {
            "PATH": "{0}:{1}".format(tools, environment()["PATH"]),
            "ANSIBLE_CONFIG": str(directory / "ansible.cfg"),
            "ANSIBLE_BECOME_ALLOW_SAME_USER": "true",
        }

    def add_to_inventory(self) -> None:
        """Variables of all hosts, and localhost where it is one of them."""
        written = yaml.safe_load(self.inventory.read_text())
        written["all"]["vars"] = dict(self.form.all)
        if self.form.localhost is not None:
            written["all"]["hosts"]["localhost"] = dict(self.form.localhost)
        self.inventory.write_text(yaml.safe_dump(written))

    def play(self, playbook: str, variables: t.Mapping[str, t.Any]) -> Run:
        """Run a playbook with these variables."""
        given = write_variables(self.directory / "variables.json", variables)
        return play(playbook, "-i", str(self.inventory), "-e", given, *self.form.arguments, **self.environment)

    def asked_sudo(self) -> list[str]:
        """The calls of sudo, one line each."""
        return self.calls.read_text().splitlines() if self.calls.exists() else []


def assert_only_the_hosts_are_missing(run: Run, controller: Controller, *codes: str) -> None:
    """It ended because nobody listens, and for no other reason."""
    assert run.code == FAILED, run.output
    assert set(run.codes) == set(codes), run.output
    assert controller.asked_sudo() == []
    assert NOWHERE not in run.output and "sudo" not in run.output, run.output


@pytest.mark.parametrize("form", FORMS)
def test_site_ends_where_the_hosts_cannot_be_read(tmp_path: Path, form: str) -> None:
    controller = Controller(tmp_path, FORMS[form])
    run = controller.play("playbooks/site.yml", VARIABLES)
    assert_only_the_hosts_are_missing(run, controller, "HOST_NOT_READ", "DB_UNREACHABLE")


@pytest.mark.parametrize("form", FORMS_OF_STATUS)
def test_status_ends_where_nobody_answers(tmp_path: Path, form: str) -> None:
    controller = Controller(tmp_path, FORMS[form])
    run = controller.play("playbooks/status.yml", VARIABLES)
    assert_only_the_hosts_are_missing(run, controller, "HOST_NOT_READ", "DB_UNREACHABLE", "API_UNREACHABLE")


@pytest.mark.parametrize("form", [FORMS["-b"], FORMS["ansible.cfg"], Form(arguments=("-e", "ansible_become=true"))])
def test_the_trip_wire_is_one(tmp_path: Path, form: Form) -> None:
    """What is not protected asks for sudo; else the tests above would show nothing."""
    controller = Controller(tmp_path, form)
    task = {
        "ansible.builtin.command": {"cmd": "true"},
        "delegate_to": "localhost",
        "vars": {"ansible_connection": "local"},
    }
    book = tmp_path / "plain.yml"
    book.write_text(yaml.safe_dump([{"hosts": "one", "gather_facts": False, "tasks": [task]}]))
    assert controller.play(str(book), {}).code == FAILED
    assert controller.asked_sudo()
