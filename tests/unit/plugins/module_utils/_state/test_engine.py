# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""In which state an engine is: a table of hosts, and traces at random."""

from __future__ import annotations

import pytest
from ansible_collections.waent.fleet.plugins.module_utils._io.engine import ENGINE_PACKAGES
from ansible_collections.waent.fleet.plugins.module_utils._state.engine import (
    DEBIAN_CLIENT,
    FIXABLE,
    REFUSALS,
    STATES,
    Traces,
    engine_state,
)
from hypothesis import given
from hypothesis import strategies as st

DOCKER = "/usr/bin/docker"
REFUSED = "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?"
DENIED = "permission denied while trying to connect to the Docker daemon socket"
PODMAN = {"host": {"buildahVersion": "1.28.2"}, "store": {}, "version": {"Version": "4.3.1"}}

HOSTS = {
    "bare": (Traces(), "absent"),
    "answers": (Traces(DOCKER, {"ServerVersion": "20.10.24"}), "answers"),
    "answers on the usual socket by name": (
        Traces(DOCKER, {"ServerVersion": "27"}, endpoint="unix:///run/docker.sock", context="desktop"),
        "answers",
    ),
    "docker.io stopped": (Traces(DOCKER, said=REFUSED, daemon="/usr/sbin/dockerd"), "stopped"),
    "docker-ce stopped": (Traces(DOCKER, said=REFUSED, packages=frozenset(["docker-ce", "docker-ce-cli"])), "stopped"),
    "stopped, systemd listens": (Traces(DOCKER, said=REFUSED, daemon="/usr/bin/dockerd", listens=True), "stopped"),
    "denied": (Traces(DOCKER, said=DENIED, daemon="/usr/bin/dockerd", owners=(0,), listens=True), "denied"),
    "hangs": (Traces(DOCKER, said="no answer", daemon="/usr/bin/dockerd", owners=(0,)), "silent"),
    "somebody else's socket": (Traces(DOCKER, said="EOF", listens=True), "silent"),
    "command not on PATH": (Traces(owners=(0,)), "command_missing"),
    "only its socket is seen": (Traces(listens=True), "command_missing"),
    "Debian 13 without docker-cli": (Traces(daemon="/usr/sbin/dockerd", owners=(0,)), "command_missing"),
    "installed, stopped, no command": (Traces(daemon="/usr/sbin/dockerd"), "command_missing"),
    "Debian's docker-cli alone": (Traces(DOCKER, said=REFUSED, packages=frozenset(["docker-cli"])), "absent"),
    "docker-ce-cli alone": (Traces(DOCKER, said=REFUSED, packages=frozenset(["docker-ce-cli"])), "client_only"),
    "a command copied by hand": (Traces("/opt/docker", said=REFUSED), "absent"),
    "a snap that is stopped": (Traces("/snap/bin/docker", said=REFUSED), "client_only"),
    "podman-docker": (Traces(DOCKER, PODMAN), "podman"),
    "podman-docker that fails": (Traces(DOCKER, said="cannot clone", packages=frozenset(["podman-docker"])), "podman"),
    "Podman's socket": (
        Traces(DOCKER, {"ServerVersion": "4.3.1", "DockerRootDir": "/var/lib/containers/storage"}),
        "podman",
    ),
    "rootless": (Traces(DOCKER, {"ServerVersion": "27", "SecurityOptions": ["name=rootless"]}), "rootless"),
    "rootless of somebody else": (Traces(DOCKER, said=REFUSED, daemon="/usr/bin/dockerd", owners=(1000,)), "rootless"),
    "DOCKER_HOST": (Traces(DOCKER, {"ServerVersion": "27"}, endpoint="tcp://build:2376"), "remote"),
    "DOCKER_HOST that is down": (Traces(DOCKER, said=REFUSED, endpoint="ssh://build"), "remote"),
    "a context": (
        Traces(DOCKER, {"ServerVersion": "27"}, endpoint="unix:///home/u/docker.sock", context="u"),
        "remote",
    ),
    "another socket by DOCKER_HOST": (
        Traces(DOCKER, {"ServerVersion": "27"}, endpoint="unix:///srv/docker.sock"),
        "answers",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTS)
def test_a_host(name):
    traces, state = HOSTS[name]
    assert engine_state(traces)[0] == state


def test_every_state_is_fixed_or_refused_and_tried_here():
    assert set(STATES) == {"answers", *FIXABLE, *REFUSALS} == {state for _traces, state in HOSTS.values()}
    codes = [code for code, _sentence, _variable in REFUSALS.values()]
    assert len(set(codes)) == len(codes)


TRACES = st.builds(
    Traces,
    command=st.sampled_from([None, DOCKER]),
    info=st.sampled_from([{}, PODMAN, {"ServerVersion": "27"}, {"ServerVersion": "27", "DockerRootDir": "/srv"}]),
    said=st.sampled_from([REFUSED, DENIED, "no answer", "Error: podman: no such thing"]),
    endpoint=st.sampled_from([None, "unix:///run/docker.sock", "unix:///x.sock", "tcp://b:2376", "ssh://b"]),
    context=st.sampled_from(["default", "build"]),
    daemon=st.sampled_from([None, "/usr/sbin/dockerd"]),
    owners=st.sampled_from([(), (0,), (1000,), (0, 1000)]),
    listens=st.booleans(),
    packages=st.frozensets(st.sampled_from(ENGINE_PACKAGES)),
)


@given(TRACES)
def test_an_engine_is_installed_only_where_no_trace_of_one_is_found(traces):
    state, reason = engine_state(traces)
    assert state in STATES
    assert (reason is None) == (state == "answers")
    if state == "absent":
        assert not (traces.daemon or traces.owners or traces.listens or traces.info)
        assert traces.packages <= DEBIAN_CLIENT
    if state == "stopped":
        assert traces.command and 0 not in traces.owners
        assert "podman-docker" not in traces.packages
