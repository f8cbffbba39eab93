# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known of the cluster that a play is about, from its variables and results. Internal to waent.fleet.

Each fact names the variables it reads, and no other is filled in for it: a template that fails elsewhere is no matter
here. What is made of them is decided by pure functions in module_utils.
"""

from __future__ import annotations

import base64
import datetime
import typing as t

from ansible_collections.waent.fleet.plugins.filter.inventory_hosts import inventory_hosts
from ansible_collections.waent.fleet.plugins.module_utils._check import ports
from ansible_collections.waent.fleet.plugins.module_utils._check.certificates import CHAIN
from ansible_collections.waent.fleet.plugins.module_utils._check.host import engine_problems
from ansible_collections.waent.fleet.plugins.module_utils._check.image_life import Life, lives_of
from ansible_collections.waent.fleet.plugins.module_utils._check.media_copy import copied_lines, nowhere
from ansible_collections.waent.fleet.plugins.module_utils._check.media_share import Limits, share_problems
from ansible_collections.waent.fleet.plugins.module_utils._check.media_status import share_status
from ansible_collections.waent.fleet.plugins.module_utils._check.without import (
    may_be_left_out,
    signs_from,
    webapps_of,
)
from ansible_collections.waent.fleet.plugins.module_utils._common.addresses import webapp_url
from ansible_collections.waent.fleet.plugins.module_utils._common.failure_reason import masked, said
from ansible_collections.waent.fleet.plugins.module_utils._common.problem import (
    Problem,
    problem_from,
    refusal_for,
    summary,
)
from ansible_collections.waent.fleet.plugins.module_utils._common.product import KINDS
from ansible_collections.waent.fleet.plugins.module_utils._common.text import one_line
from ansible_collections.waent.fleet.plugins.module_utils._desired import (
    access,
    backup_schedule,
    db_ssl,
    environment,
)
from ansible_collections.waent.fleet.plugins.module_utils._desired.app_settings import hidden
from ansible_collections.waent.fleet.plugins.module_utils._desired.container import docker_options, filler_options
from ansible_collections.waent.fleet.plugins.module_utils._desired.media_server import (
    CLIENTS,
    is_exported,
    media_server,
    not_exported,
)
from ansible_collections.waent.fleet.plugins.module_utils._desired.media_share import (
    OF_INVENTORY,
    MediaShare,
    inventory_share,
)
from ansible_collections.waent.fleet.plugins.module_utils._desired.values import names_in, whole_number
from ansible_collections.waent.fleet.plugins.module_utils._desired.variables import BY_NAME, switch_on
from ansible_collections.waent.fleet.plugins.module_utils._io import pem
from ansible_collections.waent.fleet.plugins.module_utils._plan import found_inventory, preflight, sizing, timers
from ansible_collections.waent.fleet.plugins.module_utils._plan.adopt_result import compose_entry
from ansible_collections.waent.fleet.plugins.module_utils._plan.certificates import certificate_lines, certificate_nodes
from ansible_collections.waent.fleet.plugins.module_utils._plan.media_share import Seen, seen_share
from ansible_collections.waent.fleet.plugins.module_utils._state.engine import may_hold_unseen
from ansible_collections.waent.fleet.plugins.module_utils._state.found import adopted_nodes
from ansible_collections.waent.fleet.plugins.plugin_utils.host_values import EveryHost, registered
from ansible_collections.waent.fleet.plugins.plugin_utils.pins import (
    PinFile,
    inventory_directory,
    pin_file,
    pin_problems,
)
from ansible_collections.waent.fleet.plugins.plugin_utils.play_variables import plain, read_file

Values = t.Dict[str, t.Any]


class Play:
    """The variables of a play and its hosts. template: fills templates in, as the play does."""

    def __init__(self, variables: t.Mapping[str, t.Any], template: t.Callable[[t.Any], t.Any]) -> None:
        self._variables = variables
        self._template = template
        self._filled: dict[str, t.Any] = {}

    def value(self, name: str) -> t.Any:
        """A variable; None where there is none, and where it is null. Filled in once: most facts share some."""
        if name not in self._filled:
            found = self._variables.get(name)
            filled = None if found is None else self._template(found)
            self._filled[name] = None if filled is None else plain(filled)
        return self._filled[name]

    def readable(self, name: str) -> t.Any:
        """The same; None also where its template cannot be filled in, which wa_placement reports by itself."""
        try:
            return self.value(name)
        except Exception:  # Ansible has a family of errors for templates, another in each release.
            return None

    def values(self, names: t.Iterable[str]) -> Values:
        """Several variables by their names."""
        return {name: self.value(name) for name in names}

    def result(self, name: str) -> Values:
        """The registered result of a task; empty where it did not run.

        Nothing in it is a template, and it may be about all hosts: only one that a variable stands for is filled in.
        """
        found = self._variables.get(name)
        return found if isinstance(found, dict) else self.value(name) or {}

    @property
    def hosts(self) -> list[str]:
        """All hosts of the play, those that were lost as well."""
        return list(self._variables.get("ansible_play_hosts_all") or ())

    @property
    def groups(self) -> t.Mapping[str, t.Sequence[str]]:
        """The groups of the inventory."""
        return self._variables.get("groups") or {}

    @property
    def left_out(self) -> list[str]:
        """Hosts that the run goes on without: _validate.yml makes a group of those that wa_without_hosts names."""
        return list(self.groups.get("_wa_left_out") or ())

    def inventory(self) -> list[Values]:
        """Every host that may run nodes, or may not any more, as wa_placement takes it."""
        return inventory_hosts(EveryHost(self.hostvars), self.groups, self.asked_to_drain)

    @property
    def hostvars(self) -> t.Any:
        """The variables of every host."""
        return self._variables["hostvars"]

    @property
    def asked_to_drain(self) -> list[str]:
        """Hosts that drain.yml was given, whatever the inventory says of them."""
        return names_in(self.readable("_wa_asked_to_drain") or ())

    def facts(self, host: str, name: str) -> t.Any:
        """What a task has set or registered for a host; None where there is nothing."""
        return registered(self.hostvars, host, name)

    def results(self, name: str) -> dict[str, Values]:
        """By host of the play what a task has registered; empty where it has nothing."""
        return {host: self.facts(host, name) or {} for host in self.hosts}

    def reads(self, hosts: t.Iterable[str]) -> dict[str, Values]:
        """By host the result of wa_host_info, in this order; empty where it has none."""
        return {host: self.facts(host, "__wa_host") or {} for host in hosts}


# --- what the variables make ------------------------------------------------------------------------------------------

CONTAINER = (
    "version", "wa_version", "wa_webapp_image", "wa_coreapp_image", "wa_database_image", "wa_cluster_name",
    "wa_network", "wa_publish_address", "wa_extra_hosts", "wa_media", "wa_data", "wa_db_engine", "wa_db_host",
    "wa_database_address", "wa_database_volume", "wa_database_arguments",
)  # fmt: skip
ENVIRONMENT = (
    "wa_db_engine", "wa_db_host", "wa_db_port", "wa_db_username", "wa_db_password", "wa_db_name_prefix",
    "wa_db_idle_timeout_ms", "wa_jwt_key", "wa_api_key", "wa_extra_environment", *db_ssl.VARIABLES,
)  # fmt: skip
IMAGES = ("version", "wa_version", "wa_webapp_image", "wa_coreapp_image", "wa_database_image")
API = ("wa_validate_certs", "wa_api_ca_path")
PIN = ("wa_api_ca_path", "wa_cluster_name")
DATABASE = (
    "wa_db_engine", "wa_db_check_host", "wa_db_check_port", "wa_db_username", "wa_db_password", "wa_db_name_prefix",
    "wa_db_host", "wa_extra_hosts", "wa_db_ssl_check_hostname", *db_ssl.VARIABLES,
)  # fmt: skip
REACH = ("wa_db_host", "wa_db_port", "wa_db_check_host", "wa_extra_hosts")
HOST_INFO = (
    "wa_cluster_name", "wa_network", "wa_media_share", "wa_data", "wa_container_uid", "wa_disk_free_mb",
)  # fmt: skip
MEDIA_SHARE = ("wa_container_uid", "wa_disk_free_mb")
ADOPTS = ("wa_db_host", "wa_db_port", "wa_db_name_prefix")
REPORTS = ("__wa_desired", "__wa_database", "__wa_first_room", "__wa_identity")
PORTS_CODE = "WA_PORTS_FAILED"
SIZING = ("wa_messages_per_second", "wa_db_ssl_ca", "wa_database_class")


def _token(play: Play) -> str:
    """The token of this run's session, which one host keeps for all; empty without one."""
    return _kept(play, "_wa_session").get("token") or ""


def _kept(play: Play, name: str) -> Values:
    """What one host keeps for all in this run; empty without it."""
    keeper = play.readable("_wa_session_keeper")
    found = play.facts(keeper, name) if keeper else None
    return found or {}


def _api_access(play: Play) -> Values:
    nodes = play.result("__wa_desired").get("nodes") or ()
    return _access_to(play, nodes)


def _access_to(play: Play, nodes: t.Iterable[t.Mapping[str, t.Any]]) -> Values:
    file = _pin_file(play)
    variables = {**play.values(API), "wa_api_ca_path": file.path if file.given or file.exists else ""}
    trusted = _kept(play, "_wa_trusted").get("sha256") or ()
    return access.api_access(variables, nodes, _token(play), _kept(play, "_wa_served"), trusted)


def _pin_file(play: Play) -> PinFile:
    ca_path, cluster = play.values(PIN).values()
    return pin_file(ca_path, cluster, inventory_directory(play.hostvars, play.groups))


def _pin_problems(play: Play) -> list[Values]:
    """What is wrong with what is pinned."""
    variables = play.values(("wa_validate_certs", "wa_api_ca_fingerprint"))
    given = {name[len("wa_") :]: value for name, value in variables.items()}
    problems, _notes = pin_problems(given, _pin_file(play))
    return [problem.as_dict() for problem in problems]


def _authority(play: Play) -> Values:
    """The authority of the API, where it has to be pinned: where, and by which webapp.

    asks_system: whether one that the system knows would do.
    """
    file = _pin_file(play)
    nodes = play.result("__wa_desired").get("nodes") or ()
    webapps = sorted((node for node in nodes if node["kind"] == "webapp"), key=lambda node: not node.get("exists"))
    webapp = webapps[0] if webapps else None
    if webapp is None or file.exists or not switch_on(play.value("wa_validate_certs")):
        return {"missing": False}
    return {
        "missing": True,
        "path": file.path,
        "asks_system": not file.given and not play.value("wa_api_ca_fingerprint"),
        "host": webapp["host"],
        "url": webapp_url(webapp),
        "url_there": access.url_on_its_host(webapp, play.value("wa_publish_address")),
    }


def _webapps_there(play: Play) -> list[str]:
    """Base URLs of the webapps that run on the host that the task is about, as that host reaches them."""
    read = play.result("__wa_host").get("host") or {}
    running = {container["name"] for container in read.get("containers") or () if container["state"] == "running"}
    nodes = play.result("__wa_desired").get("nodes") or ()
    mine = [node for node in nodes if node["host"] == read.get("name") and node["name"] in running]
    publish = play.value("wa_publish_address")
    return [access.url_on_its_host(node, publish) for node in mine if node["kind"] == "webapp"]


def _certificates_trusted(play: Play) -> list[str]:
    """SHA-256 of the certificates that webapps serve on their own hosts, and of the one that is brought to them."""
    found = [
        one.get("sha256") for result in play.results("__wa_serves").values() for one in result.get("results") or ()
    ]
    return list(dict.fromkeys([*filter(None, found), *pem.fingerprints(str(play.value(CHAIN) or ""))[:1]]))


def _certificate_results(play: Play) -> tuple[Values, Values]:
    """What wa_certificate found out about the chain of the API and the CA of the webhook."""
    return play.result("__wa_chain"), play.result("__wa_webhook_ca")


def _certificate_nodes(play: Play) -> list[Values]:
    """The placed nodes, with what those that have to be restarted are created for."""
    nodes = play.result("__wa_desired").get("nodes") or ()
    return certificate_nodes(nodes, _observed(play), *_certificate_results(play))


def _secrets(play: Play) -> list[t.Any]:
    tokens = [_token(play), play.result("__wa_login").get("token")]
    return access.secrets({name: play.readable(name) for name in access.SECRETS}, tokens)


def _shards(play: Play) -> t.Any:
    asked = play.readable("shards")
    return play.readable("wa_shards") if asked is None else asked


def _shape(play: Play) -> Values:
    first_ports = {"{0}_port".format(kind): play.readable("wa_{0}_port".format(kind)) for kind in KINDS}
    return {
        "hosts": play.inventory(),
        "without": play.left_out,
        "shards": _shards(play),
        "survive": play.readable("wa_survive"),
        "allow_no_ha": switch_on(play.readable("wa_allow_no_ha")),
        "name_prefix": play.readable("wa_name_prefix"),
        **first_ports,
    }


def _placement(play: Play) -> Values:
    asked = play.readable("version")
    return {
        **_shape(play),
        "version": play.readable("wa_version") if asked is None else asked,
        "check_variables": True,
        "unhealthy_interval": _unhealthy_interval(play),
        "database_hosts": _database_hosts(play),
    }


def _unhealthy_interval(play: Play) -> int:
    """What is declared, else what the product comes with. Whatever is wrong with it is reported by wa_placement."""
    settings = play.readable("wa_settings")
    declared = whole_number(settings.get("unhealthy_interval")) if isinstance(settings, dict) else None
    return declared or timers.PRODUCT["unhealthy_interval"]


def _files(play: Play) -> dict[str, bytes]:
    """Content of the files for TLS to the database. One that cannot be read is refused by wa_placement."""
    variables = play.values(db_ssl.VARIABLES)
    return {file.variable: read_file(variables[file.variable]) for file in db_ssl.used(variables)}


def _container_settings(play: Play) -> Values:
    variables = {**play.values(CONTAINER), "wa_database_max_connections": _connections(play)}
    return environment.container_settings(variables, _files(play))


def _node_containers(play: Play) -> list[Values]:
    """What docker_container takes for each of wa_nodes, with the environment of its kind."""
    environments, settings = FACTS["environment"](play), _container_settings(play)
    containers = [(node["kind"], docker_options(node, settings)) for node in play.value("wa_nodes")]
    return [{**own, "env": {**environments[kind], **own.get("env", {})}} for kind, own in containers]


def _connections(play: Play) -> t.Any:
    """What a database of our own allows: what the inventory says, else what its shards need."""
    asked = play.readable("wa_database_max_connections")
    rate, tls = play.readable("wa_messages_per_second"), bool(play.readable("wa_db_ssl_ca"))
    return asked if whole_number(asked) != 0 else sizing.own_limit(play.readable("wa_shards"), rate, tls)


def _db_ssl_files(play: Play) -> list[Values]:
    contents = _files(play)
    return [
        {"name": file.name, "mode": file.mode, "content": base64.b64encode(contents[file.variable]).decode()}
        for file in db_ssl.FILES
        if file.variable in contents
    ]


def _host_info(play: Play) -> Values:
    """What wa_host_info reads on the host that the task is about. In one go: each host has a process of its own."""
    return {
        "name": play.value("inventory_hostname"),
        **{name[len("wa_") :]: value for name, value in play.values(HOST_INFO).items()},
        # A share is read in a way of its own, which does not wait for a server that is gone.
        "media": "" if play.value("wa_media_share") else play.value("wa_media"),
        "version": FACTS["version"](play),
        "images": FACTS["images"](play),
        "reach": FACTS["database_targets"](play),
        "stop_single_connect": switch_on(play.value("wa_stop_single_connect")),
        "environment": FACTS["environment"](play),
        "container_settings": _container_settings(play),
        "adopts": {name[3:]: play.value(name) for name in ADOPTS} if play.value("_wa_adopts") else {},
    }


# --- what was read ----------------------------------------------------------------------------------------------------


def _observed(play: Play) -> list[Values]:
    return [read["host"] for read in play.reads(play.hosts).values() if read.get("host")]


def _image_lives(play: Play) -> list[Life]:
    """Until when the images of the client work that hosts of the play have."""
    return lives_of(_observed(play), [play.value("wa_database_image") or ""])


def _image_warnings(play: Play) -> list[str]:
    """What has expired of them, or will soon."""
    today = datetime.datetime.now(datetime.timezone.utc).date()
    days = whole_number(play.value("wa_expiry_warning_days")) or 0
    return [life.warning(today) for life in _image_lives(play) if life.ends_within(days, today)]


def _running(play: Play) -> list[Values]:
    return [node for host in _observed(play) for node in host["nodes"]]


def _unread_hosts(play: Play) -> dict[str, str]:
    """Hosts that could not be read, and why, in one line without secrets."""
    unread = {host: read for host, read in play.reads(play.hosts).items() if not read.get("host")}
    secrets = _secrets(play) if unread else []
    return {host: masked(one_line(said(read).removeprefix("Task failed: ")), secrets) for host, read in unread.items()}


def _unreachable(play: Play) -> dict[str, str]:
    """Those of the hosts that could not be read that do not answer at all, and why."""
    reads = play.reads(play.hosts)
    return {host: why for host, why in _unread_hosts(play).items() if reads[host].get("unreachable")}


def _signs(play: Play) -> dict[str, Values]:
    """Signs of life of the hosts that the run goes on without."""
    return {
        host: signs_from(play.facts(host, "__wa_sign_of_life"), play.facts(host, "__wa_webapps_of_it"))._asdict()
        for host in play.left_out
    }


def _webapps_here(play: Play) -> list[str]:
    """Where webapps of the host would answer that the task is about."""
    name, port = play.value("inventory_hostname"), play.readable("wa_webapp_port")
    return [url for host in play.inventory() if host["name"] == name for url in webapps_of(host, port)]


def _spared(play: Play) -> list[str]:
    if play.value("_wa_adopts"):
        # What compose files have started there would stay, seen by nobody.
        return []
    return may_be_left_out(_unreachable(play), play.left_out, play.groups)


def _unseen_hosts(play: Play) -> list[str]:
    """Those, and hosts whose engine may hold nodes and does not say which."""
    return [*_unread_hosts(play), *(host["name"] for host in _observed(play) if may_hold_unseen(host["engine"]))]


def _known_nodes(play: Play) -> list[Values]:
    return preflight.known_nodes(play.result("__wa_desired").get("nodes") or (), _unseen_hosts(play))


def _api_access_running(play: Play) -> Values:
    """For a plan: every webapp whose container runs, on whatever host, as those it has made are not asked yet."""
    placed = play.result("__wa_desired")
    running = {
        (host["name"], container["name"])
        for host in _observed(play)
        for container in host["containers"]
        if container["state"] == "running"
    }
    nodes = [*(placed.get("nodes") or ()), *(placed.get("leaving") or ())]
    there = [node for node in nodes if (node["host"], node["name"]) in running]
    return _access_to(play, there or nodes)


def _api_access_adopting(play: Play) -> Values:
    """The same where webapps of a compose file may run, which those that are placed come in the place of."""
    hosts = {host["name"]: str(host["api_address"]) for host in play.inventory()}
    found = [node for host in _observed(play) for node in adopted_nodes(host)]
    webapps = [compose_entry(node, hosts) for node in found if node.kind == "webapp" and node.runs and node.ports]
    if not webapps:
        return _api_access_running(play)
    running = [node for host in _observed(play) for node in host["nodes"] if node["state"] == "running"]
    names = {(node["host"], node["name"]) for node in running}
    placed = play.result("__wa_desired").get("nodes") or ()
    return _access_to(play, [*webapps, *(node for node in placed if (node["host"], node["name"]) in names)])


def _to_declare(play: Play) -> list[str]:
    """Hosts that the command has drained, and the inventory does not."""
    hosts = inventory_hosts(EveryHost(play.hostvars), play.groups)
    declared = {host["name"] for host in hosts if switch_on(host["drained"])}
    return [name for name in play.asked_to_drain if name not in declared]


def _api_access_once(play: Play) -> Values:
    """For who looks once: only webapps that exist, or that may on a host that could not be read."""
    nodes = [node for node in _known_nodes(play) if node["kind"] == "webapp"]
    placed = play.result("__wa_desired").get("nodes") or ()
    return {**_access_to(play, nodes or placed), "api_once": True}


def _failures(play: Play) -> dict[str, Values]:
    reads = play.reads(play.hosts).items()
    return {host: read.get("failure") or {"message": str(read.get("msg") or "")} for host, read in reads}


def _unread(play: Play) -> dict[str, Values]:
    """By host why it could not be read, where its module, or what started it, says so."""
    reads = play.reads(play.hosts)
    return {host: read["failure"] for host, read in reads.items() if read.get("failure")}


def _database_hosts(play: Play) -> list[str]:
    return list(play.groups.get("wa_database_hosts") or ())


def _database_readable(play: Play) -> bool:
    return "db_host" in access.database_access(play.values(DATABASE)) and preflight.database_exists(
        _observed(play), _database_hosts(play)
    )


def _nodes(play: Play) -> list[Values]:
    node = environment.database_node(play.values(("wa_name_prefix", "wa_database_port")))
    return [*(play.result("__wa_desired").get("nodes") or ()), *({"host": h, **node} for h in _database_hosts(play))]


def _first_sizing(play: Play) -> Values:
    return preflight.first_sizing(
        {**play.values(SIZING), "wa_database_max_connections": _connections(play)},
        play.result("__wa_desired"),
        play.result("__wa_database").get("database") or {},
        _observed(play),
        play.hosts,
        _database_hosts(play),
    )


def _identity(play: Play) -> Values:
    reads = play.reads(play.groups.get("wa_cluster") or ())
    placed = play.result("__wa_desired")
    options = {
        "nodes": placed.get("nodes") or [],
        "inventory": play.inventory(),
        "left_out": _signs(play),
        # Of every host that was read, also in a play for one of them.
        "hosts": [read["host"] for read in reads.values() if read.get("host")],
        "database": play.result("__wa_database").get("database") or {},
        "number": "{0}{1}".format(play.value("wa_cc") or "", play.value("wa_phone_number") or ""),
        "may_reshard": bool(play.value("_wa_may_reshard")),
        "name_prefix": play.value("wa_name_prefix"),
        "db_address": "{0}:{1}".format(play.value("wa_db_host"), play.value("wa_db_port")),
        "db_name_prefix": play.value("wa_db_name_prefix"),
    }
    return {**options, "shards": placed["shards"]} if placed.get("shards") else options


def _share(play: Play) -> MediaShare | None:
    """The media share. What is wrong with it is reported by wa_placement."""
    return inventory_share(play.value("wa_media_share"))[0]


def _media_hosts(play: Play) -> list[str]:
    """The hosts that have to have the media share: all that may get a node."""
    if _share(play) is None:
        return []
    hosts = [host["name"] for host in play.inventory() if not switch_on(host["drained"])]
    return [host for host in hosts if host not in play.left_out]


def _media_share(play: Play) -> Values:
    """The share as wa_nfs_media takes it."""
    asked, (uid, free) = play.value("wa_media_share") or {}, play.values(MEDIA_SHARE).values()
    given = {key: asked[key] for key in OF_INVENTORY if asked.get(key) is not None}
    opts = given.get("opts")
    return {
        **given,
        **({"opts": opts.split(",")} if isinstance(opts, str) else {}),
        "container_uid": whole_number(uid),
        "free_mb": whole_number(free),
        "run": play.result("__wa_media_asked").get("run"),
    }


def _media_limits(play: Play) -> tuple[int, Limits]:
    """The user of the containers, and what has to be free."""
    uid, free = (whole_number(value) or 0 for value in play.values(MEDIA_SHARE).values())
    return uid, Limits(free_mb=free)


def _media_proved(play: Play) -> list[str]:
    """The hosts of the play that take part in its proof of the share.

    One that does not answer is no matter of the share: whoever reads the hosts next refuses to go on.
    """
    results = [play.results(name) for name in ("__wa_media_asked", "__wa_media_left", "__wa_media_compared")]
    return [host for host in play.hosts if not any(one[host].get("unreachable") for one in results)]


def _media_refusal(play: Play) -> str:
    """What came of a proof by the hosts of the play; empty where it is proved."""
    problems = _media_problems(play)
    return "\n".join([NOT_PROVED, summary(problems)]) if problems else ""


NOT_PROVED = "The media share is not proved, and no node was touched."


def _media_problems(play: Play) -> list[Problem]:
    share = _share(play)
    if share is None:
        return []
    asked = play.result("__wa_media_asked")
    if asked.get("problems"):
        return [problem_from(one) for one in asked["problems"]]
    left, compared = play.results("__wa_media_left"), play.results("__wa_media_compared")
    hosts = _media_proved(play)
    found = {host: compared[host] if left[host].get("answer") else left[host] for host in hosts}
    answers = {host: result.get("answer") or {"msg": said(result) or said(asked)} for host, result in found.items()}
    refused = {host: [problem_from(one) for one in result.get("refused") or ()] for host, result in found.items()}
    return share_problems(share, hosts, answers, *_media_limits(play), refused)


def _media_seen(play: Play) -> dict[str, Seen]:
    """By host what was read of its media share, of those that have to have it."""
    share = _share(play)
    reads = play.reads(_media_hosts(play))
    uid, limits = _media_limits(play)
    return {
        host: seen_share(share, host, read["host"]["media_share"], uid, limits)
        for host, read in reads.items()
        if share and read.get("host") and read["host"].get("media_share")
    }


def _media_server(play: Play) -> Values:
    """What the role media_server does on its host, or why it does not. exported: whether that is in force."""
    addresses = [host["address"] for host in play.inventory() if host["name"] not in play.left_out]
    uid = whole_number(play.value("wa_container_uid")) or 0
    server, problems = media_server(
        _share(play), play.value(CLIENTS), addresses, uid, str(play.value("wa_cluster_name"))
    )
    if server is None:
        return {"refusal": "\n".join([NO_SERVER, summary(problems)])}
    table = play.result("__wa_media_etab").get("content") or ""
    return {
        "refusal": "",
        "directory": {
            "path": server.directory,
            "owner": server.owner,
            "group": server.group,
            "mode": "{0:04o}".format(server.mode),
        },
        "exports": {"dest": server.exports_file, "content": server.exports},
        "not_exported": summary([not_exported(server)]),
        "exported": is_exported(server, base64.b64decode(table).decode("utf-8", "replace")),
    }


NO_SERVER = "Nothing was changed on the media server."


def _media_copy(play: Play) -> Values:
    """The options of wa_media_copy, which are those of the share but for what it does not have."""
    options = {key: value for key, value in _media_share(play).items() if key in COPY_OPTIONS}
    return {**options, "source": play.value("wa_media_from")}


COPY_OPTIONS = ("server", "export", "path", "opts", "container_uid")


def _media_copied(play: Play) -> Values:
    """What came of copying on all hosts: why it failed, and the table of it."""
    share, source = _share(play), play.value("wa_media_from")
    results = play.results("__wa_media_copied")
    if share is None:
        return {"refusal": "", "lines": []}
    problems = [problem_from(one) for result in results.values() for one in result.get("problems") or ()]
    problems += [
        Problem("MEDIA_COPY_FAILED", said(result) or "the host gave no answer.", "wa_media_from", source, host)
        for host, result in results.items()
        if not result.get("problems") and (result.get("failed") or result.get("unreachable") or "copied" not in result)
    ]
    copied = {host: result.get("copied") or {} for host, result in results.items()}
    if not problems and not any(copied.values()):
        problems = [nowhere(source)]
    return {
        "refusal": "\n".join([NOT_COPIED, summary(problems)]) if problems else "",
        "lines": copied_lines(source, share.source, copied),
    }


NOT_COPIED = "Not every file is on the share. What was copied stays there, and the volume is as it was."


def _media_status(play: Play) -> Values:
    """What status.yml shows of the share."""
    share = _share(play)
    if share is None:
        return {}
    reads = play.reads(_media_hosts(play))
    seen = {host: (read.get("host") or {}).get("media_share") for host, read in reads.items()}
    found = share_status(share, {host: one for host, one in seen.items() if one}, *_media_limits(play))
    return {**found._asdict(), "problems": [one.as_dict() for one in found.problems]}


def _media_changes(play: Play) -> dict[str, Values]:
    """By host what is done for its media share."""
    share = _share(play)
    what = "{0} at {1}".format(share.source, share.path) if share else ""
    return {host: {"what": what, "why": list(seen.change.reasons)} for host, seen in _media_seen(play).items()}


def _preflight(play: Play) -> Values:
    settings = play.value("wa_settings")
    api = {name: play.value("wa_" + name) for name in ("cc", "phone_number", "registration_method")}
    return {
        "hosts": _observed(play),
        "unread": _unread(play),
        "unreachable": _unreachable(play),
        "spared_hosts": _spared(play),
        "nodes": _nodes(play),
        "leaving": play.result("__wa_desired").get("leaving") or [],
        "drains": bool(play.value("_wa_drains")),
        "outages": [outage["sentence"] for outage in play.result("__wa_desired").get("worst_outages") or ()],
        "media_share": _media_changes(play),
        "reports": [
            *(play.result(name) for name in REPORTS),
            {"notes": access.unread_notes(play.values(REACH))},
            {"problems": [one.as_dict() for seen in _media_seen(play).values() for one in seen.problems]},
        ],
        "recreate_at_once": switch_on(play.value("wa_recreate_at_once")),
        "fix_engines": play.value("_wa_fix_engines") or [],
        "check_ports": switch_on(play.value("wa_check_ports")),
        "forks": whole_number(play.value("ansible_forks")) or 1,
        "started_engines": list(play.groups.get(preflight.ENGINE_STOPPED) or ()),
        "api": {
            **api,
            "register": switch_on(play.value("wa_register")),
            # Whatever is wrong with these is reported by wa_placement.
            "settings": settings if isinstance(settings, dict) else {},
            "health_timeout_seconds": whole_number(play.value("wa_health_timeout_seconds")),
        },
    }


def _ports(play: Play) -> Values:
    """What came of trying the ports: the refusal, and what stays unknown."""
    answers = [play.results(name) for name in ("__wa_listening", "__wa_tried", "__wa_seen")]
    found = ports.outcome(play.result("__wa_preflight")["ports"], *(_without_secrets(play, one) for one in answers))
    message = refusal_for(PORTS_CODE, found.problems).message if found.problems else ""
    started = list(play.groups.get(preflight.ENGINE_STOPPED) or ())
    return {"refusal": preflight.refusal(message, started), "notes": found.notes}


def _without_secrets(play: Play, results: dict[str, Values]) -> dict[str, Values]:
    """Results of which those that failed have their message in one line and nothing else."""
    failed = [host for host, result in results.items() if result.get("msg")]
    secrets = _secrets(play) if failed else []
    return {**results, **{host: {"msg": masked(one_line(said(results[host])), secrets)} for host in failed}}


def _ports_part(action: str) -> t.Callable[[Play], Values]:
    """What the host that the task is about needs of the plan of ports."""

    def part(play: Play) -> Values:
        return ports.part_of(play.result("__wa_preflight")["ports"], str(play.value("inventory_hostname")), action)

    return part


def _ports_unclear(play: Play) -> list[str]:
    """The hosts whose listeners have to be asked; none where every port was reached."""
    plan = play.result("__wa_preflight")["ports"]
    unclear = ports.unclear(plan, play.results("__wa_listening"), play.results("__wa_tried"))
    return play.hosts if unclear else []


def _login(play: Play) -> Values:
    """What a login says about the cluster, without its token."""
    kept = ("failed", "failure", "msg", "password_changed")
    return {name: value for name, value in play.result("__wa_login").items() if name in kept}


def _drill_left(play: Play) -> list[str]:
    """Hosts of the play on which a drill has not restored yet what it broke."""
    return [host["name"] for host in _observed(play) if host.get("drill")]


def _drill_not_prepared(play: Play) -> list[str]:
    """Hosts of the play on which the script that restores what a drill breaks was not written."""
    written = play.results("__wa_drill_script")
    return [host for host, result in written.items() if result.get("failed") or not result.get("changed")]


def _drill_outcome(play: Play) -> Values:
    """What came of a drill, from the hosts that it was about, as wa_drill_report takes it."""

    def found(name: str) -> list[Values]:
        results = (play.facts(host, name) for host in play.groups.get("_wa_drill") or ())
        return [result for result in results if result]

    return {
        "watched": next(iter(found("__wa_watched")), {}),
        "break_results": found("__wa_not_broken"),
        "results": [*found("__wa_restore"), play.result("__wa_not_proved")],
    }


def _found(play: Play) -> Values:
    """What wa_found_inventory makes an inventory of."""
    reads = play.reads(play.hosts)
    given = play.results("__wa_node_environment")
    unread = [host for host, read in reads.items() if read.get("host") and "environments" not in given[host]]
    return {
        "hosts": [read["host"] for read in reads.values() if read.get("host")],
        "environments": {host: result.get("environments") or {} for host, result in given.items()},
        "addresses": {host: found_inventory.addresses_of(facts) for host, facts in _network_facts(play).items()},
        "variables": {host: _taken_over(play, host) for host in play.hosts},
        "given": _given(play),
        "database": play.result("__wa_database").get("database") or {},
        "unread": {**_unread_hosts(play), **{host: said(given[host]) for host in unread}},
    }


def _network_facts(play: Play) -> dict[str, Values]:
    return {host: found.get("ansible_facts") or {} for host, found in play.results("__wa_network").items()}


def _taken_over(play: Play, host: str) -> Values:
    """What the user has set for a host, and is no secret."""
    values = EveryHost(play.hostvars)[host]
    names = (*found_inventory.CONNECTION, *found_inventory.OF_HOSTS)
    return {name: plain(values[name]) for name in names if name in values}


def _given(play: Play) -> Values:
    """What the user has set for the cluster: this play has the defaults of no role."""
    return {
        name: value
        for name, value in ((name, play.readable(name)) for name in BY_NAME if name not in found_inventory.OF_HOSTS)
        if value is not None
    }


def _found_access(play: Play) -> Values:
    """How the database is read of nodes that were found; nothing to connect to where that is not known."""
    found = _found(play)
    facts = {
        host["name"]: found_inventory.HostFacts(
            tuple(found["addresses"][host["name"]]), found["variables"][host["name"]]
        )
        for host in found["hosts"]
    }
    environments = {
        (host, name): values for host, nodes in found["environments"].items() for name, values in nodes.items()
    }
    variables = found_inventory.reading_access(found["hosts"], environments, facts, found["given"])
    return access.database_access(variables) if variables else {}


def _removed(play: Play) -> Values:
    """Hosts that were read again after something was removed there, and why one could not be, or something not go."""
    reads, refused = play.results("__wa_host_after"), play.results("__wa_not_removed")
    failures: Values = {
        host: read.get("failure") or {"message": refused[host].get("reason") or str(read.get("msg") or "")}
        for host, read in reads.items()
    }
    return {"hosts": [read["host"] for read in reads.values() if read.get("host")], "failures": failures}


def _own_pin(play: Play) -> str:
    """The file in which the authority is pinned where the user names none; empty where nothing is."""
    file = _pin_file(play)
    return file.path if file.exists and not file.given else ""


def _authority_pem(play: Play) -> str:
    """What is pinned of the API's authority, as text; empty where nothing is."""
    file = _pin_file(play)
    return read_file(file.path).decode("utf-8", "replace") if file.exists else ""


def _schedule_refusal(play: Play) -> str:
    """Why backups cannot be made on a schedule; empty where they can, and where nobody asks for it."""
    given = play.values(("wa_backup_host", "wa_backup_recipient"))
    host, recipient = (str(value or "") for value in given.values())
    return summary(backup_schedule.host_problems(host, play.groups.get("all") or (), recipient))


LOGS_OF_CLUSTER = {"support": "support info", "health": "health", "settings": "settings"}


def _logs(play: Play) -> dict[str, Values]:
    """By host what was, or is going to be, collected of it: what wa_node_logs returned, or why nothing is."""
    unread, cluster = _unread_hosts(play), play.value("wa_cluster_name")
    found: dict[str, Values] = {host: {"reason": why} for host, why in unread.items()}
    collected = play.results("__wa_node_logs")
    for host in _observed(play):
        name, result = host["name"], collected[host["name"]]
        silent = summary(engine_problems(host)) or ("" if host["engine"]["answers"] else "no engine answers")
        ours = sorted(one["name"] for one in host["containers"] if one["cluster"] == cluster)
        failed = result.get("failed") or result.get("unreachable")
        why = masked(one_line(said(result)), _secrets(play)) if failed else silent
        found[name] = {"containers": ours, "pieces": result.get("pieces") or [], "reason": why}
    return {host: found[host] for host in play.hosts if host in found}


def _log_documents(play: Play) -> Values:
    """Files for the whole cluster, and why one is missing."""
    support, status = play.result("__wa_support"), play.result("__wa_status")
    reason = one_line(said(support) or said(play.result("__wa_login")) or "the API was not asked")
    found = {"cluster/{0}.json".format(name): support.get(name) for name in LOGS_OF_CLUSTER}
    missing = {name: support.get("unread", {}).get(name, reason) for name in LOGS_OF_CLUSTER if not support.get(name)}
    found["cluster/status.json"] = status.get("document")
    found["cluster/database.json"] = play.result("__wa_database").get("database")
    path = play.value("wa_report")
    found["cluster/last-run.json"] = read_file(path).decode("utf-8", "replace") if path else ""
    reasons = {
        **{"cluster/{0}.json".format(name): why for name, why in missing.items()},
        "cluster/status.json": "the status was not read",
        "cluster/database.json": "the database was not read from the machine that runs Ansible",
        "cluster/last-run.json": "wa_report, the file in which runs write what they planned and did, "
        + ("is {0!r}, which is not there".format(path) if path else "is not set"),
    }
    return {
        "documents": {name: content for name, content in found.items() if content},
        "missing": {name: masked(reasons[name], _secrets(play)) for name, content in found.items() if not content},
        "status": [*(status.get("lines") or ()), *str(status.get("refusal") or "").splitlines()],
    }


FACTS: dict[str, t.Callable[[Play], t.Any]] = {
    "version": lambda play: environment.version_tag(play.values(("version", "wa_version"))),
    "images": lambda play: environment.images(play.values(IMAGES)),
    "container_settings": _container_settings,
    "node_containers": _node_containers,
    "db_ssl_files": _db_ssl_files,
    "db_ssl_filler": lambda play: filler_options(_container_settings(play)),
    "database_targets": lambda play: access.database_targets(play.values(REACH), bool(_database_hosts(play))),
    "environment": lambda play: environment.environments(play.values(ENVIRONMENT)),
    "schema_environment": lambda play: environment.schema_environment(play.values(ENVIRONMENT)),
    "database_node": lambda play: environment.database_node(play.values(("wa_name_prefix", "wa_database_port"))),
    "api_access": _api_access,
    "authority": _authority,
    "webapps_there": _webapps_there,
    "certificates_trusted": _certificates_trusted,
    "certificate_nodes": _certificate_nodes,
    "certificate_lines": lambda play: certificate_lines(_certificate_nodes(play), *_certificate_results(play)),
    "pin_problems": _pin_problems,
    "pins": lambda play: bool(_kept(play, "_wa_served") and _token(play)),
    "api_access_once": _api_access_once,
    "api_access_adopting": _api_access_adopting,
    "api_access_running": _api_access_running,
    "to_declare": _to_declare,
    "database_hosts": _database_hosts,
    "database_access": lambda play: access.database_access(play.values(DATABASE)),
    "token": _token,
    "secrets": _secrets,
    "shards": _shards,
    "shape": _shape,
    "placement": _placement,
    "observed": _observed,
    "image_lives": lambda play: [life.works_until for life in _image_lives(play)],
    "image_warnings": _image_warnings,
    "running": _running,
    "unread_hosts": _unread_hosts,
    "spared_hosts": _spared,
    "webapps_here": _webapps_here,
    "left_out": lambda play: play.left_out,
    "unseen_hosts": _unseen_hosts,
    "known_nodes": _known_nodes,
    "failures": _failures,
    "found": _found,
    "found_access": _found_access,
    "has_api": lambda play: preflight.has_api(_observed(play)),
    "database_readable": _database_readable,
    "host_info": _host_info,
    "first_sizing": _first_sizing,
    "identity": _identity,
    "preflight": _preflight,
    "media_hosts": _media_hosts,
    "media_share": _media_share,
    "media_proved": _media_proved,
    "media_refusal": _media_refusal,
    "media_status": _media_status,
    "media_server": _media_server,
    "media_copy": _media_copy,
    "media_copied": _media_copied,
    "ports": _ports,
    "ports_unclear": _ports_unclear,
    **{"ports_to_" + action: _ports_part(action) for action in ("listen", "try", "report")},
    "login": _login,
    "drill_left": _drill_left,
    "drill_not_prepared": _drill_not_prepared,
    "drill_outcome": _drill_outcome,
    "removed": _removed,
    "own_pin": _own_pin,
    "schedule_refusal": _schedule_refusal,
    "authority_pem": _authority_pem,
    "backup_recipient": lambda play: read_file(play.value("wa_backup_recipient") or "").decode("utf-8", "replace"),
    "shown_settings": lambda play: hidden(play.value("wa_settings") or {}),
    "logs": _logs,
    "log_documents": _log_documents,
}
"""By its name how a fact is found out."""
