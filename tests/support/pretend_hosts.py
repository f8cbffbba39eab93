# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A cluster on hosts that there are not, for what a run costs the controller: inventory, answers of the hosts, API.

The hosts answer through C(connections/pretend.py). Every host has a webapp, a few have masters and coreapps.
"""

from __future__ import annotations

import ast
import json
import re
import time
import typing as t
from pathlib import Path

from ansible_collections.waent.fleet.plugins.module_utils._check.drill import left_drill, mark
from ansible_collections.waent.fleet.plugins.module_utils._check.media_share import Limits, host_problems
from ansible_collections.waent.fleet.plugins.module_utils._common.product import DEFAULT_PORTS, KINDS
from ansible_collections.waent.fleet.plugins.module_utils._desired.cluster import ClusterSpec, FaultTolerance, HostSpec
from ansible_collections.waent.fleet.plugins.module_utils._desired.media_share import FSTYPE, KEYS, read_media_share
from ansible_collections.waent.fleet.plugins.module_utils._desired.placement import place
from ansible_collections.waent.fleet.plugins.module_utils._io import nfs_server
from ansible_collections.waent.fleet.plugins.module_utils._io.host import ASKED, SHARE_SECONDS
from ansible_collections.waent.fleet.plugins.module_utils._state.mounts import SHORT_ID
from ansible_collections.waent.fleet.plugins.modules import wa_host_info, wa_nfs_media
from ansible_collections.waent.fleet.tests.support.cluster_bodies import healthy_bodies
from ansible_collections.waent.fleet.tests.support.observed_host import bare, engine, node_container, observed, store
from ansible_collections.waent.fleet.tests.support.playbook_runs import Run, play, write_inventory, write_variables
from ansible_collections.waent.fleet.tests.support.scripted_api import META, ScriptedApi, certificate
from ansible_collections.waent.fleet.tests.support.valid_variables import VARIABLES, but

BARE, INSTALLED, CHANGED, IN_VOLUME, STOPPED = "bare", "installed", "changed", "in_volume", "stopped"
"""Nothing is there; all is as desired; all but one container of one host; but for media, which are in a volume; but the
engine of one host is stopped."""

VOLUME = "whatsappMedia"

SENT = "sent"
"""A file with the length of what each module was given, one a line."""

SUPPORT = Path(__file__).resolve().parent
SHARDS = 4
PARAMETERS = re.compile(rb"^params=('.*'|\".*\"),$", re.MULTILINE)
MODULE = re.compile(rb"^ansible_module=('[\w.]+'),$", re.MULTILINE)
DEFAULTS = {name: option.get("default") for name, option in wa_host_info.ARGUMENTS.items()}


# --- what a host answers ----------------------------------------------------------------------------------------------


def answered(directory: str, host: str, command: str, program: bytes) -> tuple[int, bytes, bytes]:
    """Exit code, standard output and error of what is run on a host."""
    if not program:
        return (0, "{0:.9f}\n".format(time.time()).encode(), b"") if "date +%s" in command else (0, b"", b"")
    # A node of a step of a rollout is called so, and is on its host.
    host = re.sub(r"\A.* on (.*), step \d+\Z", r"\1", host)
    module = literal(MODULE, program).rpartition(".")[2]
    parameters = literal(PARAMETERS, program)
    with Path(directory, SENT).open("a") as sent:
        sent.write("{0}\n".format(len(parameters)))
    given = json.loads(parameters)["ANSIBLE_MODULE_ARGS"]
    found = json.loads(Path(directory, host + ".json").read_text())
    with Path(directory, host + ".calls").open("a") as calls:
        calls.write(module + "\n")
    if module == "wa_host_info":
        read = host_as_read(_state_now(directory, host, found["state"]), found["nodes"], {**DEFAULTS, **given})
        read["drill"] = found["drill"]
        read["media_share"] = share_as_read(read, given.get("media_share"), found["share_opts"])
        if read["media_share"] and found["silent_port"]:
            read["media_share"]["error"] = silence(found["silent_port"], host, SHARE_SECONDS)
        result = {"host": read, "engine_refusal": "", "engine_unusable": ""}
    elif module == "wa_nfs_media":
        after = found["share_error_after"]
        begun = not after or after in Path(directory, host + ".calls").read_text().split()
        result = media_answer(given, found["share_error"] if begun else "")
        if given["step"] == "ask" and found["silent_port"]:
            result["answer"]["error"] = silence(
                found["silent_port"], host, wa_nfs_media.ARGUMENTS["timeout"]["default"]
            )
            result["problems"] = problems_of(given, result["answer"])
    elif module in ACTS:
        result = {"changed": found["state"] != INSTALLED, "container": {}}
    else:
        result = OTHERS.get(module) or {"failed": True, "msg": "A pretended host does not know {0}.".format(module)}
    return 0, json.dumps({"changed": False, **result}).encode(), b""


def _state_now(directory: str, host: str, state: str) -> str:
    """How a host is: as it was made, or with an engine that a run has started."""
    started = state == STOPPED and "systemd_service" in Path(directory, host + ".calls").read_text().split()
    return INSTALLED if started else state


def silence(port: int, host: str, seconds: float) -> dict[str, t.Any] | None:
    """What a host would have to say of a server on this port of this machine, after a wait that is real."""
    return nfs_server.reach("127.0.0.1", port, "/pretended/" + host, seconds)


def share_as_read(host: t.Mapping[str, t.Any], raw: t.Any, opts: t.Sequence[str]) -> dict[str, t.Any] | None:
    """What wa_host_info would return as C(media_share) where nodes have it mounted with these options, if any."""
    share, _problems = read_media_share(raw) if raw and opts else (None, [])
    if share is None:
        return None
    containers = [node["id"][:SHORT_ID] for node in host["containers"]]
    return {
        **media_answer({**raw, "step": "read", "name": host["name"]}, "")["answer"],
        "mount": {"source": share.source, "fstype": FSTYPE, "opts": list(opts), "read_only": False},
        "source": share.source,
        "path": share.path,
        "proof": None,
        "denied": None,
        "fstab": [[share.source, share.path, FSTYPE, share.fstab_opts]],
        "users": ["node in " + one for one in containers],
        "containers": containers,
    }


OTHERS: dict[str, dict[str, t.Any]] = {
    # Every port is reached, and what a host listens on nobody reads then.
    "wa_ports": {"listening": [], "not_listening": [], "unreached": []},
    "docker_image_info": {"images": []},
    "stat": {"stat": {"exists": True}},
    "wa_media_copy": {
        "changed": True,
        "copied": {
            "files": 3, "bytes": 3000, "copied": 3, "same": 0, "conflicts": [], "changing": [], "others": [],
            "needed_bytes": 3000, "free_bytes": 9000,
        },
        "problems": [],
    },
    "command": {"stdout": "", "stderr": "", "rc": 0},
}  # fmt: skip
"""What modules return that read."""

ACTS = (
    "apt", "systemd_service", "docker_network", "docker_image_pull", "docker_volume", "docker_container",
    "wa_containers",
)  # fmt: skip
"""Modules that act; in check mode they say whether they would."""


def media_answer(options: t.Mapping[str, t.Any], error: str, apart: t.Sequence[str] = ()) -> dict[str, t.Any]:
    """What a step of wa_nfs_media returns where the share is mounted and every token is seen.

    error: the name of one that writing there meets; empty where it is sound. apart: what has the directory under it.
    """
    share, problems = read_media_share({key: options.get(key) for key in KEYS})
    if share is None:
        raise AssertionError(problems)
    mount = {"source": share.source, "fstype": FSTYPE, "opts": list(share.opts), "read_only": False}
    answer = {
        "mount": mount, "hidden": [], "exists": True, "directory": True, "empty": None, "error": None,
        "token": not error, "free_mb": 50000, "free_inodes": None, "clock_offset_seconds": 0.0, "unseen": {},
        "apart": list(apart), "inside": {},
    }  # fmt: skip
    if error and options["step"] != "read":
        answer["error"] = {"step": "write", "name": error, "message": error, "seconds": None, "left_behind": 0}
    found = problems_of(options, answer) if options["step"] == "prove" else []
    return {
        "run": "5f3a", "name": options["name"], "answer": answer, "reasons": [], "stops_nodes": False, "calls": [],
        "diff": {"before": "", "after": ""}, "refused": [], "problems": found,
    }  # fmt: skip


def problems_of(options: t.Mapping[str, t.Any], answer: t.Mapping[str, t.Any]) -> list[dict[str, t.Any]]:
    """What is wrong with the share of a host that answers this."""
    share, problems = read_media_share({key: options.get(key) for key in KEYS})
    if share is None:
        raise AssertionError(problems)
    found = host_problems(share, options["name"], answer, options.get("container_uid") or 0, Limits(0, 0))
    return [one.as_dict() for one in found]


def literal(pattern: re.Pattern[bytes], program: bytes) -> str:
    """The text that Ansible has written into the program of a module."""
    found = pattern.search(program)
    if found is None:
        raise AssertionError("This release of ansible-core writes the programs of modules in another way.")
    return str(ast.literal_eval(found.group(1).decode()))


def host_as_read(
    state: str, nodes: t.Sequence[t.Mapping[str, t.Any]], options: t.Mapping[str, t.Any]
) -> dict[str, t.Any]:
    """What wa_host_info would return as C(host)."""
    name, references = options["name"], sorted(set(options["images"].values()))
    parts = {
        "asked": {**{key: options[key] for key in ASKED}, "version": options["version"]},
        "time": time.time(),
        "reached": [{**one, "reached": True, "reason": None} for one in options["reach"] or ()],
        "db_ssl": None,
        "media": store(options["media"]) if options["media"] else None,
    }
    if state == BARE:
        images = [{"image": image, "id": None, "registry": "present", "reason": None} for image in references]
        return {**bare(name), **parts, "images": images}
    if state == STOPPED:
        images = [{"image": image, "id": None, "registry": None, "reason": None} for image in references]
        stopped = engine("stopped", reason="it is installed and does not run")
        return {**observed(name, networks=[]), **parts, "engine": stopped, "images": images}
    if not options["container_settings"]:
        # Its engine alone is read.
        return {**observed(name), **parts, "images": []}
    ids = {image: "sha256:" + image for image in references}
    made_from = dict(options["container_settings"])
    if state == IN_VOLUME:
        made_from["media"] = VOLUME
    containers = [node_container(node, made_from, image_id=ids[options["images"][node["kind"]]]) for node in nodes]
    if state == CHANGED:
        containers[0]["environment_differs"] = ["WA_DB_IDLE_TIMEOUT_MS"]
    return {
        **observed(name, containers),
        **parts,
        "images": [{"image": image, "id": found, "registry": None, "reason": None} for image, found in ids.items()],
        "nodes": [
            {"host": name, **{key: one[key] for key in ("kind", "index", "name", "state", "version")}}
            for one in containers
        ],
    }


# --- the cluster ------------------------------------------------------------------------------------------------------


class PretendFleet:
    """A cluster on as many hosts as asked for. home: a directory for its files. A context manager: its API ends."""

    def __init__(self, home: Path, count: int, survive: t.Mapping[str, int] | None = None) -> None:
        self.home = home
        self.survive = {"hosts": 1} if survive is None else dict(survive)
        self.names = ["pretended-{0:04d}".format(number) for number in range(count)]
        (home / "hosts").mkdir()
        hosts = {name: self._host(number) for number, name in enumerate(self.names)}
        self.api = ScriptedApi(*certificate(home), address=("0.0.0.0", 0))
        tolerance = FaultTolerance("hosts", 1) if self.survive else FaultTolerance()
        self.nodes = placed(hosts, {**DEFAULT_PORTS, "webapp": self.api.port}, tolerance)
        self._script_api()
        self.inventory = write_inventory(home / "hosts.yml", hosts)
        self.arguments = ["-i", self.inventory, "-e", write_variables(home / "variables.json", self._variables())]
        self.be(BARE)

    def __enter__(self) -> PretendFleet:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.api.close()

    def be(
        self,
        state: str,
        share_error: str = "",
        share_opts: t.Sequence[str] = (),
        share_error_after: str = "",
        silent_port: int = 0,
        drill: str = "",
    ) -> None:
        """From now on the hosts are like that; where one differs, it is the last one.

        share_error: what the last one meets when it writes on the media share. share_opts: with what it is mounted on
        all, where their nodes have it. share_error_after: the module that has to run there before. silent_port: of this
        machine, where the server of the share takes connections. drill: one that the last one has still to restore.
        """
        for name in self.names:
            its_own = INSTALLED if state in (CHANGED, STOPPED) and name != self.names[-1] else state
            found = {
                "state": its_own,
                "nodes": [node for node in self.nodes if node["host"] == name],
                "share_error": share_error if name == self.names[-1] else "",
                "share_opts": list(share_opts),
                "share_error_after": share_error_after,
                "silent_port": silent_port,
                "drill": left_drill("/root/drill.sh", mark(drill, "", []))
                if drill and name == self.names[-1]
                else None,
            }
            (self.home / "hosts" / (name + ".json")).write_text(json.dumps(found))

    def play(self, playbook: str, *arguments: str) -> Run:
        """Run a playbook on it."""
        return play(playbook, *arguments, *self.arguments, **self.environment)

    @property
    def environment(self) -> dict[str, str]:
        """What ansible-playbook needs to know of the pretended hosts, and to count its work."""
        return {
            "ANSIBLE_CONNECTION_PLUGINS": str(SUPPORT / "connections"),
            "ANSIBLE_CALLBACK_PLUGINS": str(SUPPORT / "callbacks"),
            "ANSIBLE_CALLBACKS_ENABLED": "count_work",
            "COUNT_WORK_FILE": str(self.home / "counts"),
        }

    def calls(self) -> set[str]:
        """Names of the modules that any host was given to run."""
        return {name for file in (self.home / "hosts").glob("*.calls") for name in file.read_text().split()}

    def calls_in_order(self, host: str) -> list[str]:
        """Names of the modules that a host was given to run since the last question, one after the other."""
        file = self.home / "hosts" / (host + ".calls")
        found = file.read_text().split() if file.exists() else []
        file.unlink(missing_ok=True)
        return found

    def counts(self) -> dict[str, int]:
        """What the runs until now have cost.

        Processes, templatings, how often variables were put together, how much modules on the hosts were given, and the
        most memory, in KB, of the process that keeps what all hosts have answered.
        """
        lines = [json.loads(line) for line in (self.home / "counts").read_text().splitlines()]
        found = {name: sum(line[name] for line in lines) for name in ("templatings", "variables")}
        sent = sum(map(int, (self.home / "hosts" / SENT).read_text().split()))
        memory = max(line["memory"] for line in lines if not line["task"])
        return {"processes": sum(1 for line in lines if line["task"]), "sent": sent, "memory": memory, **found}

    def _host(self, number: int) -> dict[str, t.Any]:
        """A machine of its own in everything but that its API is this one's: all of 127.0.0.0/8 is."""
        return {
            "ansible_host": "192.0.2.1",
            "wa_api_address": "127.1.{0}.{1}".format(number // 200, number % 200 + 1),
            "wa_webapps": 1,
            "rack": "rack-{0}".format(number % 4),
        }

    def _variables(self) -> dict[str, t.Any]:
        return but(
            ansible_connection="pretend",
            ansible_python_interpreter="/usr/bin/python3",
            pretend_directory=str(self.home / "hosts"),
            wa_shards=SHARDS,
            wa_survive=self.survive,
            wa_webapp_port=self.api.port,
            # A database that only the hosts reach.
            wa_db_check_host="",
        )

    def _script_api(self) -> None:
        health, support = bodies(self.nodes)
        api = self.api
        session = {"token": "token-of-nobody-4Xq8", "expires_after": "2999-01-01 00:00:00+00:00"}
        api.on("POST", "/v1/users/login", {"users": [session], "meta": META})
        api.on("POST", "/v1/users/logout", {"meta": META})
        api.on("GET", "/v1/health", {"health": health, "meta": META})
        api.on("GET", "/v1/support", {"support": support, "meta": META})
        api.on("GET", "/v1/account/shards", {"account": {"shards": SHARDS}, "meta": META})
        settings = dict(VARIABLES["wa_settings"])

        def take(call: t.Any) -> tuple[int, dict[str, t.Any]]:
            settings.update(call.body)
            return 200, {"meta": META}

        api.on(
            "GET",
            "/v1/settings/application",
            lambda _call: (200, {"settings": {"application": settings}, "meta": META}),
        )
        api.on("PATCH", "/v1/settings/application", take)


def placed(
    hosts: t.Mapping[str, t.Mapping[str, t.Any]], ports: t.Mapping[str, int], tolerance: FaultTolerance
) -> list[dict[str, t.Any]]:
    """The nodes of the cluster as the collection places them on hosts on which nothing runs."""
    specs = tuple(
        HostSpec(name, own["rack"], name, own["wa_api_address"], KINDS, {"webapp": 1}, ports)
        for name, own in hosts.items()
    )
    spec = ClusterSpec(SHARDS, None, tolerance, False, specs)
    return [node.as_dict() for node in place(spec).nodes]


def bodies(nodes: t.Iterable[t.Mapping[str, t.Any]]) -> tuple[dict[str, t.Any], dict[str, t.Any]]:
    """Health and support of a cluster of these nodes that serves."""
    by_kind = {kind: [node["key"] for node in nodes if node["kind"] == kind] for kind in KINDS}
    health, support, _shards = healthy_bodies(SHARDS, len(by_kind["coreapp"]), len(by_kind["master"]))
    names = {
        "host-{0}:wa-{1}-1".format(number, kind): key for kind in by_kind for number, key in enumerate(by_kind[kind])
    }
    return (
        {names[key]: entry for key, entry in health["health"].items()},
        {names[key]: entry for key, entry in support["support"].items()},
    )
