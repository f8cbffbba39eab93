# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets stay where they belong, also when everything is shown and when things go wrong.

One rollout on a real host with C(-vvv --diff), then failures on purpose. Every secret is a value of its own that is
found nowhere by chance. Searched: what the user sees, the arguments of all processes on both sides, temporary files,
log and fact cache.
"""

from __future__ import annotations

import base64
import subprocess
import threading
import typing as t
from pathlib import Path

import pytest
from ansible_collections.waent.fleet.tests.support import valid_variables
from ansible_collections.waent.fleet.tests.support.container_hosts import DATABASE_IMAGE, ContainerHosts
from ansible_collections.waent.fleet.tests.support.playbook_runs import FAILED, OK, Run

LOUD = ("-vvv", "--diff")
SAMPLES = "/dev/shm/arguments-seen"
WRONG_PASSWORD = "Canary-wrong-4Gt8Zy"


def forms(secrets: t.Mapping[str, str]) -> dict[str, str]:
    """Each secret, and the form in which a login sends the password."""
    basic = base64.b64encode("admin:{0}".format(secrets["wa_admin_password"]).encode()).decode()
    return {**secrets, "wa_admin_password (Basic)": basic}


def found_in(text: str, secrets: t.Mapping[str, str] = valid_variables.SECRETS) -> set[str]:
    """Names of the secrets that can be read in the text."""
    # Six digits are found by chance in any long output; the pin counts only as a word of its own.
    words = set(text.replace('"', " ").replace("'", " ").replace(",", " ").split())
    return {name for name, value in forms(secrets).items() if (value in words if name == "wa_pin" else value in text)}


class ProcessSampler:
    """Notes the arguments of all processes on the controller while it is open."""

    def __init__(self) -> None:
        self.seen: set[str] = set()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._sample)

    def __enter__(self) -> ProcessSampler:
        self._thread.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self._over.set()
        self._thread.join()

    def _sample(self) -> None:
        while not self._over.wait(0.1):
            done = subprocess.run(["ps", "-ww", "-e", "-o", "args"], capture_output=True, text=True, check=True)
            self.seen.update(done.stdout.splitlines())


class Rollout(t.NamedTuple):
    """What was seen of the loud rollout."""

    run: Run
    arguments_here: str
    arguments_there: str
    files_here: dict[Path, str]


@pytest.fixture(scope="module")
def variables() -> dict[str, t.Any]:
    """A cluster with a database of its own, ten times faster than the product."""
    return valid_variables.but(
        wa_database_image=DATABASE_IMAGE,
        wa_db_check_host="{{ ansible_host }}",
        wa_address="{{ ansible_host }}",
        wa_extra_environment={"WAEMU_TIME_DIVISOR": "10"},
    )


@pytest.fixture(scope="module")
def rollout(
    fleet: ContainerHosts, variables: dict[str, t.Any], tmp_path_factory: pytest.TempPathFactory
) -> t.Iterator[Rollout]:
    """Install on host one, with everything shown and everything kept that Ansible can keep."""
    home = tmp_path_factory.mktemp("controller")
    fleet.write_hosts({"one": {}}, wa_database_hosts=["one"])
    sample = "while sleep 0.1; do ps -ww -e -o args; done >{0}".format(SAMPLES)
    start = "start-stop-daemon --start --background --make-pidfile --pidfile /run/sampler.pid --exec /bin/sh -- -c %s"
    fleet.run("one", start, sample)
    with ProcessSampler() as sampler:
        run = fleet.site(
            variables,
            *LOUD,
            ANSIBLE_LOCAL_TEMP=str(home / "temporary"),
            ANSIBLE_CACHE_PLUGIN="ansible.builtin.jsonfile",
            ANSIBLE_CACHE_PLUGIN_CONNECTION=str(home / "facts"),
            ANSIBLE_LOG_PATH=str(home / "ansible.log"),
        )
    fleet.run("one", "start-stop-daemon --stop --pidfile /run/sampler.pid")
    there = fleet.run("one", "cat {0}".format(SAMPLES))
    fleet.run("one", "rm {0}".format(SAMPLES))
    files = {path: path.read_text(errors="replace") for path in home.rglob("*") if path.is_file()}
    assert run.code == OK, run.output
    yield Rollout(run, "\n".join(sampler.seen), there, files)
    ids = fleet.run("one", "docker ps --all --quiet --filter label=waent.fleet.cluster=waent").split()
    fleet.run("one", "docker rm --force --volumes " + " ".join(ids))
    fleet.run("one", "docker network rm waent && docker volume rm waentDatabase whatsappMedia")


def test_a_loud_rollout_shows_no_secret(rollout: Rollout) -> None:
    assert "TASK [" in rollout.run.output
    assert found_in(rollout.run.output) == set()


def test_no_process_of_the_controller_has_a_secret_in_its_arguments(rollout: Rollout) -> None:
    assert "ansible-playbook playbooks/site.yml" in rollout.arguments_here
    assert found_in(rollout.arguments_here) == set()


def test_no_process_of_the_host_has_a_secret_in_its_arguments(rollout: Rollout) -> None:
    assert "python3 -m waemu." in rollout.arguments_there, "no container was seen to start"
    assert found_in(rollout.arguments_there) == set()


def test_nothing_that_ansible_keeps_on_the_controller_has_a_secret(rollout: Rollout) -> None:
    assert any(path.name == "ansible.log" for path in rollout.files_here)
    assert {str(path): found_in(text) for path, text in rollout.files_here.items() if found_in(text)} == {}


def test_no_file_that_is_left_on_the_host_has_a_secret(fleet: ContainerHosts, rollout: Rollout) -> None:
    everything = fleet.run(
        "one",
        "find /tmp /var/tmp /home /root /var/log -type f -size -2048k -print0 | xargs -0 --no-run-if-empty cat",
    )
    assert found_in(everything) == set()


def test_a_second_rollout_changes_nothing(fleet: ContainerHosts, rollout: Rollout, variables: dict[str, t.Any]) -> None:
    before = fleet.state("one")
    run = fleet.site(variables, *LOUD)
    assert run.code == OK, run.output
    assert all(host["changed"] == 0 for host in run.recap.values()), run.recap
    assert fleet.state("one") == before
    assert found_in(run.output) == set()


def test_a_refused_password_is_not_shown(fleet: ContainerHosts, rollout: Rollout, variables: dict[str, t.Any]) -> None:
    wrong = {**variables, "wa_admin_password": WRONG_PASSWORD}
    run = fleet.site(wrong, *LOUD)
    assert run.code == FAILED, run.output
    # The task's output is hidden; why it failed is not.
    assert "[API_AUTH] " in run.output, run.output
    assert found_in(run.output, {**valid_variables.SECRETS, "wa_admin_password": WRONG_PASSWORD}) == set()
    assert found_in(run.output) == set()


def test_a_container_that_cannot_start_does_not_show_its_environment(
    fleet: ContainerHosts, rollout: Rollout, variables: dict[str, t.Any]
) -> None:
    """The host has no such address, so its engine cannot publish a port there."""
    run = fleet.site({**variables, "wa_publish_address": "192.0.2.77"}, *LOUD)
    assert run.code == FAILED, run.output
    assert "[NODE_NOT_STARTED] " in run.output and "192.0.2.77" in run.output, run.output
    assert found_in(run.output) == set()
