# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""In which state the Docker Engine of a host is, and what may be done about it. Internal to waent.fleet. Pure.

An engine that does not answer is not an engine that is not there: it may be stopped, refuse this user, be without its
command, or be another product. Only where no trace of one is found may one be installed.
"""

from __future__ import annotations

import typing as t

from ansible_collections.waent.fleet.plugins.module_utils._common.instruction import instruction

ANSWERS = "answers"
ABSENT = "absent"
STOPPED = "stopped"
DENIED = "denied"
SILENT = "silent"
COMMAND_MISSING = "command_missing"
CLIENT_ONLY = "client_only"
PODMAN = "podman"
ROOTLESS = "rootless"
REMOTE = "remote"

STATES = (ANSWERS, ABSENT, STOPPED, DENIED, SILENT, COMMAND_MISSING, CLIENT_ONLY, PODMAN, ROOTLESS, REMOTE)
UNSEEN_CODES = frozenset(("IMAGE_MISSING", "IMAGE_UNKNOWN", "PORT_TAKEN", "NODE_UNKNOWN"))
"""Problems that may be none once a stopped engine runs: it may hold the image, or the node that is missed elsewhere."""

FIXABLE = (ABSENT, STOPPED)
"""What a rollout fixes: it installs an engine where there is none, and starts one that is stopped."""

STARTING = (STOPPED, SILENT)
"""States of an engine that was started and may answer in a moment."""

RUNNING = ("running", "restarting", "paused")
"""States in which a container may be in the middle of its work, and holds its ports."""

LOCAL_SOCKETS = ("unix:///var/run/docker.sock", "unix:///run/docker.sock")
ENGINES = frozenset(("docker.io", "docker-ce", "moby-engine"))
SNAPS = "/snap/"
DEBIAN_CLIENT = frozenset(("docker-cli",))
"""Packages that bring an engine; the docker command that fits the one Debian has."""

REFUSALS: dict[str, tuple[str, str, str | None]] = {
    DENIED: (
        "ENGINE_DENIED",
        "Docker Engine refuses this user ({0}); set ansible_become to true for the host.",
        "ansible_become",
    ),
    SILENT: (
        "ENGINE_SILENT",
        "Docker Engine runs and does not answer ({0}); look into its log, restart it, and run "
        + instruction("engine_silent")
        + ".",
        None,
    ),
    COMMAND_MISSING: (
        "ENGINE_COMMAND_MISSING",
        "There is a Docker Engine ({0}), but no docker command on PATH, so nothing can be asked of it; install its"
        " command (package docker-cli or docker-ce-cli) or link it to /usr/local/bin.",
        None,
    ),
    CLIENT_ONLY: (
        "ENGINE_CLIENT_ONLY",
        "There is a docker command whose engine is not here ({0}); install the engine from where the command came, or"
        " remove the command to have Debian's engine installed.",
        None,
    ),
    PODMAN: (
        "ENGINE_IS_PODMAN",
        "The docker command is Podman ({0}), on which this product is not run; it is left alone. Take another host, or"
        " remove podman-docker to have Docker Engine installed beside Podman.",
        None,
    ),
    ROOTLESS: (
        "ENGINE_ROOTLESS",
        "The Docker Engine is rootless ({0}); nodes need one that runs as root and starts with the machine. It is left"
        " alone: take another host, or install Docker Engine as root and unset DOCKER_HOST.",
        None,
    ),
    REMOTE: (
        "ENGINE_REMOTE",
        "The docker command talks to an engine elsewhere ({0}); ports, paths and disk would be those of another"
        " machine. Unset DOCKER_HOST, or run docker context use default, for the user this host is managed with.",
        "DOCKER_HOST",
    ),
}
"""C({state: (code, sentence with the reason, variable)}) for engines that nobody may put another in place of."""


class Traces(t.NamedTuple):
    """What there is of an engine on a host.

    command: path of the docker command. info: what C(docker info) answered. said: its complaint, where the engine did
    not answer. endpoint: where the command looks for the engine; context: how it came to that, C(default) or a name.
    daemon: path of the daemon's program. owners: user ids of the daemons that run. listens: somebody listens on the
    engine's socket. packages: those installed of the ones that bring an engine or a docker command.
    """

    command: str | None = None
    info: t.Mapping[str, t.Any] = {}
    said: str = ""
    endpoint: str | None = None
    context: str = "default"
    daemon: str | None = None
    owners: tuple[int, ...] = ()
    listens: bool = False
    packages: frozenset[str] = frozenset()


def engine_state(traces: Traces) -> tuple[str, str | None]:
    """State, and the reason in words; None where it answers. A trace of an engine is never taken for its absence."""
    other = _other_product(traces)
    if other:
        return other
    if traces.info.get("ServerVersion"):
        return ANSWERS, None
    if traces.command is None:
        return _without_command(traces)
    if "permission denied" in traces.said.lower():
        return DENIED, traces.said
    # systemd may listen for a daemon that is stopped.
    if 0 in traces.owners or (traces.listens and not traces.daemon):
        return SILENT, traces.said
    if traces.daemon or traces.packages & ENGINES:
        return STOPPED, "it is installed and does not run"
    if traces.packages <= DEBIAN_CLIENT and not traces.command.startswith(SNAPS):
        # A command alone is no engine: one that is installed beside it takes the place of nothing.
        return ABSENT, "there is only its command, {0}".format(traces.command)
    return CLIENT_ONLY, ", ".join(sorted(traces.packages)) or traces.command


def may_hold(engine: t.Mapping[str, t.Any]) -> bool:
    """Whether an engine is stopped and may hold containers and images that nobody sees."""
    return engine["state"] == STOPPED and not engine["empty"]


def may_hold_unseen(engine: t.Mapping[str, t.Any]) -> bool:
    """Whether there may be containers that nobody sees, for whatever reason the engine does not answer."""
    return engine["state"] not in (ANSWERS, ABSENT) and not (engine["state"] == STOPPED and engine["empty"])


def _other_product(traces: Traces) -> tuple[str, str] | None:
    """Podman, a rootless engine, one elsewhere."""
    info = traces.info
    root = str(info.get("DockerRootDir") or "")
    if "buildahVersion" in (info.get("host") or {}) or root.endswith("containers/storage"):
        return PODMAN, "as docker info says"
    answers = bool(info.get("ServerVersion"))
    if not answers and "podman-docker" in traces.packages:
        return PODMAN, "package podman-docker"
    if not answers and "podman" in traces.said.lower():
        return PODMAN, "as its messages say"
    if "name=rootless" in (info.get("SecurityOptions") or []):
        return ROOTLESS, "as docker info says"
    if traces.endpoint and traces.endpoint not in LOCAL_SOCKETS:
        # A socket of this machine that the environment names is found by Ansible's modules as well; a context is not.
        if traces.context != "default":
            return REMOTE, "context {0}, {1}".format(traces.context, traces.endpoint)
        if not traces.endpoint.startswith("unix://"):
            return REMOTE, "DOCKER_HOST is {0}".format(traces.endpoint)
    if not answers and traces.owners and 0 not in traces.owners:
        return ROOTLESS, "one runs as user id {0}".format(traces.owners[0])
    return None


def _without_command(traces: Traces) -> tuple[str, str]:
    if traces.owners:
        return COMMAND_MISSING, "dockerd runs"
    if traces.listens:
        return COMMAND_MISSING, "something listens on docker.sock"
    if traces.daemon:
        return COMMAND_MISSING, "{0} is installed".format(traces.daemon)
    found = sorted(traces.packages - {"podman-docker"})
    if found:
        return COMMAND_MISSING, "package {0} is installed".format(", ".join(found))
    return ABSENT, "the docker command is not installed"
