# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""No playbook hangs behind a silent host for whoever has installed the collection and has no ansible.cfg of ours."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
import typing as t
from pathlib import Path

import pytest
from ansible_collections.waent.fleet.plugins.lookup.ssh_extra_args import NOTICES_SILENCE
from ansible_collections.waent.fleet.tests.integration.site.test_invocation import GIVEN, PUBLIC
from ansible_collections.waent.fleet.tests.support import debian13, valid_variables
from ansible_collections.waent.fleet.tests.support.playbook_runs import (
    FAILED,
    OK,
    Run,
    play_installed,
    write_inventory,
    write_variables,
)
from ansible_collections.waent.fleet.tests.support.sample import sampled
from ansible_collections.waent.fleet.tests.support.this_machine import PATIENCE

FROZEN_SECONDS = 60
"""More than this a host that freezes does not cost; a lost question waits for 15 s, and a hung run for ever."""

NOBODY = valid_variables.but(wa_db_check_host="", wa_webapp_port=9, wa_health_timeout_seconds=1)
BEFORE_HOSTS = {"restore"}
"""Ends over an argument of its own before it connects."""

SSH = """#!/bin/sh
echo "$*" >>'{0}'
echo 'ssh: connect to host one port 22: No route to host' >&2
exit 255
"""


@pytest.fixture
def calls(tmp_path: Path) -> t.Callable[..., list[str]]:
    """What a playbook calls ssh with: it is one that reaches nobody."""
    fake, log = tmp_path / "ssh", tmp_path / "calls"
    fake.write_text(SSH.format(log))
    fake.chmod(0o755)

    def work(playbook: str, *arguments: str, host: t.Mapping[str, t.Any] = {}, **extra: str) -> list[str]:
        hosts = {name: {"wa_address": name + ".example.com", **host} for name in ("one", "two")}
        inventory = write_inventory(tmp_path / "hosts.yml", hosts)
        given = ("-e", write_variables(tmp_path / "variables.json", NOBODY), *GIVEN.get(playbook, ()), *arguments)
        run = play_installed(playbook, tmp_path, "-i", inventory, *given, ANSIBLE_SSH_EXECUTABLE=str(fake), **extra)
        assert run.code != OK and "Traceback" not in run.output, run.output
        return log.read_text().splitlines() if log.exists() else []

    return work


# What all of them connect with is read by test_connections.py.
@pytest.mark.parametrize(
    "playbook", sampled([name for name in PUBLIC if name not in BEFORE_HOSTS], ["site", "status", "engine"])
)
def test_every_connection_notices_silence(calls: t.Callable[..., list[str]], playbook: str) -> None:
    made = calls(playbook)
    assert made and [call for call in made if NOTICES_SILENCE not in call] == []


def test_nodes_that_compose_has_started_are_read_in_the_same_way(tmp_path: Path) -> None:
    """The role that reads them has no defaults of ours."""
    fake, log = tmp_path / "ssh", tmp_path / "calls"
    fake.write_text(SSH.format(log))
    fake.chmod(0o755)
    (tmp_path / "hosts.yml").write_text("wa_adopt_hosts: {hosts: {one: {ansible_host: one.example.com}}}\n")
    given = ("-i", str(tmp_path / "hosts.yml"), "-e", "into={0}".format(tmp_path / "mine"))
    run = play_installed("adopt", tmp_path, *given, ANSIBLE_SSH_EXECUTABLE=str(fake))
    assert run.codes == ["HOST_NOT_READ"], run.output
    assert all(NOTICES_SILENCE in call for call in log.read_text().splitlines())


OWN = "-o ServerAliveInterval=77"
WAYS: dict[str, tuple[tuple[str, ...], dict[str, str], dict[str, str]]] = {
    "command line": (("--ssh-extra-args", OWN), {}, {}),
    "common, on the command line": (("--ssh-common-args", OWN), {}, {}),
    "environment": ((), {}, {"ANSIBLE_SSH_EXTRA_ARGS": OWN}),
    "all arguments, in the environment": ((), {}, {"ANSIBLE_SSH_ARGS": OWN}),
    "inventory": ((), {"ansible_ssh_extra_args": OWN}, {}),
    "common, in the inventory": ((), {"ansible_ssh_common_args": OWN}, {}),
}


@pytest.mark.parametrize("way", WAYS)
def test_what_somebody_has_set_stays(calls: t.Callable[..., list[str]], way: str) -> None:
    """Of an option that is there twice ssh takes the first."""
    arguments, host, variables = WAYS[way]
    made = calls("status", *arguments, host=host, **variables)
    for call in made:
        before, own, _after = call.partition(OWN)
        assert own and "ServerAlive" not in before
    assert made


@contextlib.contextmanager
def silent() -> t.Iterator[int]:
    """A port that takes connections, as a kernel does, and never answers: its number."""
    held = []
    with socket.create_server(("127.0.0.1", 0), backlog=100) as listening:

        def hold() -> None:
            with contextlib.suppress(OSError):
                while True:
                    held.append(listening.accept()[0])

        thread = threading.Thread(target=hold, daemon=True)
        thread.start()
        try:
            yield listening.getsockname()[1]
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            for one in held:
                one.close()


@pytest.mark.parametrize("playbook", sampled(["site", "status", "uninstall"], ["status"]))
def test_a_host_that_was_frozen_before_is_named(tmp_path: Path, playbook: str) -> None:
    with silent() as port:
        reached = {"ansible_host": "127.0.0.1", "ansible_port": port, "wa_address": "one.example.com"}
        inventory = write_inventory(tmp_path / "hosts.yml", {"one": reached})
        given = ("-e", write_variables(tmp_path / "variables.json", NOBODY), *GIVEN.get(playbook, ()))
        run = play_installed(playbook, tmp_path, "-i", inventory, *given)
    assert run.code == FAILED and run.seconds < FROZEN_SECONDS, run.output
    assert any("one: " in sentence for sentence in run.sentences("HOST_NOT_READ")), run.output


PYTHON = "#!/bin/sh\ntouch /tmp/began\nsleep 3600\n"


@pytest.fixture
def machine(tmp_path: Path) -> t.Iterator[debian13.Host]:
    """One with an SSH server, on which Python takes an hour for whatever it is given."""
    made = debian13.Host(tmp_path)
    try:
        made.write("/slow-python", PYTHON)
        yield made
    finally:
        made.remove()


def test_a_host_that_freezes_while_it_is_read_is_named(machine: debian13.Host, tmp_path: Path) -> None:
    """Its kernel goes on taking what is sent, so that nothing else ends the connection."""
    reached = {**machine.variables(), "ansible_python_interpreter": "/slow-python", "wa_address": "two.example.com"}
    closed = {"ansible_host": "127.0.0.1", "ansible_port": 9, "wa_address": "one.example.com"}
    inventory = write_inventory(tmp_path / "hosts.yml", {"one": closed, "two": reached})
    given = ("-i", inventory, "-e", write_variables(tmp_path / "variables.json", NOBODY))
    runs: list[Run] = []
    running = threading.Thread(target=lambda: runs.append(play_installed("status", tmp_path, *given)))
    running.start()
    try:
        deadline = time.monotonic() + PATIENCE
        while not machine.has("/tmp/began"):
            assert time.monotonic() < deadline and running.is_alive(), runs
            time.sleep(0.2)
        with machine.frozen():
            frozen = time.monotonic()
            running.join(PATIENCE)
            cost, hung = time.monotonic() - frozen, running.is_alive()
    finally:
        # With the machine the run ends, whatever it waits for.
        machine.remove()
        running.join()
    assert not hung, "it hangs behind the host"
    (run,) = runs
    assert run.code == FAILED and cost < FROZEN_SECONDS, run.output
    assert [sentence[:5] for sentence in run.sentences("HOST_NOT_READ")] == ["one: ", "two: "], run.output
